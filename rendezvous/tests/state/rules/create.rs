use protocol_core::{Json, RoomId};
use rendezvous::events::{
    Capacity, CreateError, CreateRoom, JoinCause, LeaveReason, Meta, OnHostLeave, Player,
    PlayerStatus, Room, RoomNews, Secret, SelfJoined, Visibility,
};
use rendezvous::state::rooms::{Create, Created};

use crate::house::{House, assert_news};

fn with_nonce(nonce: &str) -> CreateRoom {
    CreateRoom {
        nonce: Some(nonce.to_owned()),
        ..CreateRoom::new("lobby")
    }
}

#[test]
fn the_creator_is_host_and_member_of_a_room_at_revision_1() {
    let mut house = House::new();
    let alice = house.peer("alice");
    let room = house.create(&alice, CreateRoom::new("lobby")).unwrap();
    let expected = Room {
        id: room.id.clone(),
        name: "lobby".to_owned(),
        host: alice.id().clone(),
        capacity: Capacity::new(16).unwrap(),
        visibility: Visibility::Public,
        locked: false,
        has_password: false,
        meta: Meta::default(),
        rev: 1,
        players: vec![Player {
            id: alice.id().clone(),
            name: None,
            status: PlayerStatus::Online,
            joined_rev: 1,
        }],
    };
    assert_eq!(room, expected);
    assert_eq!(house.view(&room.id), expected);
    let joined = SelfJoined::new(expected, JoinCause::Created);
    assert_news(&house.heard(&alice), &[RoomNews::SelfJoined(joined)]);
    assert_eq!(house.rooms.of_peer("alice"), [room.id]);
}

#[test]
fn a_room_is_as_it_was_asked_for() {
    let mut house = House::new();
    let alice = house.peer("alice");
    let meta = Meta::new(Json::parse(r#"{"map":"desert"}"#).unwrap()).unwrap();
    let request = CreateRoom {
        name: "Zoe\u{308}'s".to_owned(),
        capacity: Capacity::new(2),
        visibility: Some(Visibility::Unlisted),
        password: Some(Secret::new("swordfish")),
        meta: Some(meta.clone()),
        on_host_leave: Some(OnHostLeave::Close),
        nonce: Some("1".to_owned()),
    };
    let room = house.create(&alice, request).unwrap();
    assert_eq!(room.name, "Zoë's");
    assert_eq!(room.capacity.seats(), 2);
    assert_eq!(room.visibility, Visibility::Unlisted);
    assert!(room.has_password);
    assert_eq!(room.meta, meta);
}

#[test]
fn names_are_checked_and_need_not_be_unique() {
    let mut house = House::new();
    let alice = house.peer("alice");
    for (name, rule) in [
        ("", "is empty: give it 1 to 64 characters"),
        (" lobby", "starts with white space: leave it out"),
        (&"x".repeat(65), "has 65 characters: at most 64 are allowed"),
    ] {
        let error = house.refusal(|house| house.create(&alice, CreateRoom::new(name)));
        let rule = rule.to_owned();
        assert_eq!(error, CreateError::NameInvalid { rule });
    }
    for name in ["#lobby", "#lobby", &"x".repeat(64)] {
        let room = house.create(&alice, CreateRoom::new(name)).unwrap();
        assert_eq!(room.name, name);
    }
    assert_eq!(house.rooms.len(), 3);
}

#[test]
fn a_nonce_has_at_most_64_bytes() {
    let mut house = House::new();
    let alice = house.peer("alice");
    for longest in ["n".repeat(64), "ä".repeat(32)] {
        house.create(&alice, with_nonce(&longest)).unwrap();
        let longer = longest + "n";
        let error = house.refusal(|house| house.create(&alice, with_nonce(&longer)));
        assert_eq!(error, CreateError::NonceTooLong { bytes: 65 });
    }
}

#[test]
fn a_password_is_hashed_only_for_a_room_that_can_be_made() {
    let mut house = House::with_limits(1, 1);
    let alice = house.peer("alice");
    let mut create = Create {
        id: RoomId::new("room").unwrap(),
        request: CreateRoom {
            password: Some(Secret::new("swordfish")),
            ..with_nonce("1")
        },
        password: None,
    };
    let created = house.apply(&alice, create.clone()).unwrap();
    assert!(matches!(created, Created::Hash));
    assert!(house.rooms.is_empty());
    house.assert_silent();
    create.password = house.hash(create.request.password.as_ref());
    let created = house.apply(&alice, create.clone()).unwrap();
    assert!(matches!(created, Created::Is(room) if room.has_password));
    // The same room again takes no hash, and one that is refused takes none either.
    create.password = None;
    let created = house.apply(&alice, create.clone()).unwrap();
    assert!(matches!(created, Created::Is(_)));
    for (name, nonce, expected) in [
        ("", None, "NameInvalid"),
        ("lobby", Some("n".repeat(65)), "NonceTooLong"),
        ("lobby", None, "TooManyRooms"),
    ] {
        create.request.name = name.to_owned();
        create.request.nonce = nonce;
        let error = house.refusal(|house| house.apply(&alice, create.clone()));
        assert!(format!("{error:?}").starts_with(expected), "{error:?}");
    }
}

/// G8: create is deduplicated by `nonce`.
#[test]
fn the_same_nonce_answers_the_same_room_as_it_is_now() {
    let mut house = House::with_limits(1, 1);
    let [alice, bob] = house.peers(["alice", "bob"]);
    let room = house.create(&alice, with_nonce("1")).unwrap();
    house.enter(&bob, &room.id).unwrap();
    house.forget_news();
    // The limits, which allow for no other room, do not count for one that is there.
    let again = house.create(&alice, with_nonce("1")).unwrap();
    assert_eq!(again, house.view(&room.id));
    assert_eq!(again.rev, 2);
    house.assert_silent();
    assert_eq!(house.rooms.len(), 1);
}

#[test]
fn another_nonce_another_peer_or_none_makes_another_room() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let first = house.create(&alice, with_nonce("1")).unwrap().id;
    house.enter(&bob, &first).unwrap();
    for (peer, request) in [
        (&alice, with_nonce("2")),
        (&bob, with_nonce("1")),
        (&alice, CreateRoom::new("lobby")),
        (&alice, CreateRoom::new("lobby")),
    ] {
        assert_eq!(house.create(peer, request).unwrap().rev, 1);
    }
    assert_eq!(house.rooms.len(), 5);
}

#[test]
fn a_nonce_counts_while_its_creator_is_in_the_room() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let first = house.create(&alice, with_nonce("1")).unwrap().id;
    house.enter(&bob, &first).unwrap();
    house.vanish(&alice, LeaveReason::GraceExpired);
    let second = house.create(&alice, with_nonce("1")).unwrap().id;
    assert_ne!(second, first);
    house.leave(&alice, &second).unwrap();
    house.enter(&alice, &first).unwrap();
    assert_eq!(house.create(&alice, with_nonce("1")).unwrap().id, first);
}

/// The simulation found this, by seed 17951.
#[test]
fn of_two_rooms_with_one_nonce_the_one_that_it_is_longer_in_is_answered() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let first = house.create(&alice, with_nonce("1")).unwrap().id;
    house.enter(&bob, &first).unwrap();
    house.leave(&alice, &first).unwrap();
    let second = house.create(&alice, with_nonce("1")).unwrap().id;
    house.enter(&alice, &first).unwrap();
    assert_eq!(house.create(&alice, with_nonce("1")).unwrap().id, second);
    house.leave(&alice, &second).unwrap();
    assert_eq!(house.create(&alice, with_nonce("1")).unwrap().id, first);
}

#[test]
fn a_peer_is_in_no_more_rooms_than_may_be() {
    let mut house = House::with_limits(100, 8);
    let [alice, bob] = house.peers(["alice", "bob"]);
    let theirs = house.lobby(&bob);
    house.enter(&alice, &theirs).unwrap();
    let mine: Vec<_> = (1..8).map(|_| house.lobby(&alice)).collect();
    let create = CreateRoom::new("lobby");
    let error = house.refusal(|house| house.create(&alice, create.clone()));
    assert_eq!(error, CreateError::TooManyRooms { max: 8 });
    assert_eq!(
        error.to_string(),
        "you are in 8 rooms, as many as may be: leave one first"
    );
    house.leave(&alice, &mine[3]).unwrap();
    house.create(&alice, create).unwrap();
}

#[test]
fn there_are_no_more_rooms_than_may_be() {
    let mut house = House::with_limits(3, 8);
    let [alice, bob] = house.peers(["alice", "bob"]);
    let rooms: Vec<_> = (0..3).map(|_| house.lobby(&alice)).collect();
    let create = CreateRoom::new("lobby");
    let error = house.refusal(|house| house.create(&bob, create.clone()));
    assert_eq!(error, CreateError::ServerFull { max: 3 });
    // Her own limit is told first, since she can do something about it.
    let mut small = House::with_limits(1, 1);
    small.lobby(&alice);
    let error = small.refusal(|house| house.create(&alice, create.clone()));
    assert_eq!(error, CreateError::TooManyRooms { max: 1 });
    house.delete(&alice, &rooms[0]).unwrap();
    house.create(&bob, create).unwrap();
}
