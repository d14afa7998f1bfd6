use protocol_core::RoomId;
use rendezvous::events::{
    Changed, CreateRoom, HostChanged, JoinError, LeaveError, LeaveReason, OnHostLeave, PlayerLeft,
    RoomNews, SelfLeft,
};

use crate::house::{House, Peer, assert_news};

fn closing_with_host(house: &mut House, host: &Peer) -> RoomId {
    let request = CreateRoom {
        on_host_leave: Some(OnHostLeave::Close),
        ..CreateRoom::new("lobby")
    };
    house.create(host, request).unwrap().id
}

fn self_left(room: &RoomId, rev: u64, reason: LeaveReason, by: Option<&Peer>) -> RoomNews {
    RoomNews::SelfLeft(SelfLeft {
        room: room.clone(),
        rev,
        reason,
        by: by.map(|peer| peer.id().clone()),
        message: None,
    })
}

fn player_left(room: &RoomId, rev: u64, player: &Peer, reason: LeaveReason) -> RoomNews {
    RoomNews::PlayerLeft(PlayerLeft {
        room: room.clone(),
        rev,
        player: player.id().clone(),
        reason,
        by: None,
    })
}

fn host_changed(room: &RoomId, rev: u64, host: &Peer, previous: &Peer) -> RoomNews {
    RoomNews::HostChanged(HostChanged {
        room: room.clone(),
        rev,
        host: host.id().clone(),
        previous: previous.id().clone(),
    })
}

/// G3 and G4: `self_left` is the last that a member hears, and nothing else of its own leaving.
#[test]
fn a_leave_is_heard_by_all_once() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let lobby = house.lobby(&alice);
    house.enter(&bob, &lobby).unwrap();
    house.enter(&carol, &lobby).unwrap();
    house.forget_news();
    assert_eq!(house.leave(&bob, &lobby), Ok(Changed { rev: 4 }));
    let left = player_left(&lobby, 4, &bob, LeaveReason::Left);
    assert_news(&house.heard(&alice), std::slice::from_ref(&left));
    assert_news(&house.heard(&carol), &[left]);
    let left = self_left(&lobby, 4, LeaveReason::Left, None);
    assert_news(&house.heard(&bob), &[left]);
    house.leave(&carol, &lobby).unwrap();
    assert!(house.heard(&bob).is_empty());
}

/// G8: a repeated leave changes nothing.
#[test]
fn who_is_not_there_leaves_no_room() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let lobby = house.lobby(&alice);
    house.enter(&bob, &lobby).unwrap();
    house.leave(&bob, &lobby).unwrap();
    let nowhere = RoomId::new("nowhere").unwrap();
    for room in [&lobby, &nowhere] {
        let error = house.refusal(|house| house.leave(&bob, room));
        assert_eq!(error, LeaveError::RoomNotFound);
    }
}

#[test]
fn a_host_that_leaves_is_followed_by_the_member_that_was_longest_there() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let lobby = house.lobby(&alice);
    // By name or by their first coming, bob would be before carol.
    house.enter(&bob, &lobby).unwrap();
    house.enter(&carol, &lobby).unwrap();
    house.leave(&bob, &lobby).unwrap();
    house.enter(&bob, &lobby).unwrap();
    house.forget_news();
    assert_eq!(house.leave(&alice, &lobby), Ok(Changed { rev: 6 }));
    // Both changes are of one revision, in this order.
    let news = [
        player_left(&lobby, 6, &alice, LeaveReason::Left),
        host_changed(&lobby, 6, &carol, &alice),
    ];
    assert_news(&house.heard(&bob), &news);
    assert_news(&house.heard(&carol), &news);
    let left = self_left(&lobby, 6, LeaveReason::Left, None);
    assert_news(&house.heard(&alice), &[left]);
    let room = house.view(&lobby);
    assert_eq!(room.host, *carol.id());
    assert_eq!(room.rev, 6);
    // The one who made it is a member as any other now.
    house.enter(&alice, &lobby).unwrap();
    assert_eq!(house.view(&lobby).host, *carol.id());
    house.vanish(&carol, LeaveReason::GraceExpired);
    assert_eq!(house.view(&lobby).host, *bob.id());
}

#[test]
fn a_room_that_ends_with_its_host_ends_for_all() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let lobby = closing_with_host(&mut house, &alice);
    house.enter(&bob, &lobby).unwrap();
    house.enter(&carol, &lobby).unwrap();
    house.forget_news();
    assert_eq!(house.leave(&alice, &lobby), Ok(Changed { rev: 4 }));
    let closed = self_left(&lobby, 4, LeaveReason::HostClosed, Some(&alice));
    assert_news(&house.heard(&bob), std::slice::from_ref(&closed));
    assert_news(&house.heard(&carol), &[closed]);
    let left = self_left(&lobby, 4, LeaveReason::Left, None);
    assert_news(&house.heard(&alice), &[left]);
    house.assert_silent();
    assert!(house.rooms.is_empty());
    let error = house.refusal(|house| house.enter(&bob, &lobby));
    assert_eq!(error, JoinError::RoomNotFound);
}

#[test]
fn a_room_that_ends_with_its_host_ends_with_nobody_else() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let lobby = closing_with_host(&mut house, &alice);
    house.enter(&bob, &lobby).unwrap();
    house.leave(&bob, &lobby).unwrap();
    assert_eq!(house.view(&lobby).rev, 3);
    house.enter(&bob, &lobby).unwrap();
    // It is the host of the moment that counts.
    house.appoint(&alice, &lobby, &bob).unwrap();
    house.leave(&alice, &lobby).unwrap();
    assert_eq!(house.view(&lobby).host, *bob.id());
    house.enter(&alice, &lobby).unwrap();
    house.leave(&bob, &lobby).unwrap();
    assert!(house.rooms.is_empty());
}

#[test]
fn a_room_ends_with_its_last_player() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let lobby = house.lobby(&alice);
    house.enter(&bob, &lobby).unwrap();
    house.leave(&alice, &lobby).unwrap();
    house.forget_news();
    assert_eq!(house.leave(&bob, &lobby), Ok(Changed { rev: 4 }));
    let left = self_left(&lobby, 4, LeaveReason::Left, None);
    assert_news(&house.heard(&bob), &[left]);
    assert!(house.rooms.is_empty());
    assert_eq!(house.rooms.view(&lobby), None);
    let error = house.refusal(|house| house.enter(&alice, &lobby));
    assert_eq!(error, JoinError::RoomNotFound);
}

#[test]
fn who_vanishes_leaves_every_room_for_that_reason() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let guest = house.lobby(&bob);
    house.enter(&alice, &guest).unwrap();
    let host = house.lobby(&alice);
    house.enter(&carol, &host).unwrap();
    let closing = closing_with_host(&mut house, &alice);
    house.enter(&bob, &closing).unwrap();
    let alone = house.lobby(&alice);
    house.forget_news();
    let reason = LeaveReason::GraceExpired;
    house.vanish(&alice, reason);
    let left = [&guest, &host, &closing, &alone];
    let revs = [3, 3, 3, 2];
    let left = left.into_iter().zip(revs);
    let left: Vec<_> = left
        .map(|(room, rev)| self_left(room, rev, reason, None))
        .collect();
    assert_news(&house.heard(&alice), &left);
    let closed = self_left(&closing, 3, LeaveReason::HostClosed, Some(&alice));
    let news = [player_left(&guest, 3, &alice, reason), closed];
    assert_news(&house.heard(&bob), &news);
    let news = [
        player_left(&host, 3, &alice, reason),
        host_changed(&host, 3, &carol, &alice),
    ];
    assert_news(&house.heard(&carol), &news);
    assert_eq!(house.rooms.len(), 2);
    assert!(house.rooms.of_peer("alice").is_empty());
    house.vanish(&alice, reason);
    house.assert_silent();
}
