//! A private room answers those who are not in it as one that was never made.

use std::fmt::Debug;

use protocol_core::RoomId;
use rendezvous::events::{
    Capacity, CreateRoom, JoinRoom, ListRooms, Secret, UpdateRoom, Visibility,
};

use crate::house::{House, Peer};

/// All that can be said to a room by its id, and what comes back.
fn answers(house: &mut House, by: &Peer, other: &Peer, room: &RoomId) -> Vec<String> {
    let change = UpdateRoom {
        if_rev: Some(77),
        name: Some(String::new()),
        capacity: Capacity::new(1),
        ..UpdateRoom::new(room.clone())
    };
    let with_password = JoinRoom {
        password: Some(Secret::new("swordfish")),
        ..JoinRoom::new(room.clone())
    };
    let with_unknown_invite = JoinRoom {
        invite: Some(Secret::new("unknown")),
        ..JoinRoom::new(room.clone())
    };
    let mut all = Vec::new();
    let mut say = |answer: &dyn Debug| all.push(format!("{answer:?}"));
    say(&house.refusal(|house| house.enter(by, room)));
    say(&house.refusal(|house| house.join(by, with_password)));
    say(&house.refusal(|house| house.join(by, with_unknown_invite)));
    say(&house.refusal(|house| house.leave(by, room)));
    say(&house.refusal(|house| house.delete(by, room)));
    say(&house.refusal(|house| house.update(by, change)));
    say(&house.refusal(|house| house.kick(by, room, other, None)));
    say(&house.refusal(|house| house.kick(by, room, by, None)));
    say(&house.refusal(|house| house.appoint(by, room, other)));
    say(&house.refusal(|house| house.appoint(by, room, by)));
    say(&house.refusal(|house| house.invite(by, room, None, None)));
    say(&house.rooms.is_member(room, by.id()));
    say(&house.rooms.others(room, by.id()).is_some());
    all
}

#[test]
fn a_private_room_looks_like_an_unknown_one() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let request = CreateRoom {
        visibility: Some(Visibility::Private),
        ..CreateRoom::new("lobby")
    };
    let room = house.create(&alice, request).unwrap().id;
    let code = house.invite(&alice, &room, None, None).unwrap();
    let unknown = answers(&mut house, &bob, &alice, &RoomId::new("nowhere").unwrap());
    let by_invite = JoinRoom::by_invite(code.clone());
    let everything = UpdateRoom {
        capacity: Capacity::new(2),
        locked: Some(true),
        password: Some(Secret::new("sesame")),
        ..UpdateRoom::new(room.clone())
    };
    assert_eq!(answers(&mut house, &bob, &alice, &room), unknown);
    // Nor does it matter that he was there, is banned, or that it is full, locked and guarded.
    house.join(&bob, by_invite.clone()).unwrap();
    let ban = std::time::Duration::from_secs(1);
    house.kick(&alice, &room, &bob, Some(ban)).unwrap();
    house.join(&carol, by_invite).unwrap();
    house.update(&alice, everything).unwrap();
    assert_eq!(answers(&mut house, &bob, &alice, &room), unknown);
    assert!(house.list(&ListRooms::default()).rooms.is_empty());
    // An unlisted one is told apart by whoever knows its id.
    let unlisted = UpdateRoom {
        visibility: Some(Visibility::Unlisted),
        ..UpdateRoom::new(room.clone())
    };
    house.update(&alice, unlisted).unwrap();
    assert_ne!(answers(&mut house, &bob, &alice, &room), unknown);
}

#[test]
fn a_member_of_a_private_room_needs_no_invite_to_stay() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let lobby = house.lobby(&alice);
    house.enter(&bob, &lobby).unwrap();
    let private = UpdateRoom {
        visibility: Some(Visibility::Private),
        ..UpdateRoom::new(lobby.clone())
    };
    let room = house.update(&alice, private).unwrap();
    assert_eq!(house.enter(&bob, &lobby), Ok(room));
    house.leave(&bob, &lobby).unwrap();
    house.refusal(|house| house.enter(&bob, &lobby));
}
