//! Whose turn it is, and what is remembered of how events ended.

use super::super::{Processed, Receiver, Verdict};
use super::*;

struct Receiving {
    now: Instant,
    receiver: Receiver,
    alice: Origin,
}

impl Receiving {
    fn new(limits: DeliveryLimits) -> Self {
        Self {
            now: Instant::now(),
            receiver: Receiver::new(limits),
            alice: origin("alice", "a1"),
        }
    }

    fn judge(&mut self, seq: u64, base: Option<u64>) -> Verdict {
        self.receiver.judge(self.now, &self.alice, seq, base)
    }

    fn processed(&mut self, seq: u64, result: Result<(), &WireError>) -> Processed {
        self.receiver.processed(self.now, &self.alice, seq, result)
    }

    /// Runs all up to `last`, without a base where they are not the first.
    fn run(&mut self, first: u64, last: u64) {
        for seq in first..=last {
            let base = (seq == 1).then_some(1);
            assert_eq!(self.judge(seq, base), Verdict::Run, "{seq}");
            assert_eq!(self.processed(seq, Ok(())).error, None);
        }
    }

    fn refuse(&mut self, seq: u64, base: Option<u64>) {
        assert_eq!(self.judge(seq, base), Verdict::Run);
        let processed = self.processed(seq, Err(&unwanted()));
        assert_eq!(processed, refused(seq, unwanted()));
    }

    /// Opens streams of one sender each.
    fn fill(&mut self, senders: std::ops::Range<usize>) {
        for at in senders {
            let origin = origin(&format!("peer {at}"), "x");
            assert_eq!(open(&mut self.receiver, self.now, &origin), Verdict::Run);
            self.receiver.put_back(&origin, 1);
        }
    }
}

fn open(receiver: &mut Receiver, now: Instant, origin: &Origin) -> Verdict {
    receiver.judge(now, origin, 1, Some(1))
}

fn all_to(ack: u64) -> Processed {
    Processed {
        ack,
        since: None,
        error: None,
    }
}

fn refused(ack: u64, error: WireError) -> Processed {
    Processed {
        ack,
        since: None,
        error: Some(error),
    }
}

fn code(verdict: &Verdict) -> Option<ErrorCode> {
    match verdict {
        Verdict::Refused(error) => error.standard(),
        _ => None,
    }
}

#[test]
fn each_event_is_run_once_and_in_its_turn() {
    let mut at = Receiving::new(DeliveryLimits::default());
    let expect = |seq| Verdict::Refused(WireError::expect(seq));
    assert_eq!(
        at.judge(3, None),
        expect(1),
        "nothing is known of its stream"
    );
    assert_eq!(at.receiver.streams(), 0);
    assert_eq!(at.judge(3, Some(3)), Verdict::Run);
    assert_eq!(at.judge(3, Some(3)), Verdict::Running);
    assert_eq!(at.judge(4, None), expect(3));
    assert_eq!(at.processed(3, Ok(())), all_to(3));
    assert_eq!(at.judge(3, Some(3)), Verdict::Again(all_to(3)));
    assert_eq!(at.judge(5, None), expect(4));
    assert_eq!(at.judge(4, None), Verdict::Run);
    at.receiver.put_back(&at.alice, 4);
    assert_eq!(at.judge(4, None), Verdict::Run, "it was not run after all");
    assert_eq!(at.processed(4, Ok(())), all_to(4));
}

#[test]
fn what_its_sender_gave_up_is_passed_over() {
    let mut at = Receiving::new(DeliveryLimits::default());
    at.run(1, 2);
    let expect = Verdict::Refused(WireError::expect(6));
    assert_eq!(at.judge(7, Some(6)), expect);
    assert_eq!(at.judge(6, Some(6)), Verdict::Run);
    assert_eq!(at.processed(6, Ok(())), all_to(6));
    let Verdict::Again(processed) = at.judge(2, None) else {
        panic!("it was passed over");
    };
    assert_eq!(
        processed.error.unwrap().standard(),
        Some(ErrorCode::Expired)
    );
}

#[test]
fn what_is_given_up_while_it_runs_is_waited_for() {
    let mut at = Receiving::new(DeliveryLimits::default());
    assert_eq!(at.judge(1, Some(1)), Verdict::Run);
    assert_eq!(code(&at.judge(2, Some(2))), Some(ErrorCode::Busy));
    assert_eq!(at.judge(1, None), Verdict::Running);
    assert_eq!(at.processed(1, Ok(())), all_to(1));
    assert_eq!(at.judge(2, Some(2)), Verdict::Run);
    assert_eq!(code(&at.judge(3, Some(3))), Some(ErrorCode::Busy));
    at.receiver.put_back(&at.alice, 2);
    assert_eq!(at.judge(3, Some(3)), Verdict::Run);
}

#[test]
fn an_acknowledgement_never_speaks_for_a_refusal() {
    let mut at = Receiving::new(DeliveryLimits::default());
    at.run(1, 2);
    at.refuse(3, None);
    assert_eq!(at.judge(4, None), Verdict::Run);
    let since_4 = |ack| Processed {
        since: Some(4),
        ..all_to(ack)
    };
    assert_eq!(at.processed(4, Ok(())), since_4(4));
    at.run(5, 5);
    assert_eq!(at.judge(1, None), Verdict::Again(all_to(2)));
    assert_eq!(at.judge(3, None), Verdict::Again(refused(3, unwanted())));
    assert_eq!(at.judge(4, None), Verdict::Again(since_4(5)));
    // Once its sender has heard of the refusal nothing needs to be left out.
    assert_eq!(at.judge(4, Some(4)), Verdict::Again(all_to(5)));
}

#[test]
fn a_refusal_is_remembered_for_64_events() {
    let mut at = Receiving::new(DeliveryLimits::default());
    at.refuse(1, Some(1));
    at.run(2, 64);
    assert_eq!(at.judge(1, None), Verdict::Again(refused(1, unwanted())));
    at.run(65, 65);
    let Verdict::Again(processed) = at.judge(1, None) else {
        panic!("it was processed");
    };
    assert_eq!(
        processed.error.unwrap().standard(),
        Some(ErrorCode::Expired)
    );
    let Verdict::Again(processed) = at.judge(65, None) else {
        panic!("it was processed");
    };
    let since_2 = Processed {
        since: Some(2),
        ..all_to(65)
    };
    assert_eq!(
        processed, since_2,
        "a wider window must not take it for more"
    );
}

#[test]
fn without_refusals_all_is_known_for_ever() {
    let mut at = Receiving::new(DeliveryLimits::default());
    at.run(1, 1_000);
    assert_eq!(at.judge(1, None), Verdict::Again(all_to(1_000)));
}

#[test]
fn a_long_refusal_is_kept_in_short() {
    let mut at = Receiving::new(DeliveryLimits::default());
    assert_eq!(at.judge(1, Some(1)), Verdict::Run);
    let long = WireError {
        message: "\u{e9}".repeat(1_000),
        ..unwanted()
    };
    assert_eq!(at.processed(1, Err(&long)), refused(1, long.clone()));
    let Verdict::Again(Processed { error, .. }) = at.judge(1, None) else {
        panic!("it was processed");
    };
    let kept = error.unwrap();
    assert_eq!(kept.code, "unwanted");
    assert_eq!(kept.message, "\u{e9}".repeat(128));
    assert_eq!(kept.data, None);
}

#[test]
fn the_end_of_an_event_whose_stream_is_gone_speaks_for_it_alone() {
    let mut at = Receiving::new(DeliveryLimits::default());
    let alone = Processed {
        ack: 7,
        since: Some(7),
        error: None,
    };
    assert_eq!(at.processed(7, Ok(())), alone);
}

#[test]
fn there_are_1024_streams_and_only_idle_ones_make_room() {
    let mut at = Receiving::new(DeliveryLimits::default());
    at.fill(0..1_024);
    let late = origin("late", "x");
    let start = at.now;
    for (time, expected) in [
        (Duration::ZERO, Some(ErrorCode::Busy)),
        (just_before(Duration::from_mins(10)), Some(ErrorCode::Busy)),
        (Duration::from_mins(10), None),
    ] {
        let verdict = open(&mut at.receiver, start + time, &late);
        assert_eq!(code(&verdict), expected, "{time:?}");
        assert_eq!(at.receiver.streams(), 1_024);
    }
}

#[test]
fn a_stream_with_an_event_at_work_makes_no_room() {
    let limits = DeliveryLimits {
        streams: 1,
        ..DeliveryLimits::default()
    };
    let mut at = Receiving::new(limits);
    assert_eq!(at.judge(1, Some(1)), Verdict::Run);
    at.now += HOUR;
    let late = origin("late", "x");
    let verdict = open(&mut at.receiver, at.now, &late);
    assert_eq!(code(&verdict), Some(ErrorCode::Busy));
    assert_eq!(at.processed(1, Ok(())), all_to(1));
    at.now += Duration::from_mins(10);
    assert_eq!(open(&mut at.receiver, at.now, &late), Verdict::Run);
}

#[test]
fn a_sender_has_4_streams_and_the_oldest_makes_room() {
    let mut at = Receiving::new(DeliveryLimits::default());
    at.fill(0..1_020);
    let lives: Vec<_> = ["d", "c", "b", "a", "e"]
        .map(|inc| origin("alice", inc))
        .into();
    for life in &lives[..4] {
        assert_eq!(open(&mut at.receiver, at.now, life), Verdict::Run);
        at.receiver.processed(at.now, life, 1, Ok(()));
        at.now += S;
    }
    assert_eq!(at.receiver.streams(), 1_024);
    assert_eq!(open(&mut at.receiver, at.now, &lives[4]), Verdict::Run);
    assert_eq!(at.receiver.streams(), 1_024, "even where there is no room");
    for life in &lives[1..4] {
        let verdict = at.receiver.judge(at.now, life, 2, None);
        assert_eq!(verdict, Verdict::Run, "{life:?} was not the oldest");
    }
    let verdict = at.receiver.judge(at.now, &lives[0], 2, None);
    assert_eq!(code(&verdict), Some(ErrorCode::Expect), "it is forgotten");
}

#[test]
fn the_other_end_itself_has_streams_too() {
    let mut at = Receiving::new(DeliveryLimits::default());
    let server = Origin {
        from: None,
        inc: "s1".into(),
    };
    assert_eq!(open(&mut at.receiver, at.now, &server), Verdict::Run);
    assert_eq!(open(&mut at.receiver, at.now, &at.alice), Verdict::Run);
    assert_eq!(at.receiver.streams(), 2);
}
