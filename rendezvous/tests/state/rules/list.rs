use std::collections::BTreeSet;

use protocol_core::{Json, RoomId};
use rendezvous::events::{
    Capacity, CreateRoom, Cursor, ListRooms, Meta, RoomList, RoomSummary, Secret, UpdateRoom,
    Visibility,
};

use crate::house::{House, Peer};

fn rooms(house: &mut House, host: &Peer, count: usize) -> Vec<RoomId> {
    (0..count).map(|_| house.lobby(host)).collect()
}

fn list(house: &House, limit: Option<usize>, cursor: Option<Cursor>) -> RoomList {
    let request = ListRooms {
        filter: None,
        limit,
        cursor,
    };
    house.list(&request)
}

fn ids(list: &RoomList) -> Vec<RoomId> {
    list.rooms.iter().map(|room| room.id.clone()).collect()
}

fn named(house: &House, filter: &str) -> Vec<String> {
    let request = ListRooms {
        filter: Some(filter.to_owned()),
        ..ListRooms::default()
    };
    let list = house.list(&request);
    assert_eq!(list.cursor, None);
    list.rooms.into_iter().map(|room| room.name).collect()
}

/// Each part, until there is none.
fn walk(house: &House, limit: usize) -> Vec<RoomId> {
    let (mut walked, mut cursor) = (Vec::new(), None);
    loop {
        let part = list(house, Some(limit), cursor);
        walked.extend(ids(&part));
        assert!(walked.len() <= house.rooms.len(), "some come twice");
        cursor = part.cursor;
        if cursor.is_none() {
            return walked;
        }
    }
}

#[test]
fn a_list_says_all_of_a_room_but_who_is_in_it() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let meta = Meta::new(Json::parse("[1]").unwrap()).unwrap();
    let request = CreateRoom {
        capacity: Capacity::new(3),
        password: Some(Secret::new("swordfish")),
        meta: Some(meta.clone()),
        ..CreateRoom::new("Lobby")
    };
    let room = house.create(&alice, request).unwrap().id;
    let second = house.lobby(&alice);
    house.enter(&bob, &second).unwrap();
    let list = list(&house, None, None);
    let summary = RoomSummary {
        id: room,
        name: "Lobby".to_owned(),
        host: alice.id().clone(),
        capacity: Capacity::new(3).unwrap(),
        visibility: Visibility::Public,
        locked: false,
        has_password: true,
        meta,
        rev: 1,
        players: 1,
    };
    assert_eq!(list.rooms[0], summary);
    assert_eq!((&list.rooms[1].id, list.rooms[1].players), (&second, 2));
    assert_eq!(list.cursor, None);
}

#[test]
fn a_list_has_50_rooms_or_as_many_as_asked_for_up_to_100() {
    let mut house = House::with_limits(1_000, 1_000);
    let alice = house.peer("alice");
    let all = rooms(&mut house, &alice, 101);
    for (asked, given) in [
        (None, 50),
        (Some(0), 1),
        (Some(1), 1),
        (Some(50), 50),
        (Some(99), 99),
        (Some(100), 100),
        (Some(101), 100),
        (Some(usize::MAX), 100),
    ] {
        let part = list(&house, asked, None);
        assert_eq!(ids(&part), all[..given], "{asked:?}");
        assert!(part.cursor.is_some());
    }
    house.delete(&alice, &all[0]).unwrap();
    let part = list(&house, Some(100), None);
    assert_eq!(ids(&part), all[1..]);
    assert_eq!(part.cursor, None, "there are no more");
}

#[test]
fn a_walk_sees_each_room_once_the_oldest_first() {
    let mut house = House::with_limits(1_000, 1_000);
    let alice = house.peer("alice");
    let all = rooms(&mut house, &alice, 25);
    for limit in [1, 2, 5, 24, 25, 26] {
        assert_eq!(walk(&house, limit), all);
    }
}

#[test]
fn a_walk_goes_on_while_rooms_come_and_go() {
    let mut house = House::with_limits(1_000, 1_000);
    let alice = house.peer("alice");
    let all = rooms(&mut house, &alice, 9);
    let first = list(&house, Some(3), None);
    assert_eq!(ids(&first), all[..3]);
    // The room that the cursor stands at goes, as do one before and one behind.
    for place in [0, 2, 4] {
        house.delete(&alice, &all[place]).unwrap();
    }
    let new = house.lobby(&alice);
    let second = list(&house, Some(3), first.cursor);
    assert_eq!(
        ids(&second),
        [all[3].clone(), all[5].clone(), all[6].clone()]
    );
    let third = list(&house, Some(3), second.cursor);
    assert_eq!(ids(&third), [all[7].clone(), all[8].clone(), new.clone()]);
    assert_eq!(third.cursor, None);
    // A cursor holds for ever, even behind the last room.
    let again = list(&house, Some(3), second.cursor);
    assert_eq!(again, third);
    for room in [&all[7], &all[8], &new] {
        house.delete(&alice, room).unwrap();
    }
    assert_eq!(list(&house, Some(3), second.cursor).rooms, []);
    let end: Cursor = "ffffffffffffffff".parse().unwrap();
    assert_eq!(list(&house, None, Some(end)).rooms, []);
}

#[test]
fn a_filter_is_a_part_of_the_folded_name() {
    let mut house = House::with_limits(1_000, 1_000);
    let alice = house.peer("alice");
    for name in ["Straße", "ＣＡＦＥ", "cafe\u{301}teria", "#1"] {
        house.create(&alice, CreateRoom::new(name)).unwrap();
    }
    for (filter, fitting) in [
        ("", &["Straße", "ＣＡＦＥ", "caféteria", "#1"][..]),
        ("STRASSE", &["Straße"]),
        ("raß", &["Straße"]),
        ("ｃａｆ", &["ＣＡＦＥ", "caféteria"]),
        ("CAFÉ", &["caféteria"]),
        ("cafe\u{301}", &["caféteria"]),
        ("cafe", &["ＣＡＦＥ"]),
        ("#", &["#1"]),
        ("2", &[]),
    ] {
        assert_eq!(named(&house, filter), fitting, "{filter:?}");
    }
    // One that fits no name is no reason to fold it.
    let invisible = "\u{200B}".repeat(85);
    assert_eq!(named(&house, &format!("{invisible}#")).len(), 1);
    assert!(named(&house, &format!("{invisible}#1")).is_empty());
}

fn show(house: &mut House, host: &Peer, room: &RoomId, visibility: Visibility) {
    let change = UpdateRoom {
        visibility: Some(visibility),
        ..UpdateRoom::new(room.clone())
    };
    house.update(host, change).unwrap();
}

#[test]
fn only_public_rooms_are_listed_in_the_order_in_which_they_became_so() {
    let mut house = House::with_limits(1_000, 1_000);
    let alice = house.peer("alice");
    let all = rooms(&mut house, &alice, 3);
    show(&mut house, &alice, &all[0], Visibility::Unlisted);
    show(&mut house, &alice, &all[1], Visibility::Private);
    assert_eq!(ids(&list(&house, None, None)), all[2..]);
    show(&mut house, &alice, &all[0], Visibility::Public);
    assert_eq!(
        ids(&list(&house, None, None)),
        [all[2].clone(), all[0].clone()]
    );
    // What was public stays where it is.
    show(&mut house, &alice, &all[2], Visibility::Public);
    assert_eq!(
        ids(&list(&house, None, None)),
        [all[2].clone(), all[0].clone()]
    );
}

#[test]
fn rooms_are_listed_as_they_are_now() {
    let mut house = House::with_limits(1_000, 1_000);
    let alice = house.peer("alice");
    let lobby = house.lobby(&alice);
    let change = UpdateRoom {
        name: Some("den".to_owned()),
        locked: Some(true),
        ..UpdateRoom::new(lobby)
    };
    house.update(&alice, change).unwrap();
    let list = list(&house, None, None);
    let [room] = &list.rooms[..] else {
        panic!("{list:?}");
    };
    assert_eq!((&*room.name, room.locked, room.rev), ("den", true, 2));
    assert_eq!(named(&house, "den"), ["den"]);
    assert!(named(&house, "lobby").is_empty());
}

/// Neither a cursor nor its text says that there are others.
#[test]
fn rooms_that_are_not_public_leave_no_trace_in_lists() {
    let texts = [0, 3].map(|hidden| {
        let mut house = House::with_limits(1_000, 1_000);
        let alice = house.peer("alice");
        let hide = |house: &mut House| {
            for _ in 0..hidden {
                let request = CreateRoom {
                    visibility: Some(Visibility::Private),
                    ..CreateRoom::new("den")
                };
                house.create(&alice, request).unwrap();
            }
        };
        let bob = house.peer("bob");
        hide(&mut house);
        house.lobby(&bob);
        hide(&mut house);
        house.lobby(&bob);
        hide(&mut house);
        let first = list(&house, Some(1), None);
        let second = list(&house, Some(1), first.cursor);
        assert_eq!(second.cursor, None);
        first.cursor.unwrap().to_string()
    });
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn one_list_is_cut_by_bytes() {
    let mut house = House::with_limits(1_000, 1_000);
    let alice = house.peer("alice");
    let text = format!("\"{}\"", "x".repeat(Meta::MAX_BYTES - 2));
    let meta = Meta::new(Json::parse(&text).unwrap()).unwrap();
    for _ in 0..40 {
        let request = CreateRoom {
            meta: Some(meta.clone()),
            ..CreateRoom::new("x".repeat(64))
        };
        house.create(&alice, request).unwrap();
    }
    let part = list(&house, Some(100), None);
    let bytes = serde_json::to_string(&part).unwrap().len();
    assert!((60_000..=72 * 1_024).contains(&bytes), "{bytes}");
    assert!(part.cursor.is_some());
    let walked = walk(&house, 100);
    assert_eq!(walked.len(), 40);
    assert_eq!(walked.into_iter().collect::<BTreeSet<_>>().len(), 40);
}

#[test]
fn one_list_looks_at_1000_rooms() {
    let mut house = House::with_limits(10_000, 10_000);
    let alice = house.peer("alice");
    rooms(&mut house, &alice, 1_000);
    house.create(&alice, CreateRoom::new("den")).unwrap();
    let mut request = ListRooms {
        filter: Some("den".to_owned()),
        ..ListRooms::default()
    };
    let part = house.list(&request);
    assert!(part.rooms.is_empty());
    request.cursor = part.cursor;
    assert!(request.cursor.is_some());
    let rest = house.list(&request);
    assert_eq!((rest.rooms.len(), rest.cursor), (1, None));
}
