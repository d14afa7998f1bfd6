use protocol_core::{Json, RoomId};
use rendezvous::events::{
    Capacity, JoinError, Meta, Room, RoomNews, RoomUpdated, Secret, UpdateError, UpdateRoom,
    Visibility,
};
use rendezvous::state::rooms::{PasswordHash, Update, Updated};

use crate::house::{House, assert_news};

fn meta(json: &str) -> Meta {
    Meta::new(Json::parse(json).unwrap()).unwrap()
}

#[test]
fn each_setting_is_changed_alone_and_heard_by_all() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let lobby = house.lobby(&alice);
    let before = house.enter(&bob, &lobby).unwrap();
    house.forget_news();
    let none = || UpdateRoom::new(lobby.clone());
    let mut expected = before;
    let mut step = |house: &mut House, change: UpdateRoom, apply: &dyn Fn(&mut Room)| {
        apply(&mut expected);
        expected.rev += 1;
        assert_eq!(house.update(&alice, change), Ok(expected.clone()));
        assert_eq!(house.view(&lobby), expected);
        let updated = RoomNews::RoomUpdated(RoomUpdated(expected.clone()));
        for peer in [&alice, &bob] {
            assert_news(&house.heard(peer), std::slice::from_ref(&updated));
        }
    };
    let mut change = none();
    change.name = Some("Cafe\u{301}".to_owned());
    step(&mut house, change, &|room| room.name = "Café".to_owned());
    let mut change = none();
    change.capacity = Capacity::new(2);
    step(&mut house, change, &|room| {
        room.capacity = Capacity::new(2).unwrap();
    });
    let mut change = none();
    change.locked = Some(true);
    step(&mut house, change, &|room| room.locked = true);
    let mut change = none();
    change.visibility = Some(Visibility::Private);
    step(&mut house, change, &|room| {
        room.visibility = Visibility::Private;
    });
    let mut change = none();
    change.meta = Some(meta("[1]"));
    step(&mut house, change, &|room| room.meta = meta("[1]"));
    let mut change = none();
    change.password = Some(Secret::new("swordfish"));
    step(&mut house, change.clone(), &|room| room.has_password = true);
    // The same password again is a change, since nobody can tell.
    step(&mut house, change, &|_| {});
    let mut change = none();
    change.password = Some(Secret::new(""));
    step(&mut house, change, &|room| room.has_password = false);
}

#[test]
fn all_settings_are_changed_in_one_revision() {
    let mut house = House::new();
    let alice = house.peer("alice");
    let lobby = house.lobby(&alice);
    house.forget_news();
    let change = UpdateRoom {
        room: lobby.clone(),
        if_rev: Some(1),
        name: Some("den".to_owned()),
        capacity: Capacity::new(1),
        locked: Some(true),
        visibility: Some(Visibility::Unlisted),
        password: Some(Secret::new("swordfish")),
        meta: Some(meta("{}")),
    };
    let room = house.update(&alice, change).unwrap();
    assert_eq!((room.rev, &*room.name, room.locked), (2, "den", true));
    assert_eq!(house.heard(&alice).len(), 1);
}

#[test]
fn what_changes_nothing_is_no_revision() {
    let mut house = House::new();
    let alice = house.peer("alice");
    let lobby = house.lobby(&alice);
    let before = house.view(&lobby);
    house.forget_news();
    let same = UpdateRoom {
        room: lobby.clone(),
        if_rev: Some(1),
        name: Some("lobby".to_owned()),
        capacity: Capacity::new(16),
        locked: Some(false),
        visibility: Some(Visibility::Public),
        password: Some(Secret::new("")),
        meta: Some(Meta::default()),
    };
    for change in [same, UpdateRoom::new(lobby.clone())] {
        assert_eq!(house.update(&alice, change), Ok(before.clone()));
        house.assert_silent();
        assert_eq!(house.view(&lobby), before);
    }
}

#[test]
fn refusals_come_in_this_order() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let lobby = house.lobby(&alice);
    house.enter(&bob, &lobby).unwrap();
    let mut change = UpdateRoom {
        room: RoomId::new("nowhere").unwrap(),
        if_rev: Some(1),
        name: Some(String::new()),
        capacity: Capacity::new(1),
        locked: Some(true),
        visibility: Some(Visibility::Private),
        password: Some(Secret::new("swordfish")),
        meta: Some(meta("[1]")),
    };
    let error = house.refusal(|house| house.update(&bob, change.clone()));
    assert_eq!(error, UpdateError::RoomNotFound);
    change.room = lobby.clone();
    for peer in [&bob, &carol] {
        let error = house.refusal(|house| house.update(peer, change.clone()));
        assert_eq!(error, UpdateError::NotHost);
    }
    for stale in [0, 1, 3, u64::MAX] {
        change.if_rev = Some(stale);
        let error = house.refusal(|house| house.update(&alice, change.clone()));
        assert_eq!(error, UpdateError::StaleRev { rev: 2 });
    }
    change.if_rev = Some(2);
    let error = house.refusal(|house| house.update(&alice, change.clone()));
    let rule = "is empty: give it 1 to 64 characters".to_owned();
    assert_eq!(error, UpdateError::NameInvalid { rule });
    change.name = Some("den".to_owned());
    let error = house.refusal(|house| house.update(&alice, change.clone()));
    assert_eq!(error, UpdateError::CapacityTooLow { players: 2 });
    change.capacity = Capacity::new(2);
    assert_eq!(house.update(&alice, change.clone()).unwrap().rev, 3);
    let error = house.refusal(|house| house.update(&alice, change));
    assert_eq!(error, UpdateError::StaleRev { rev: 3 });
}

/// A password is hashed in between, and what was judged before that is judged again.
#[test]
fn a_password_is_hashed_before_anything_changes() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let lobby = house.lobby(&alice);
    let before = house.enter(&bob, &lobby).unwrap();
    house.forget_news();
    let request = UpdateRoom {
        if_rev: Some(2),
        name: Some("den".to_owned()),
        password: Some(Secret::new("swordfish")),
        ..UpdateRoom::new(lobby.clone())
    };
    let mut update = Update {
        request,
        password: None,
    };
    let updated = house.apply(&alice, update.clone());
    assert!(matches!(updated, Ok(Updated::Hash)));
    house.assert_silent();
    assert_eq!(house.view(&lobby), before);
    update.password = Some(PasswordHash::new("swordfish$1"));
    house.appoint(&alice, &lobby, &bob).unwrap();
    let error = house.refusal(|house| house.apply(&alice, update.clone()));
    assert_eq!(error, UpdateError::NotHost);
    house.appoint(&bob, &lobby, &alice).unwrap();
    let error = house.refusal(|house| house.apply(&alice, update.clone()));
    assert_eq!(error, UpdateError::StaleRev { rev: 4 });
    update.request.if_rev = Some(4);
    let updated = house.apply(&alice, update).unwrap();
    assert!(matches!(updated, Updated::Is(room) if room.rev == 5 && room.has_password));
}

#[test]
fn a_lock_keeps_others_out_and_nobody_in() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let lobby = house.lobby(&alice);
    house.enter(&bob, &lobby).unwrap();
    let locked = UpdateRoom {
        locked: Some(true),
        ..UpdateRoom::new(lobby.clone())
    };
    house.update(&alice, locked).unwrap();
    house.leave(&bob, &lobby).unwrap();
    let error = house.refusal(|house| house.enter(&bob, &lobby));
    assert_eq!(error, JoinError::RoomLocked);
}

#[test]
fn a_capacity_goes_down_to_the_players_that_are_there() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let lobby = house.lobby(&alice);
    house.enter(&bob, &lobby).unwrap();
    let seats = |seats| UpdateRoom {
        capacity: Capacity::new(seats),
        ..UpdateRoom::new(lobby.clone())
    };
    let error = house.refusal(|house| house.update(&alice, seats(1)));
    assert_eq!(error, UpdateError::CapacityTooLow { players: 2 });
    house.update(&alice, seats(2)).unwrap();
    let error = house.refusal(|house| house.enter(&carol, &lobby));
    assert_eq!(error, JoinError::RoomFull { max: 2 });
    house.update(&alice, seats(3)).unwrap();
    house.enter(&carol, &lobby).unwrap();
}
