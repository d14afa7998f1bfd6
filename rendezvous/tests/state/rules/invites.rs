use std::num::NonZeroU64;
use std::time::Duration;

use protocol_core::RoomId;
use rendezvous::events::{
    CreateInvite, CreateRoom, InviteError, JoinError, JoinRoom, LeaveReason, Room, Secret,
    UpdateRoom, Visibility,
};
use rendezvous::state::rooms::Invite;

use crate::house::{House, Peer};

const MILLISECOND: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_hours(24);

fn private(house: &mut House, host: &Peer) -> RoomId {
    let request = CreateRoom {
        visibility: Some(Visibility::Private),
        ..CreateRoom::new("lobby")
    };
    house.create(host, request).unwrap().id
}

fn join(house: &mut House, peer: &Peer, code: &Secret) -> Result<Room, JoinError> {
    house.join(peer, JoinRoom::by_invite(code.clone()))
}

#[track_caller]
fn assert_holds_no_more(house: &mut House, peer: &Peer, code: &Secret) {
    let error = house.refusal(|house| join(house, peer, code));
    assert_eq!(error, JoinError::RoomNotFound);
}

#[test]
fn a_private_room_is_joined_by_an_invite() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let room = private(&mut house, &alice);
    house.forget_news();
    let code = house.invite(&alice, &room, None, None).unwrap();
    house.assert_silent();
    assert_eq!(house.view(&room).rev, 1);
    assert_eq!(join(&mut house, &bob, &code).unwrap().rev, 2);
    // Where the room is named too, it is to be the one.
    let mut both = JoinRoom {
        room: Some(room),
        invite: Some(code),
        password: None,
    };
    house.join(&carol, both.clone()).unwrap();
    house.vanish(&carol, LeaveReason::Left);
    both.room = Some(house.lobby(&alice));
    let error = house.refusal(|house| house.join(&carol, both.clone()));
    assert_eq!(error, JoinError::RoomNotFound);
    let public = both.room.clone().unwrap();
    let unknown = JoinRoom {
        invite: Some(Secret::new("unknown")),
        ..JoinRoom::new(public)
    };
    let error = house.refusal(|house| house.join(&carol, unknown));
    assert_eq!(error, JoinError::RoomNotFound);
}

#[test]
fn only_the_host_invites() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let lobby = house.lobby(&alice);
    let nowhere = RoomId::new("nowhere").unwrap();
    for room in [&lobby, &nowhere] {
        let error = house.refusal(|house| house.invite(&bob, room, None, None));
        assert_eq!(error, InviteError::NotHost);
    }
    house.enter(&bob, &lobby).unwrap();
    let error = house.refusal(|house| house.invite(&bob, &lobby, None, None));
    assert_eq!(error, InviteError::NotHost);
}

#[test]
fn an_invite_holds_to_the_millisecond() {
    let longest = 30 * DAY;
    for (asked, granted) in [
        (Some(Duration::from_secs(5)), Duration::from_secs(5)),
        (None, DAY),
        (Some(longest), longest),
        (Some(longest + MILLISECOND), longest),
    ] {
        let mut house = House::new();
        let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
        let room = private(&mut house, &alice);
        let code = house.invite(&alice, &room, asked, None).unwrap();
        house.wait(granted.saturating_sub(MILLISECOND));
        join(&mut house, &bob, &code).unwrap();
        house.wait(MILLISECOND);
        assert_holds_no_more(&mut house, &carol, &code);
        // Whoever is in asks for nothing that is not theirs.
        join(&mut house, &bob, &code).unwrap();
    }
}

#[test]
fn the_longest_time_that_can_be_asked_for_is_cut() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let room = private(&mut house, &alice);
    let request = CreateInvite {
        room,
        ttl_ms: Some(NonZeroU64::MAX),
        uses: None,
    };
    let code = Secret::new("code");
    let invited = house.apply(&alice, Invite { code, request }).unwrap();
    house.wait(30 * DAY);
    assert_holds_no_more(&mut house, &bob, &invited.invite);
}

#[test]
fn each_new_member_is_a_use() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let room = private(&mut house, &alice);
    let code = house.invite(&alice, &room, None, Some(2)).unwrap();
    for _ in 0..3 {
        join(&mut house, &bob, &code).unwrap();
    }
    let locked = |locked| UpdateRoom {
        locked: Some(locked),
        ..UpdateRoom::new(room.clone())
    };
    house.update(&alice, locked(true)).unwrap();
    let error = house.refusal(|house| join(house, &carol, &code));
    assert_eq!(error, JoinError::RoomLocked);
    house.update(&alice, locked(false)).unwrap();
    join(&mut house, &carol, &code).unwrap();
    let late = house.peer("late");
    assert_holds_no_more(&mut house, &late, &code);
    // It answers those that are in, and lets nobody back.
    assert_eq!(join(&mut house, &bob, &code), Ok(house.view(&room)));
    house.leave(&bob, &room).unwrap();
    assert_holds_no_more(&mut house, &bob, &code);
}

#[test]
fn an_invite_without_a_number_of_uses_has_any() {
    let mut house = House::new();
    let alice = house.peer("alice");
    let room = private(&mut house, &alice);
    let code = house.invite(&alice, &room, None, None).unwrap();
    for number in 0..15 {
        let peer = house.peer(&format!("bob {number}"));
        join(&mut house, &peer, &code).unwrap();
    }
}

#[test]
fn an_invite_replaces_no_password_and_no_seat_and_lifts_no_ban() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let lobby = house.lobby_of(&alice, 2);
    let code = house.invite(&alice, &lobby, None, None).unwrap();
    let password = UpdateRoom {
        password: Some(Secret::new("swordfish")),
        ..UpdateRoom::new(lobby.clone())
    };
    house.update(&alice, password).unwrap();
    let error = house.refusal(|house| join(house, &bob, &code));
    assert_eq!(error, JoinError::BadPassword);
    let with_password = JoinRoom {
        password: Some(Secret::new("swordfish")),
        ..JoinRoom::by_invite(code.clone())
    };
    house.join(&bob, with_password.clone()).unwrap();
    let error = house.refusal(|house| house.join(&carol, with_password.clone()));
    assert_eq!(error, JoinError::RoomFull { max: 2 });
    house.kick(&alice, &lobby, &bob, Some(DAY)).unwrap();
    let error = house.refusal(|house| house.join(&bob, with_password));
    assert!(matches!(error, JoinError::Banned { .. }));
}

/// Invites of a private room, each for one millisecond longer than the one before.
fn invites(house: &mut House, host: &Peer, count: u32) -> (RoomId, Vec<Secret>) {
    let room = private(house, host);
    let codes = (0..count).map(|number| {
        let ttl = DAY + MILLISECOND * number;
        house.invite(host, &room, Some(ttl), None).unwrap()
    });
    let codes = codes.collect();
    (room, codes)
}

/// Whether somebody new can join by it.
fn holds(house: &mut House, code: &Secret) -> bool {
    let peer = house.peer("somebody");
    let result = join(house, &peer, code);
    house.vanish(&peer, LeaveReason::Left);
    result.is_ok()
}

#[test]
fn a_room_has_64_invites_and_then_the_first_to_end_leaves() {
    let mut house = House::new();
    let alice = house.peer("alice");
    let (room, codes) = invites(&mut house, &alice, 64);
    // Another room has its own.
    let (_, other) = invites(&mut house, &alice, 1);
    assert!(codes.iter().all(|code| holds(&mut house, code)));
    let last = house
        .invite(&alice, &room, Some(MILLISECOND), None)
        .unwrap();
    assert!(!holds(&mut house, &codes[0]));
    for code in codes[1..].iter().chain([&last, &other[0]]) {
        assert!(holds(&mut house, code));
    }
}

#[test]
fn of_invites_that_end_together_it_is_no_chance_which_one_leaves() {
    let left = [(); 2].map(|()| {
        let mut house = House::new();
        let alice = house.peer("alice");
        let room = private(&mut house, &alice);
        let codes: Vec<_> = (0..65)
            .map(|_| house.invite(&alice, &room, None, None).unwrap())
            .collect();
        let mut codes = codes.iter();
        let left = codes.find(|code| !holds(&mut house, code)).unwrap();
        assert!(codes.all(|code| holds(&mut house, code)));
        left.expose().to_owned()
    });
    assert_eq!(left[0], left[1]);
}

#[test]
fn invites_that_hold_no_more_make_place_first() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let (room, codes) = invites(&mut house, &alice, 63);
    let single = house.invite(&alice, &room, Some(2 * DAY), Some(1)).unwrap();
    join(&mut house, &bob, &single).unwrap();
    // It holds no more, but as long as there is place, it answers those who joined by it.
    assert!(join(&mut house, &bob, &single).is_ok());
    house.invite(&alice, &room, None, None).unwrap();
    assert!(codes.iter().all(|code| holds(&mut house, code)));
    assert_holds_no_more(&mut house, &bob, &single);
    // Now the first two end.
    house.wait(DAY + MILLISECOND);
    for _ in 0..2 {
        house.invite(&alice, &room, None, None).unwrap();
    }
    assert!(codes[2..].iter().all(|code| holds(&mut house, code)));
}

#[test]
fn invites_end_with_their_room_and_not_with_their_host() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let room = private(&mut house, &alice);
    let code = house.invite(&alice, &room, None, None).unwrap();
    join(&mut house, &bob, &code).unwrap();
    house.leave(&alice, &room).unwrap();
    join(&mut house, &carol, &code).unwrap();
    house.delete(&bob, &room).unwrap();
    for peer in [&alice, &bob, &carol] {
        assert_holds_no_more(&mut house, peer, &code);
    }
    assert!(!format!("{:?}", house.rooms).contains("room-"));
}
