//! Bounds of streams, at the bound and one beyond it, and what is counted of them.

use std::time::{Duration, Instant};

use protocol_core::connection::delivery::{Ended, Origin, Pass, Receiver, Sender, Verdict};
use protocol_core::metrics::{RESEND_ROUNDS, STREAMS_ABANDONED, STREAMS_REFUSED};
use protocol_core::{DeliveryLimits, PeerId};
use protocol_tests::meter;
use uuid::Uuid;

#[test]
fn one_stream_more_than_may_be_is_refused() {
    let mut meter = meter();
    let (limits, now) = (DeliveryLimits::default(), Instant::now());
    assert_eq!(limits.streams, 1_024);
    let mut receiver = Receiver::new(limits);
    let mut open = |number: usize| {
        let from = PeerId::new(format!("peer {number}")).ok();
        let inc = "a life".into();
        receiver.judge(now, &Origin { from, inc }, 1, Some(1))
    };
    for number in 0..1_024 {
        assert_eq!(open(number), Verdict::Run);
    }
    assert_eq!(meter.count(STREAMS_REFUSED), 0);
    assert!(matches!(open(1_024), Verdict::Refused(_)));
    assert_eq!(meter.count(STREAMS_REFUSED), 1);
}

#[test]
fn a_stream_is_sent_again_after_5_s_and_given_up_after_5_minutes() {
    let mut meter = meter();
    let start = Instant::now();
    let mut sender = Sender::new(DeliveryLimits::default());
    let mut ended = Vec::new();
    sender.learn(None, Some("a life"), |(), end| ended.push(end));
    let pass = Pass {
        id: Uuid::from_u128(1),
        start: b"{".to_vec(),
        deadline: start + Duration::from_hours(1),
        waiter: (),
    };
    assert!(sender.confirm(None, pass).is_ok());
    let mut sent = 0;
    let mut at = |ms: u64| {
        let now = start + Duration::from_millis(ms);
        sender.handle_timeout(now, |(), end| ended.push(end));
        sender.transmit(now, |_| {
            sent += 1;
            true
        });
        (sent, ended.len())
    };
    assert_eq!(at(0), (1, 0));
    assert_eq!(at(4_999), (1, 0));
    assert_eq!(meter.count(RESEND_ROUNDS), 0);
    assert_eq!(at(5_000), (2, 0));
    assert_eq!(meter.count(RESEND_ROUNDS), 1);
    assert_eq!(at(299_999).1, 0);
    assert_eq!(meter.count(STREAMS_ABANDONED), 0);
    assert_eq!(at(300_000).1, 1);
    assert_eq!(meter.count(STREAMS_ABANDONED), 1);
    assert_eq!(ended, [Ended::TimedOut]);
}
