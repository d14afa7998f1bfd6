use std::time::Duration;

use protocol_core::RoomId;
use rendezvous::events::{JoinError, KickPlayer, LeaveReason};
use rendezvous::state::rooms::Kick;

use crate::house::{House, Peer};

const MILLISECOND: Duration = Duration::from_millis(1);
const YEAR: Duration = Duration::from_hours(365 * 24);

#[test]
fn a_ban_holds_to_the_millisecond_and_says_for_how_long() {
    for (asked, granted) in [
        (MILLISECOND, MILLISECOND),
        (Duration::from_secs(5), Duration::from_secs(5)),
        (YEAR, YEAR),
        (YEAR + MILLISECOND, YEAR),
    ] {
        let mut house = House::new();
        let [alice, bob] = house.peers(["alice", "bob"]);
        let lobby = house.lobby(&alice);
        house.enter(&bob, &lobby).unwrap();
        house.kick(&alice, &lobby, &bob, Some(asked)).unwrap();
        let for_ms = u64::try_from(granted.as_millis()).unwrap();
        let error = house.refusal(|house| house.enter(&bob, &lobby));
        assert_eq!(error, JoinError::Banned { for_ms });
        house.wait(granted.saturating_sub(MILLISECOND));
        let error = house.refusal(|house| house.enter(&bob, &lobby));
        assert_eq!(error, JoinError::Banned { for_ms: 1 });
        house.wait(MILLISECOND);
        house.enter(&bob, &lobby).unwrap();
    }
}

/// Whoever waits for as long as they were told gets in.
#[test]
fn the_time_of_a_ban_is_never_told_too_short() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let lobby = house.lobby(&alice);
    house.enter(&bob, &lobby).unwrap();
    house
        .kick(&alice, &lobby, &bob, Some(2 * MILLISECOND))
        .unwrap();
    house.wait(Duration::from_nanos(1));
    let error = house.refusal(|house| house.enter(&bob, &lobby));
    assert_eq!(error, JoinError::Banned { for_ms: 2 });
    house.wait(Duration::from_nanos(1_999_998));
    let error = house.refusal(|house| house.enter(&bob, &lobby));
    assert_eq!(error, JoinError::Banned { for_ms: 1 });
    house.wait(Duration::from_nanos(1));
    house.enter(&bob, &lobby).unwrap();
}

#[test]
fn the_longest_ban_that_can_be_asked_for_is_cut() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let lobby = house.lobby(&alice);
    house.enter(&bob, &lobby).unwrap();
    let request = KickPlayer {
        room: lobby.clone(),
        player: bob.id().clone(),
        ban_ms: Some(u64::MAX),
        message: None,
    };
    house.apply(&alice, Kick(request)).unwrap();
    house.wait(YEAR);
    house.enter(&bob, &lobby).unwrap();
}

#[test]
fn no_ban_and_one_of_no_time_let_the_player_come_back() {
    let mut house = House::new();
    let [alice, bob] = house.peers(["alice", "bob"]);
    let lobby = house.lobby(&alice);
    for ban in [None, Some(Duration::ZERO)] {
        house.enter(&bob, &lobby).unwrap();
        house.kick(&alice, &lobby, &bob, ban).unwrap();
    }
    house.enter(&bob, &lobby).unwrap();
}

#[test]
fn a_ban_is_of_all_names_that_count_as_the_same() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "Bob", "carol"]);
    let lobby = house.lobby(&alice);
    house.enter(&bob, &lobby).unwrap();
    house.kick(&alice, &lobby, &bob, Some(YEAR)).unwrap();
    for twin in ["Bob", "bob", "BOB", "ｂｏｂ", "b\u{200B}ob"] {
        let twin = house.peer(twin);
        let error = house.refusal(|house| house.enter(&twin, &lobby));
        assert!(matches!(error, JoinError::Banned { .. }));
    }
    house.enter(&carol, &lobby).unwrap();
}

#[test]
fn a_ban_is_of_one_room_and_outlives_its_host() {
    let mut house = House::new();
    let [alice, bob, carol] = house.peers(["alice", "bob", "carol"]);
    let [lobby, other] = [house.lobby(&alice), house.lobby(&alice)];
    house.enter(&carol, &lobby).unwrap();
    house.enter(&bob, &lobby).unwrap();
    house.kick(&alice, &lobby, &bob, Some(YEAR)).unwrap();
    house.leave(&alice, &lobby).unwrap();
    let error = house.refusal(|house| house.enter(&bob, &lobby));
    assert!(matches!(error, JoinError::Banned { .. }));
    house.enter(&bob, &other).unwrap();
}

/// A room with 1,000 bans, of "bob 0" to "bob 999", each for as long as `time` says.
fn full_of_bans(house: &mut House, time: impl Fn(u32) -> Duration) -> (Peer, RoomId) {
    let alice = house.peer("alice");
    let lobby = house.lobby(&alice);
    for number in 0..1_000 {
        let peer = house.peer(&format!("bob {number}"));
        ban(house, &alice, &lobby, &peer, time(number));
    }
    house.forget_news();
    (alice, lobby)
}

fn ban(house: &mut House, host: &Peer, room: &RoomId, peer: &Peer, time: Duration) {
    house.enter(peer, room).unwrap();
    house.kick(host, room, peer, Some(time)).unwrap();
}

/// One millisecond more for each.
fn one_after_another(number: u32) -> Duration {
    YEAR / 2 + MILLISECOND * number
}

fn is_banned(house: &mut House, room: &RoomId, number: u32) -> bool {
    let peer = house.peer(&format!("bob {number}"));
    let result = house.enter(&peer, room);
    house.vanish(&peer, LeaveReason::Left);
    matches!(result, Err(JoinError::Banned { .. }))
}

#[test]
fn a_room_keeps_1000_bans_and_then_the_first_to_end_leaves() {
    let mut house = House::new();
    let (alice, lobby) = full_of_bans(&mut house, one_after_another);
    assert!((0..1_000).all(|number| is_banned(&mut house, &lobby, number)));
    let last = house.peer("bob 1000");
    ban(&mut house, &alice, &lobby, &last, YEAR);
    assert!(!is_banned(&mut house, &lobby, 0));
    assert!((1..=1_000).all(|number| is_banned(&mut house, &lobby, number)));
}

#[test]
fn of_bans_that_end_together_it_is_no_chance_which_one_leaves() {
    let free = [(); 2].map(|()| {
        let mut house = House::new();
        let (alice, lobby) = full_of_bans(&mut house, |_| YEAR);
        let last = house.peer("bob 1000");
        ban(&mut house, &alice, &lobby, &last, YEAR);
        let mut free = (0..=1_000).filter(|number| !is_banned(&mut house, &lobby, *number));
        [free.next(), free.next()]
    });
    assert_eq!(free[0], free[1]);
    assert!(matches!(free[0], [Some(_), None]));
}

#[test]
fn a_ban_of_no_time_takes_no_other_ones_place() {
    let mut house = House::new();
    let (alice, lobby) = full_of_bans(&mut house, one_after_another);
    let carol = house.peer("carol");
    ban(&mut house, &alice, &lobby, &carol, Duration::ZERO);
    assert!(is_banned(&mut house, &lobby, 0));
    house.enter(&carol, &lobby).unwrap();
}

#[test]
fn bans_that_have_ended_make_place_first() {
    let mut house = House::new();
    let (alice, lobby) = full_of_bans(&mut house, one_after_another);
    house.wait(YEAR / 2 + MILLISECOND * 10);
    // Those up to the one of "bob 10" have ended.
    let carol = house.peer("carol");
    ban(&mut house, &alice, &lobby, &carol, MILLISECOND);
    let error = house.refusal(|house| house.enter(&carol, &lobby));
    assert_eq!(error, JoinError::Banned { for_ms: 1 });
    assert!((0..=10).all(|number| !is_banned(&mut house, &lobby, number)));
    assert!((11..1_000).all(|number| is_banned(&mut house, &lobby, number)));
}
