//! When it is tried again, and when it is given up.

use super::*;

fn retryable() -> Vec<WireError> {
    use ErrorCode::{Busy, PeerGone, PeerReconnecting, PeerSlow, RateLimited};
    let codes = [Busy, PeerGone, PeerReconnecting, PeerSlow, RateLimited];
    codes.map(refusal).into()
}

#[test]
fn what_is_not_acknowledged_is_sent_after_5_s_then_10_to_60() {
    let mut to = Sending::pinned(DeliveryLimits::default());
    to.confirm(2);
    assert_eq!(to.transmit(), [1, 2]);
    for wait in [5, 10, 20, 40, 60, 60] {
        to.pass_time(just_before(wait * S));
        assert_eq!(to.transmit(), [0; 0], "before {wait} s");
        to.pass_time(MS);
        assert_eq!(to.transmit(), [1, 2], "after {wait} s");
        assert_eq!(to.transmit(), [0; 0]);
    }
    assert!(to.acknowledged(1, None, None), "progress begins anew");
    to.pass_time(just_before(5 * S));
    assert_eq!(to.transmit(), [0; 0]);
    to.pass_time(MS);
    assert_eq!(to.transmit(), [2]);
}

#[test]
fn after_5_minutes_without_progress_a_stream_is_given_up() {
    let mut to = Sending::pinned(DeliveryLimits::default());
    to.confirm(1);
    to.transmit();
    let mut left = Duration::from_mins(5);
    while let Some(due) = to.sender.next_deadline()
        && let wait = due - to.now
        && wait < left
    {
        left -= wait;
        to.pass_time(wait);
        to.transmit();
    }
    to.pass_time(just_before(left));
    assert_eq!((to.ended(), to.sender.in_flight()), (vec![], 1));
    to.confirm(1);
    to.pass_time(MS);
    assert_eq!(to.ended(), [(1, Ended::TimedOut)]);
    assert_eq!(to.transmit_at_most(9), [(2, 2, Some(2), Some("b1".into()))]);
    to.pass_time(just_before(Duration::from_mins(5)));
    assert_eq!(to.ended(), [], "it has 5 minutes of its own");
    to.pass_time(MS);
    assert_eq!(to.ended(), [(2, Ended::TimedOut)]);
    assert_eq!((to.sender.in_flight(), to.sender.bytes()), (0, 0));
}

#[test]
fn a_stream_that_nothing_is_due_in_before_its_end_still_ends() {
    let limits = DeliveryLimits {
        resend_after: HOUR,
        resend_at_most: HOUR,
        ..DeliveryLimits::default()
    };
    let mut to = Sending::pinned(limits);
    to.confirm(1);
    to.transmit();
    assert_eq!(
        to.sender.next_deadline(),
        Some(to.now + Duration::from_mins(5))
    );
}

#[test]
fn a_new_link_gets_everything_that_is_open_at_once() {
    let mut to = Sending::pinned(DeliveryLimits::default());
    to.confirm(3);
    to.transmit();
    assert!(to.acknowledged(1, None, None));
    to.now += S;
    to.sender.send_again(to.now);
    to.wake();
    assert_eq!(to.transmit(), [2, 3]);
    to.wake();
    assert_eq!(to.transmit(), [0; 0], "once is enough");
}

#[test]
fn a_gap_is_closed_at_once_and_only_once() {
    let mut to = Sending::pinned(DeliveryLimits::default());
    to.confirm(3);
    to.transmit();
    for pass in [2, 3] {
        assert!(to.refused(pass, &WireError::expect(1)));
        to.wake();
    }
    assert_eq!(to.transmit(), [1, 2, 3]);
    to.wake();
    assert_eq!(
        to.transmit(),
        [0; 0],
        "the second refusal was of an earlier frame"
    );
    to.pass_time(just_before(5 * S));
    assert_eq!(to.transmit(), [0; 0]);
    to.pass_time(MS);
    assert_eq!(to.transmit(), [1, 2, 3]);
}

#[test]
fn a_refusal_that_is_no_outcome_makes_a_pause_that_grows() {
    for error in retryable() {
        let mut to = Sending::pinned(DeliveryLimits::default());
        to.confirm(2);
        to.transmit();
        for wait in [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000] {
            assert!(to.refused(1, &error));
            assert!(to.refused(2, &error));
            to.confirm_of(1, MS);
            assert_eq!(to.transmit(), [0; 0], "{error}");
            to.pass_time(just_before(wait * MS));
            assert_eq!(to.transmit(), [0; 0], "{error} before {wait} ms");
            to.pass_time(MS);
            assert_eq!(to.transmit(), [1, 2], "{error} after {wait} ms");
        }
        let never_sent = |(_, how): &(u64, Ended)| *how == Ended::NotSentInTime;
        assert!(to.ended().iter().all(never_sent));
    }
}

#[test]
fn a_final_refusal_in_the_middle_stops_nothing_behind_it() {
    let mut to = Sending::pinned(DeliveryLimits::default());
    to.confirm(4);
    to.transmit();
    let error = refusal(ErrorCode::NotAllowed);
    assert!(to.refused(2, &error));
    assert_eq!(to.ended(), [(2, Ended::Refused(error.clone()))]);
    assert!(!to.refused(2, &error), "it has ended");
    assert!(to.refused(3, &WireError::expect(2)));
    let frames = to.transmit_at_most(9);
    let numbers: Vec<_> = frames.iter().map(|it| (it.1, it.2)).collect();
    assert_eq!(numbers, [(1, Some(1)), (3, None), (4, None)]);
    assert!(to.acknowledged(1, None, None));
    assert!(to.refused(3, &WireError::expect(2)));
    to.pass_time(5 * S);
    let frames = to.transmit_at_most(9);
    let numbers: Vec<_> = frames.iter().map(|it| (it.1, it.2)).collect();
    assert_eq!(numbers, [(3, Some(3)), (4, None)]);
    assert!(to.refused(3, &error), "sent before, so nobody knows");
    assert_eq!(
        to.ended(),
        [(1, Ended::Confirmed), (3, Ended::Unknown(error))]
    );
    to.check();
}
