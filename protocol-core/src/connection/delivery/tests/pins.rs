//! What is learned of a destination, and what is sent before.

use super::super::Pin;
use super::*;

#[test]
fn one_pass_asks_which_life_the_destination_is_in() {
    let mut to = Sending::new(DeliveryLimits::default());
    to.confirm(3);
    assert_eq!(to.transmit_at_most(9), [(1, 1, Some(1), None)]);
    assert!(to.sender.is_asking(Some(&to.bob)));
    assert!(to.refused(1, &WireError::stale_dest(Some("b1"))));
    assert_eq!(*to.sender.pin(Some(&peer("bob"))), Pin::Life("b1".into()));
    let b1 = || Some("b1".to_owned());
    let frames = [
        (1, 1, Some(1), b1()),
        (2, 2, None, b1()),
        (3, 3, None, b1()),
    ];
    assert_eq!(to.transmit_at_most(9), frames);
    assert_eq!(to.ended(), []);
}

#[test]
fn a_pass_that_was_only_sent_to_ask_was_not_processed() {
    let error = refusal(ErrorCode::NotAllowed);
    let mut to = Sending::new(DeliveryLimits::default());
    to.confirm(1);
    to.transmit();
    assert!(to.refused(1, &WireError::stale_dest(Some("b1"))));
    to.transmit();
    assert!(to.refused(1, &error));
    assert_eq!(to.ended(), [(1, Ended::Refused(error.clone()))]);

    let mut to = Sending::new(DeliveryLimits::default());
    to.confirm(1);
    to.transmit();
    to.sender.send_again(to.now);
    to.transmit();
    assert!(to.refused(1, &WireError::stale_dest(Some("b1"))));
    to.transmit();
    assert!(to.refused(1, &error), "may be of the second that asked");
    assert_eq!(to.ended(), [(1, Ended::Unknown(error))]);
}

#[test]
fn where_nobody_is_a_pass_that_asks_is_refused_and_the_next_asks() {
    let error = refusal(ErrorCode::PeerNotFound);
    let mut to = Sending::new(DeliveryLimits::default());
    to.confirm(2);
    to.transmit();
    to.sender.send_again(to.now);
    assert_eq!(to.transmit(), [1]);
    assert!(to.refused(1, &error));
    assert_eq!(to.ended(), [(1, Ended::Refused(error.clone()))]);
    assert!(!to.refused(1, &error));
    assert_eq!(to.transmit(), [2]);
}

#[test]
fn who_has_left_is_told_of_at_once() {
    let error = refusal(ErrorCode::PeerNotFound);
    let mut to = Sending::pinned(DeliveryLimits::default());
    to.confirm(2);
    to.transmit();
    assert!(to.refused(1, &error));
    assert!(to.refused(2, &error));
    let ended = |id| (id, Ended::Refused(error.clone()));
    assert_eq!(to.ended(), [ended(1), ended(2)]);
    to.confirm(1);
    assert_eq!(to.transmit_at_most(1)[0].2, Some(3));
}

#[test]
fn what_may_have_been_processed_waits_for_who_has_left() {
    let mut to = Sending::pinned(DeliveryLimits::default());
    to.confirm(1);
    to.transmit();
    to.sender.send_again(to.now);
    to.transmit();
    assert!(to.refused(1, &refusal(ErrorCode::PeerNotFound)));
    assert_eq!(to.ended(), []);
    to.pass_time(100 * MS);
    assert_eq!(to.transmit(), [1]);
}

#[test]
fn a_relay_that_was_started_anew_is_not_believed_for_a_minute() {
    let error = refusal(ErrorCode::PeerNotFound);
    let scattered = || {
        let mut to = Sending::pinned(DeliveryLimits::default());
        to.sender.scattered(to.now);
        to
    };
    let mut to = scattered();
    to.pass_time(just_before(60 * S));
    to.confirm(1);
    to.transmit();
    assert!(to.refused(1, &error));
    assert_eq!(to.ended(), []);

    let mut to = scattered();
    to.pass_time(60 * S);
    to.confirm(1);
    to.transmit();
    assert!(to.refused(1, &error));
    assert_eq!(to.ended(), [(1, Ended::Refused(error.clone()))]);

    let mut to = scattered();
    to.confirm(2);
    to.transmit();
    assert!(to.acknowledged(1, None, None));
    assert!(to.refused(2, &error), "it was here since");
    let ended = [(1, Ended::Confirmed), (2, Ended::Refused(error))];
    assert_eq!(to.ended(), ended);
}

#[test]
fn a_destination_without_a_life_gets_its_passes_without_numbers() {
    let mut to = Sending::new(DeliveryLimits::default());
    to.confirm(3);
    to.transmit();
    assert!(to.sender.take_unnumbered(Some(&peer("bob"))).is_empty());
    assert!(to.refused(1, &WireError::stale_dest(None)));
    assert_eq!(to.transmit(), [0; 0]);
    let passes = to.sender.take_unnumbered(Some(&peer("bob")));
    to.check();
    let waiters: Vec<_> = passes.iter().map(|pass| pass.waiter).collect();
    assert_eq!(waiters, [1, 2, 3]);
    assert_eq!((to.sender.open(), to.sender.bytes()), (0, 0));
    let pass = to.pass(1, HOUR);
    assert!(to.sender.confirm(Some(&peer("bob")), pass).is_err());
    to.learn(Some("b1"));
    to.confirm(1);
    let (_, seq, base, _) = to.transmit_at_most(1).remove(0);
    assert_eq!(base, Some(seq));
}

#[test]
fn one_that_asked_for_somebody_who_left_is_not_sent_without_a_number() {
    let mut to = Sending::new(DeliveryLimits::default());
    to.confirm(2);
    to.transmit();
    to.sender.sweep(|waiter| *waiter == 1);
    to.learn(None);
    let passes = to.sender.take_unnumbered(Some(&peer("bob")));
    to.check();
    assert_eq!(passes.len(), 1);
    assert_eq!(to.sender.bytes(), 0);
}

#[test]
fn what_was_sent_to_an_earlier_life_is_unknown_and_what_waits_goes_to_the_next() {
    for next in [Some("b2"), None] {
        let limits = DeliveryLimits {
            window_events: 2,
            ..DeliveryLimits::default()
        };
        let mut to = Sending::pinned(limits);
        to.confirm(3);
        to.transmit();
        assert!(to.refused(1, &WireError::stale_dest(next)));
        let ended = to.ended();
        assert!(
            matches!(ended[..], [(1, Ended::Unknown(_)), (2, Ended::Unknown(_))]),
            "{ended:?}"
        );
        assert!(!to.refused(2, &WireError::stale_dest(next)));
        let frames = to.transmit_at_most(9);
        match next {
            Some(inc) => assert_eq!(frames, [(3, 3, Some(3), Some(inc.to_owned()))]),
            None => assert_eq!(to.sender.take_unnumbered(Some(&peer("bob"))).len(), 1),
        }
        to.check();
    }
}

#[test]
fn what_is_known_already_changes_nothing() {
    let mut to = Sending::pinned(DeliveryLimits::default());
    to.confirm(2);
    to.transmit();
    to.learn(Some("b1"));
    assert_eq!((to.transmit(), to.ended()), (vec![], vec![]));
    assert_eq!(to.sender.in_flight(), 2);
}

#[test]
fn the_next_life_has_5_minutes_of_its_own() {
    let mut to = Sending::pinned(DeliveryLimits::default());
    to.confirm(1);
    to.transmit();
    to.pass_time(Duration::from_mins(4));
    to.learn(Some("b2"));
    to.ended();
    to.confirm(1);
    to.transmit();
    to.pass_time(Duration::from_mins(2));
    assert_eq!((to.ended(), to.sender.in_flight()), (vec![], 1));
}
