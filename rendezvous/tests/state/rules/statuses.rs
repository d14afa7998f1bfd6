//! How a member's link is, and what others hear of it.

use protocol_core::RoomId;
use rendezvous::MyRooms;
use rendezvous::events::{
    HostChanged, JoinCause, LeaveReason, PlayerLeft, PlayerStatus, PlayerUpdated, Room, RoomNews,
    SelfJoined, SelfLeft, UpdateRoom,
};

use crate::house::{House, Peer, assert_news};

const ONLINE: PlayerStatus = PlayerStatus::Online;
const AWAY: PlayerStatus = PlayerStatus::Reconnecting;

fn updated(room: &RoomId, rev: u64, player: &Peer, status: PlayerStatus) -> RoomNews {
    RoomNews::PlayerUpdated(PlayerUpdated {
        room: room.clone(),
        rev,
        player: player.id().clone(),
        status,
    })
}

fn resumed(room: Room) -> RoomNews {
    RoomNews::SelfJoined(SelfJoined::new(room, JoinCause::Resumed))
}

fn status_in(room: &Room, peer: &Peer) -> PlayerStatus {
    let mut players = room.players.iter();
    let player = players.find(|player| player.id == *peer.id());
    player.expect("the peer is in the room").status
}

/// A room of all of them, in this order.
fn lobby_of(house: &mut House, peers: &[&Peer]) -> RoomId {
    let lobby = house.lobby(peers[0]);
    for peer in &peers[1..] {
        house.enter(peer, &lobby).unwrap();
    }
    house.forget_news();
    lobby
}

/// G4: one revision for all others, and nothing for oneself.
#[test]
fn others_hear_that_a_link_is_lost() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let lobby = lobby_of(&mut house, &[&alice, &bob, &carol]);
    house.set_status(&bob, AWAY);
    for peer in [&alice, &carol] {
        assert_news(&house.heard(peer), &[updated(&lobby, 4, &bob, AWAY)]);
    }
    house.assert_silent();
    let room = house.view(&lobby);
    assert_eq!(room.rev, 4);
    assert_eq!(status_in(&room, &bob), AWAY);
    assert_eq!(status_in(&room, &alice), ONLINE);
}

#[test]
fn whoever_is_back_hears_how_the_room_is_now() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let lobby = lobby_of(&mut house, &[&alice, &bob, &carol]);
    house.set_status(&bob, AWAY);
    house.forget_news();
    house.set_status(&bob, ONLINE);
    for peer in [&alice, &carol] {
        assert_news(&house.heard(peer), &[updated(&lobby, 5, &bob, ONLINE)]);
    }
    let room = house.view(&lobby);
    assert_eq!(room.rev, 5);
    assert_eq!(status_in(&room, &bob), ONLINE);
    assert_news(&house.heard(&bob), &[resumed(room)]);
    house.assert_silent();
}

#[test]
fn what_is_so_already_is_no_revision() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let lobby = lobby_of(&mut house, &[&alice, &bob]);
    house.set_status(&bob, ONLINE);
    assert_eq!(house.view(&lobby).rev, 2);
    house.assert_silent();
    house.set_status(&bob, AWAY);
    house.forget_news();
    house.set_status(&bob, AWAY);
    assert_eq!(house.view(&lobby).rev, 3);
    house.assert_silent();
}

#[test]
fn each_room_has_a_revision_of_its_own_in_the_order_of_joining() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let one = lobby_of(&mut house, &[&alice, &bob, &carol]);
    let alone = lobby_of(&mut house, &[&bob]);
    let other = lobby_of(&mut house, &[&alice, &bob]);
    let elsewhere = lobby_of(&mut house, &[&alice, &carol]);
    house.set_status(&bob, AWAY);
    let of_bob = [updated(&one, 4, &bob, AWAY), updated(&other, 3, &bob, AWAY)];
    assert_news(&house.heard(&alice), &of_bob);
    assert_news(&house.heard(&carol), &of_bob[..1]);
    house.assert_silent();
    assert_eq!(house.view(&alone).rev, 2);
    assert_eq!(house.view(&elsewhere).rev, 2);
    house.set_status(&bob, ONLINE);
    let rooms = [&one, &alone, &other].map(|id| resumed(house.view(id)));
    assert_news(&house.heard(&bob), &rooms);
}

/// A picture takes up what was held for it, then the room as it is, and is the truth.
#[test]
fn news_go_on_to_whoever_is_away() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let lobby = house.lobby(&alice);
    house.enter(&bob, &lobby).unwrap();
    house.set_status(&bob, AWAY);
    house.enter(&carol, &lobby).unwrap();
    let rename = UpdateRoom {
        name: Some("den".to_owned()),
        ..UpdateRoom::new(lobby.clone())
    };
    // This shows bob that he is away, and nothing but the room as it is now shows that he is back.
    house.update(&alice, rename).unwrap();
    house.leave(&alice, &lobby).unwrap();
    house.set_status(&bob, ONLINE);
    let mut picture = MyRooms::default();
    let heard = house.heard(&bob);
    for event in &heard {
        picture.hear(event).unwrap();
    }
    assert_eq!(heard.len(), 6);
    assert_eq!(picture.get(&lobby), Some(&house.view(&lobby)));
    // One that was begun anew sees the same.
    let mut anew = MyRooms::default();
    anew.hear(heard.last().unwrap()).unwrap();
    assert_eq!(anew, picture);
}

#[test]
fn a_picture_is_replaced_by_no_other_news_and_none_of_before() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let [first, lobby] = [house.lobby(&bob), house.lobby(&bob)];
    let last = house.lobby(&bob);
    let mut picture = MyRooms::default();
    for event in house.heard(&bob) {
        picture.hear(&event).unwrap();
    }
    let before = house.view(&lobby);
    house.enter(&alice, &lobby).unwrap();
    let now = house.view(&lobby);
    let joined = RoomNews::SelfJoined(SelfJoined::new(now.clone(), JoinCause::Joined));
    picture.hear(&joined).unwrap_err();
    assert_eq!(picture.get(&lobby), Some(&before));
    picture.hear(&resumed(before.clone())).unwrap();
    picture.hear(&resumed(now.clone())).unwrap();
    picture.hear(&resumed(before)).unwrap_err();
    assert_eq!(picture.get(&lobby), Some(&now));
    let order: Vec<_> = picture.iter().map(|room| &room.id).collect();
    assert_eq!(order, [&first, &lobby, &last]);
}

#[test]
fn a_host_that_is_away_keeps_the_role() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let lobby = lobby_of(&mut house, &[&alice, &bob]);
    house.set_status(&alice, AWAY);
    assert_eq!(house.view(&lobby).host, *alice.id());
    house.set_status(&alice, ONLINE);
    house.kick(&alice, &lobby, &bob, None).unwrap();
}

#[test]
fn a_room_goes_to_the_member_that_was_longest_there_of_those_online() {
    let mut house = House::new();
    let peers = house.peers(["alice", "bob", "carol", "alice 2"]);
    let [alice, bob, carol, another] = &peers;
    let lobby = lobby_of(&mut house, &[alice, bob, carol, another]);
    house.set_status(bob, AWAY);
    house.forget_news();
    house.leave(alice, &lobby).unwrap();
    let changed = RoomNews::HostChanged(HostChanged {
        room: lobby.clone(),
        rev: 6,
        host: carol.id().clone(),
        previous: alice.id().clone(),
    });
    for peer in [bob, carol, another] {
        assert_news(&house.heard(peer)[1..], std::slice::from_ref(&changed));
    }
    // Nobody gets the role back by coming back, and whoever is back is as good as before.
    house.set_status(bob, ONLINE);
    assert_eq!(house.view(&lobby).host, *carol.id());
    house.leave(carol, &lobby).unwrap();
    assert_eq!(house.view(&lobby).host, *bob.id());
}

#[test]
fn where_nobody_is_online_the_one_that_was_longest_there_is_host() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let lobby = lobby_of(&mut house, &[&alice, &bob, &carol]);
    house.set_status(&bob, AWAY);
    house.set_status(&carol, AWAY);
    house.leave(&alice, &lobby).unwrap();
    assert_eq!(house.view(&lobby).host, *bob.id());
    house.set_status(&carol, ONLINE);
    assert_eq!(house.view(&lobby).host, *bob.id());
}

#[test]
fn a_grace_that_ends_takes_its_peer_out_of_all_rooms() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let lobby = lobby_of(&mut house, &[&alice, &bob]);
    let reason = LeaveReason::GraceExpired;
    house.set_status(&alice, AWAY);
    house.forget_news();
    house.vanish(&alice, reason);
    let news = [
        RoomNews::PlayerLeft(PlayerLeft {
            room: lobby.clone(),
            rev: 4,
            player: alice.id().clone(),
            reason,
            by: None,
        }),
        RoomNews::HostChanged(HostChanged {
            room: lobby.clone(),
            rev: 4,
            host: bob.id().clone(),
            previous: alice.id().clone(),
        }),
    ];
    assert_news(&house.heard(&bob), &news);
    let left = RoomNews::SelfLeft(SelfLeft {
        room: lobby.clone(),
        rev: 4,
        reason,
        by: None,
        message: None,
    });
    assert_news(&house.heard(&alice), &[left]);
    // The next who has the name is online.
    let alice = house.peer("alice");
    let room = house.enter(&alice, &lobby).unwrap();
    assert_eq!(status_in(&room, &alice), ONLINE);
}

#[test]
fn a_member_that_is_away_may_be_made_host_and_stays_it() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let lobby = lobby_of(&mut house, &[&alice, &bob]);
    house.set_status(&bob, AWAY);
    house.appoint(&alice, &lobby, &bob).unwrap();
    assert_eq!(house.view(&lobby).host, *bob.id());
    house.leave(&alice, &lobby).unwrap();
    assert_eq!(house.view(&lobby).host, *bob.id());
}

/// A command may be under way when the link is lost.
#[test]
fn a_room_that_is_entered_while_away_shows_that() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let lobby = lobby_of(&mut house, &[&alice]);
    house.set_status(&bob, AWAY);
    house.assert_silent();
    let room = house.enter(&bob, &lobby).unwrap();
    assert_eq!(status_in(&room, &bob), AWAY);
    let own = house.lobby(&bob);
    assert_eq!(status_in(&house.view(&own), &bob), AWAY);
    let heard = house.heard(&alice);
    let [RoomNews::PlayerJoined(joined)] = &heard[..] else {
        panic!("alice heard {heard:?}");
    };
    assert_eq!(joined.player.status, AWAY);
    house.forget_news();
    house.set_status(&bob, ONLINE);
    assert_news(&house.heard(&alice), &[updated(&lobby, 3, &bob, ONLINE)]);
    let rooms = [&lobby, &own].map(|id| resumed(house.view(id)));
    assert_news(&house.heard(&bob), &rooms);
}
