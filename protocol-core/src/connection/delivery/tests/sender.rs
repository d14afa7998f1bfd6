//! Windows, numbers and ends of what is sent.

use super::*;

#[test]
fn a_window_holds_64_passes() {
    let mut to = Sending::pinned(DeliveryLimits::default());
    to.confirm(65);
    assert_eq!(to.transmit(), (1..=64).collect::<Vec<_>>());
    assert_eq!(to.sender.in_flight(), 64);
    assert!(to.acknowledged(1, None, None));
    assert_eq!(to.transmit(), [65]);
    assert_eq!(to.ended(), [(1, Ended::Confirmed)]);
}

#[test]
fn a_window_holds_its_bytes_and_always_one_pass() {
    let limits = DeliveryLimits {
        window_bytes: 100,
        ..DeliveryLimits::default()
    };
    for (second, expected) in [(60, vec![1, 2]), (61, vec![1])] {
        let mut to = Sending::pinned(limits);
        to.confirm_of(40, HOUR);
        to.confirm_of(second, HOUR);
        assert_eq!(to.transmit(), expected, "{second}");
    }
    let limits = DeliveryLimits {
        window_bytes: 0,
        window_events: 0,
        ..DeliveryLimits::default()
    };
    let mut to = Sending::pinned(limits);
    to.confirm(2);
    assert_eq!(to.transmit(), [1]);
    assert!(to.acknowledged(1, None, None));
    assert_eq!(to.transmit(), [2]);
}

#[test]
fn numbers_have_no_gaps_in_a_stream_whatever_goes_to_others() {
    let mut to = Sending::pinned(DeliveryLimits::default());
    let carol = peer("carol");
    to.sender.pin(Some(&carol));
    to.sender.learn(Some(&carol), Some("c1"), |_, _| {});
    let mut numbers = Vec::new();
    for _ in 0..3 {
        to.confirm(1);
        let pass = to.pass(10, HOUR);
        to.sender.confirm(Some(&carol), pass).unwrap();
        numbers.extend(to.transmit_at_most(usize::MAX).into_iter().map(|it| it.1));
    }
    assert_eq!(numbers, [1, 1, 2, 2, 3, 3]);
}

#[test]
fn a_stream_that_was_forgotten_begins_above_all_its_numbers() {
    let limits = DeliveryLimits {
        streams: 1,
        ..DeliveryLimits::default()
    };
    let mut to = Sending::pinned(limits);
    to.confirm(3);
    to.transmit();
    let pass = to.pass(10, HOUR);
    let carol = peer("carol");
    let pass = to.sender.confirm(Some(&carol), pass).unwrap_err();
    assert!(to.acknowledged(3, None, None));
    to.sender.confirm(Some(&carol), pass).unwrap();
    assert_eq!(to.transmit_at_most(1), [(4, 4, Some(4), None)]);
    to.now += S;
    assert!(to.refused(4, &refusal(ErrorCode::PeerNotFound)));
    to.confirm(1);
    let (_, seq, base, _) = to.transmit_at_most(1).remove(0);
    assert_eq!((seq, base), (5, Some(5)));
}

#[test]
fn only_the_lowest_that_is_open_has_a_base() {
    let mut to = Sending::pinned(DeliveryLimits::default());
    to.confirm(3);
    let bases = |frames: Vec<Frame>| frames.into_iter().map(|it| it.2).collect::<Vec<_>>();
    assert_eq!(bases(to.transmit_at_most(9)), [Some(1), None, None]);
    assert!(to.acknowledged(1, None, None));
    to.sender.send_again(to.now);
    assert_eq!(bases(to.transmit_at_most(9)), [Some(2), None]);
}

#[test]
fn what_has_no_room_is_sent_later() {
    let mut to = Sending::pinned(DeliveryLimits::default());
    to.confirm(3);
    assert_eq!(to.transmit_at_most(2).len(), 2);
    assert!(to.sender.is_ready());
    assert_eq!(to.transmit(), [3]);
    assert!(!to.sender.is_ready());
}

#[test]
fn an_acknowledgement_speaks_for_what_it_names() {
    let mut to = Sending::pinned(DeliveryLimits::default());
    to.confirm(6);
    to.transmit();
    assert!(to.acknowledged(4, Some(3), None));
    assert_eq!(to.ended(), [(3, Ended::Confirmed), (4, Ended::Confirmed)]);
    assert_eq!(to.transmit(), [1, 2, 5, 6], "how the first ended was lost");
    assert!(to.acknowledged(2, None, Some(unwanted())));
    assert_eq!(to.ended(), [(2, Ended::Refused(unwanted()))]);
    assert!(to.acknowledged(1, None, Some(refusal(ErrorCode::Expired))));
    assert!(matches!(to.ended()[..], [(1, Ended::Unknown(_))]));
    assert!(!to.acknowledged(4, None, None), "nothing new");
    assert!(to.acknowledged(u64::MAX, None, None));
    assert_eq!(to.ended(), [(5, Ended::Confirmed), (6, Ended::Confirmed)]);
    assert_eq!((to.sender.open(), to.sender.bytes()), (0, 0));
    assert_eq!(to.sender.in_flight(), 0);
}

#[test]
fn a_pass_is_unknown_at_its_deadline_and_keeps_its_place() {
    let mut to = Sending::pinned(DeliveryLimits::default());
    to.confirm_of(10, 2 * S);
    to.confirm_of(10, HOUR);
    assert_eq!(to.sender.next_deadline(), Some(to.now + 2 * S));
    to.transmit();
    to.pass_time(just_before(2 * S));
    assert_eq!(to.ended(), []);
    to.pass_time(MS);
    assert_eq!(to.ended(), [(1, Ended::TimedOut)]);
    assert_eq!((to.sender.open(), to.sender.bytes()), (1, 20));
    to.sender.send_again(to.now);
    assert_eq!(to.transmit(), [1, 2]);
    assert!(to.acknowledged(2, None, None));
    assert_eq!(to.ended(), [(2, Ended::Confirmed)]);
}

#[test]
fn a_pass_that_was_not_sent_by_its_deadline_never_is() {
    let limits = DeliveryLimits {
        window_events: 1,
        ..DeliveryLimits::default()
    };
    let mut to = Sending::pinned(limits);
    to.confirm(1);
    to.confirm_of(10, S);
    to.transmit();
    to.pass_time(just_before(S));
    assert_eq!(to.ended(), []);
    to.pass_time(MS);
    assert_eq!(to.ended(), [(2, Ended::NotSentInTime)]);
    assert!(to.acknowledged(1, None, None));
    assert_eq!(to.transmit(), [0; 0]);
}

#[test]
fn those_who_leave_free_what_was_not_sent() {
    let limits = DeliveryLimits {
        window_events: 1,
        ..DeliveryLimits::default()
    };
    let mut to = Sending::pinned(limits);
    to.confirm(3);
    to.transmit();
    to.sender.sweep(|waiter| *waiter < 3);
    to.check();
    assert_eq!((to.sender.open(), to.sender.bytes()), (1, 20));
    assert_eq!(to.sender.in_flight(), 1);
    assert!(to.acknowledged(1, None, None));
    assert_eq!(to.ended(), [], "nobody waits for it");
    assert_eq!(to.transmit(), [3]);
}

#[test]
fn at_the_end_all_are_given_back_by_whether_they_were_sent() {
    let mut to = Sending::pinned(DeliveryLimits::default());
    to.confirm(2);
    to.transmit();
    to.confirm(2);
    assert_eq!(to.sender.end_all(), (vec![1, 2], vec![3, 4]));
    to.check();
    assert_eq!((to.sender.open(), to.sender.bytes()), (0, 0));
    assert!(!to.sender.is_ready() && to.sender.next_deadline().is_none());
    to.confirm(1);
    let (_, seq, ..) = to.transmit_at_most(1).remove(0);
    assert_eq!(seq, 3);
}

#[test]
fn there_are_1024_destinations() {
    let mut to = Sending::new(DeliveryLimits::default());
    let confirm = |to: &mut Sending, name: &str| {
        let pass = to.pass(1, HOUR);
        to.sender.confirm(Some(&peer(name)), pass).is_ok()
    };
    for at in 0..1_024 {
        assert!(confirm(&mut to, &format!("peer {at}")));
    }
    assert!(!confirm(&mut to, "one more"));
    to.check();
    to.transmit();
    assert!(to.refused(7, &refusal(ErrorCode::PeerNotFound)));
    assert!(
        confirm(&mut to, "one more"),
        "to one of them nothing is open"
    );
}

#[test]
fn requests_are_numbered_from_1() {
    let mut to = Sending::new(DeliveryLimits::default());
    assert_eq!((to.sender.next_request(), to.sender.next_request()), (1, 2));
}
