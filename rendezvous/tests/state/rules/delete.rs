use protocol_core::RoomId;
use rendezvous::events::{Changed, DeleteError, JoinError, LeaveReason, RoomNews, SelfLeft};

use crate::house::{House, assert_news};

/// G7: each member, the host included, hears one thing.
#[test]
fn a_room_that_is_deleted_ends_for_each_member_once() {
    let mut house = House::new();
    let alice = house.peer("alice");
    let lobby = house.lobby(&alice);
    let mut peers = vec![alice.clone()];
    for number in 1..10 {
        let peer = house.peer(&format!("bob {number}"));
        house.enter(&peer, &lobby).unwrap();
        peers.push(peer);
    }
    let kept = house.lobby(&alice);
    let code = house.invite(&alice, &lobby, None, None).unwrap();
    house.forget_news();
    assert_eq!(house.delete(&alice, &lobby), Ok(Changed { rev: 11 }));
    let left = RoomNews::SelfLeft(SelfLeft {
        room: lobby.clone(),
        rev: 11,
        reason: LeaveReason::RoomDeleted,
        by: Some(alice.id().clone()),
        message: None,
    });
    for peer in &peers {
        assert_news(&house.heard(peer), std::slice::from_ref(&left));
    }
    house.assert_silent();
    // Nothing of it is left, and no way leads in.
    assert_eq!(house.rooms.view(&lobby), None);
    assert_eq!(house.rooms.host(&lobby), None);
    assert_eq!(house.rooms.of_peer("alice"), [kept]);
    assert!(
        peers[1..]
            .iter()
            .all(|peer| house.rooms.of_peer(peer.id()).is_empty())
    );
    let by_invite = rendezvous::events::JoinRoom::by_invite(code);
    for peer in &peers {
        let error = house.refusal(|house| house.enter(peer, &lobby));
        assert_eq!(error, JoinError::RoomNotFound);
        let error = house.refusal(|house| house.join(peer, by_invite.clone()));
        assert_eq!(error, JoinError::RoomNotFound);
    }
    let error = house.refusal(|house| house.delete(&alice, &lobby));
    assert_eq!(error, DeleteError::RoomNotFound);
}

#[test]
fn only_the_host_deletes() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let lobby = house.lobby(&alice);
    let nowhere = RoomId::new("nowhere").unwrap();
    house.enter(&bob, &lobby).unwrap();
    for (by, room, expected) in [
        (&alice, &nowhere, DeleteError::RoomNotFound),
        (&bob, &lobby, DeleteError::NotHost),
        (&carol, &lobby, DeleteError::NotHost),
    ] {
        let error = house.refusal(|house| house.delete(by, room));
        assert_eq!(error, expected);
    }
}
