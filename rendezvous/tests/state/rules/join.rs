use std::time::Duration;

use protocol_core::RoomId;
use rendezvous::events::{
    CreateRoom, JoinCause, JoinError, JoinRoom, PlayerJoined, RoomNews, Secret, SelfJoined,
    UpdateRoom, Visibility,
};

use crate::house::{House, assert_news};

/// G3: `self_joined` is the first that a member hears; G4: it hears nothing else of its own joining.
#[test]
fn a_join_is_heard_by_all_once() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let lobby = house.lobby(&alice);
    house.enter(&bob, &lobby).unwrap();
    house.forget_news();
    let room = house.enter(&carol, &lobby).unwrap();
    assert_eq!(room, house.view(&lobby));
    assert_eq!(room.rev, 3);
    let ids: Vec<_> = room.players.iter().map(|player| &*player.id).collect();
    assert_eq!(ids, ["alice", "bob", "carol"]);
    let joined = RoomNews::PlayerJoined(PlayerJoined {
        room: lobby.clone(),
        rev: 3,
        player: room.players[2].clone(),
    });
    let mine = SelfJoined::new(room, JoinCause::Joined);
    assert_news(&house.heard(&carol), &[RoomNews::SelfJoined(mine)]);
    assert_news(&house.heard(&alice), std::slice::from_ref(&joined));
    assert_news(&house.heard(&bob), &[joined]);
    house.assert_silent();
}

/// G8: a repeated join answers the room, whatever would keep others out.
#[test]
fn a_repeated_join_answers_the_room_and_is_not_heard() {
    let mut house = House::with_limits(10, 1);
    let [alice, bob] = house.peers(["alice", "bob"]);
    let lobby = house.lobby_of(&alice, 2);
    house.enter(&bob, &lobby).unwrap();
    let change = UpdateRoom {
        locked: Some(true),
        visibility: Some(Visibility::Private),
        password: Some(Secret::new("swordfish")),
        ..UpdateRoom::new(lobby.clone())
    };
    let room = house.update(&alice, change).unwrap();
    house.forget_news();
    for peer in [&alice, &bob] {
        assert_eq!(house.enter(peer, &lobby), Ok(room.clone()));
    }
    house.assert_silent();
    assert_eq!(house.view(&lobby), room);
}

#[test]
fn refusals_come_in_this_order() {
    let mut house = House::with_limits(10, 1);
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let lobby = house.lobby_of(&alice, 2);
    house.enter(&bob, &lobby).unwrap();
    let ban = Duration::from_secs(1);
    house.kick(&alice, &lobby, &bob, Some(ban)).unwrap();
    house.enter(&carol, &lobby).unwrap();
    let code = house.invite(&alice, &lobby, None, None).unwrap();
    let everything = UpdateRoom {
        locked: Some(true),
        visibility: Some(Visibility::Private),
        password: Some(Secret::new("swordfish")),
        ..UpdateRoom::new(lobby.clone())
    };
    house.update(&alice, everything).unwrap();
    let own = house.lobby(&bob);
    let with = |invite: Option<&Secret>, password: &str| JoinRoom {
        room: Some(lobby.clone()),
        invite: invite.cloned(),
        password: Some(Secret::new(password)),
    };
    // Each time, the first is set right, and all the others are still wrong.
    let refusal =
        |house: &mut House, request: JoinRoom| house.refusal(|house| house.join(&bob, request));
    let error = refusal(&mut house, with(None, "wrong"));
    assert_eq!(error, JoinError::RoomNotFound);
    let error = refusal(&mut house, with(Some(&code), "wrong"));
    assert_eq!(error, JoinError::Banned { for_ms: 1_000 });
    house.wait(ban);
    let error = refusal(&mut house, with(Some(&code), "wrong"));
    assert_eq!(error, JoinError::RoomLocked);
    let unlocked = UpdateRoom {
        locked: Some(false),
        ..UpdateRoom::new(lobby.clone())
    };
    house.update(&alice, unlocked).unwrap();
    for wrong in ["", "wrong", "swordfis", "swordfishh"] {
        let error = refusal(&mut house, with(Some(&code), wrong));
        assert_eq!(error, JoinError::BadPassword, "{wrong:?}");
    }
    let error = refusal(&mut house, with(Some(&code), "swordfish"));
    assert_eq!(error, JoinError::RoomFull { max: 2 });
    house.leave(&carol, &lobby).unwrap();
    let error = refusal(&mut house, with(Some(&code), "swordfish"));
    assert_eq!(error, JoinError::TooManyRooms { max: 1 });
    house.leave(&bob, &own).unwrap();
    house.join(&bob, with(Some(&code), "swordfish")).unwrap();
}

#[test]
fn unlisted_rooms_are_joined_by_id_and_unknown_ones_are_not() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let request = CreateRoom {
        visibility: Some(Visibility::Unlisted),
        ..CreateRoom::new("lobby")
    };
    let lobby = house.create(&alice, request).unwrap().id;
    house.enter(&bob, &lobby).unwrap();
    let nowhere = JoinRoom::new(RoomId::new("nowhere").unwrap());
    let nothing = JoinRoom {
        room: None,
        ..nowhere.clone()
    };
    for request in [nowhere, nothing] {
        let error = house.refusal(|house| house.join(&bob, request));
        assert_eq!(error, JoinError::RoomNotFound);
    }
}

#[test]
fn a_room_of_one_takes_nobody_else() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let lobby = house.lobby_of(&alice, 1);
    let error = house.refusal(|house| house.enter(&bob, &lobby));
    assert_eq!(error, JoinError::RoomFull { max: 1 });
}

#[test]
fn a_room_takes_1000_players() {
    let mut house = House::new();
    let alice = house.peer("alice");
    let lobby = house.lobby_of(&alice, 1_000);
    for number in 1..1_000 {
        let peer = house.peer(&format!("bob {number}"));
        house.enter(&peer, &lobby).unwrap();
    }
    // She created it, and all others came after her.
    assert_eq!(house.heard(&alice).len(), 1_000);
    house.forget_news();
    let carol = house.peer("carol");
    let error = house.refusal(|house| house.enter(&carol, &lobby));
    assert_eq!(error, JoinError::RoomFull { max: 1_000 });
    house.leave(&alice, &lobby).unwrap();
    house.enter(&carol, &lobby).unwrap();
    assert_eq!(house.view(&lobby).players.len(), 1_000);
}

/// G9.
#[test]
fn of_1000_who_want_the_last_seat_one_gets_it() {
    let mut house = House::new();
    let alice = house.peer("alice");
    let lobby = house.lobby_of(&alice, 2);
    let results: Vec<_> = (0..1_000)
        .map(|number| {
            let peer = house.peer(&format!("bob {number}"));
            house.enter(&peer, &lobby)
        })
        .collect();
    assert!(results[0].is_ok());
    let full = Err(JoinError::RoomFull { max: 2 });
    assert!(results[1..].iter().all(|result| *result == full));
    assert_eq!(house.view(&lobby).rev, 2);
    assert_eq!(house.heard(&alice).len(), 2);
}

#[test]
fn a_peer_joins_no_more_rooms_than_may_be() {
    let mut house = House::with_limits(100, 8);
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let rooms: Vec<_> = (0..8).map(|_| house.lobby(&alice)).collect();
    let ninth = house.lobby(&carol);
    for (place, room) in rooms.iter().enumerate() {
        house.enter(&bob, room).unwrap();
        assert_eq!(house.rooms.of_peer("bob"), &rooms[..=place]);
    }
    let error = house.refusal(|house| house.enter(&bob, &ninth));
    assert_eq!(error, JoinError::TooManyRooms { max: 8 });
    // A room that ends counts no more.
    house.delete(&alice, &rooms[2]).unwrap();
    house.enter(&bob, &ninth).unwrap();
    assert_eq!(house.rooms.of_peer("bob").last(), Some(&ninth));
    assert_eq!(house.rooms.of_peer("bob").len(), 8);
}

#[test]
fn who_is_where_is_known() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let [first, second] = [house.lobby(&alice), house.lobby(&carol)];
    house.enter(&bob, &first).unwrap();
    let rooms = &house.rooms;
    assert!(rooms.share_room("alice", "bob") && rooms.share_room("bob", "alice"));
    assert!(!rooms.share_room("alice", "carol") && !rooms.share_room("bob", "nobody"));
    assert!(rooms.is_member(&first, "bob") && !rooms.is_member(&second, "bob"));
    assert!(!rooms.is_member("nowhere", "bob"));
    let others = |peer| Some(rooms.others(&first, peer)?.copied().collect::<Vec<_>>());
    assert_eq!(others("bob"), Some(vec![alice.line]));
    assert_eq!(others("carol"), None);
    house.leave(&bob, &first).unwrap();
    assert!(!house.rooms.share_room("alice", "bob"));
    assert!(house.rooms.of_peer("bob").is_empty());
}
