//! Requests that come again, and for how long their answers are kept.

use super::super::{Asked, Receiver};
use super::*;

struct Asking {
    now: Instant,
    receiver: Receiver,
    alice: Origin,
    seq: u64,
}

impl Asking {
    fn new(limits: DeliveryLimits) -> Self {
        Self {
            now: Instant::now(),
            receiver: Receiver::new(limits),
            alice: origin("alice", "a1"),
            seq: 0,
        }
    }

    /// The request with this number, which is its id and body too.
    fn ask(&mut self, seq: u64) -> Asked {
        let id = seq.to_string();
        self.receiver.asked(self.now, &self.alice, &id, seq, seq)
    }

    fn answer(&mut self, seq: u64, frame: &[u8]) {
        let id = seq.to_string();
        self.receiver.answered(self.now, &self.alice, &id, frame);
    }

    /// Asks and answers the next.
    fn next(&mut self, frame: &[u8]) -> u64 {
        self.seq += 1;
        assert_eq!(self.ask(self.seq), Asked::Run);
        self.answer(self.seq, frame);
        self.seq
    }
}

fn code(asked: &Asked) -> Option<ErrorCode> {
    match asked {
        Asked::Refused(error) => error.standard(),
        _ => None,
    }
}

fn again(frame: &[u8]) -> Asked {
    Asked::Again(frame.into())
}

#[test]
fn a_request_is_executed_once_and_answered_as_often_as_it_comes() {
    let mut at = Asking::new(DeliveryLimits::default());
    assert_eq!(at.ask(1), Asked::Run);
    assert_eq!(at.ask(1), Asked::Running);
    at.answer(1, b"one");
    at.answer(1, b"two");
    assert_eq!([at.ask(1), at.ask(1)], [again(b"one"), again(b"one")]);
    assert_eq!(at.receiver.answers(), 1);
}

#[test]
fn an_id_names_one_request_of_one_life() {
    let mut at = Asking::new(DeliveryLimits::default());
    let asked = |at: &mut Asking, origin: &Origin, seq, body| {
        at.receiver.asked(at.now, origin, "7", seq, body)
    };
    let (first, second) = (at.alice.clone(), origin("alice", "a2"));
    assert_eq!(asked(&mut at, &first, 1, 1), Asked::Run);
    for _ in 0..2 {
        let conflict = asked(&mut at, &first, 2, 2);
        assert_eq!(code(&conflict), Some(ErrorCode::IdConflict));
        at.receiver.answered(at.now, &first, "7", b"x");
    }
    assert_eq!(asked(&mut at, &first, 1, 1), again(b"x"));
    assert_eq!(asked(&mut at, &second, 1, 2), Asked::Run);
    assert_eq!(asked(&mut at, &origin("bob", "a1"), 1, 3), Asked::Run);
}

#[test]
fn what_is_neither_new_nor_kept_is_never_executed() {
    let mut at = Asking::new(DeliveryLimits::default());
    assert_eq!(at.ask(5), Asked::Run);
    assert_eq!(code(&at.ask(4)), Some(ErrorCode::Expired));
    let same_number = at.receiver.asked(at.now, &at.alice.clone(), "x", 5, 5);
    assert_eq!(code(&same_number), Some(ErrorCode::Expired));
    assert_eq!(at.ask(6), Asked::Run);
    assert_eq!(at.receiver.answers(), 2);
}

#[test]
fn answers_are_kept_for_2_minutes() {
    let mut at = Asking::new(DeliveryLimits::default());
    at.next(b"x");
    at.now += just_before(Duration::from_mins(2));
    assert_eq!(at.ask(1), again(b"x"));
    at.now += MS;
    assert_eq!(code(&at.ask(1)), Some(ErrorCode::Expired));
    assert_eq!(at.receiver.answers(), 0);
    assert_eq!(at.ask(2), Asked::Run);
    at.now += HOUR;
    assert_eq!(at.ask(2), Asked::Running, "it has no answer yet");
}

#[test]
fn there_are_256_answers() {
    let mut at = Asking::new(DeliveryLimits::default());
    (0..256).for_each(|_| {
        at.next(b"x");
    });
    assert_eq!(at.ask(1), again(b"x"));
    at.next(b"x");
    assert_eq!(at.receiver.answers(), 256);
    assert_eq!(code(&at.ask(1)), Some(ErrorCode::Expired));
    assert_eq!(at.ask(2), again(b"x"));
}

#[test]
fn answers_have_their_bytes() {
    let limits = DeliveryLimits {
        answers_bytes: 10,
        ..DeliveryLimits::default()
    };
    let mut at = Asking::new(limits);
    at.next(b"12345");
    at.next(b"12345");
    assert_eq!(at.ask(1), again(b"12345"));
    at.next(b"1");
    assert_eq!(code(&at.ask(1)), Some(ErrorCode::Expired));
    assert_eq!(at.ask(2), again(b"12345"));
    at.next(&[b'x'; 11]);
    assert_eq!(
        code(&at.ask(4)),
        Some(ErrorCode::Expired),
        "too long to keep"
    );
    assert_eq!([at.ask(2), at.ask(3)], [again(b"12345"), again(b"1")]);
    at.next(&[b'x'; 10]);
    assert_eq!(at.ask(5), again(&[b'x'; 10]));
    assert_eq!(at.receiver.answers(), 1);
}

#[test]
fn without_room_for_answers_each_request_is_still_executed_once() {
    let limits = DeliveryLimits {
        answers: 0,
        ..DeliveryLimits::default()
    };
    let mut at = Asking::new(limits);
    at.next(b"x");
    assert_eq!(code(&at.ask(1)), Some(ErrorCode::Expired));
    assert_eq!(at.receiver.answers(), 0);
}

#[test]
fn where_all_streams_are_in_use_a_request_is_sent_again_later() {
    let limits = DeliveryLimits {
        streams: 1,
        ..DeliveryLimits::default()
    };
    let mut at = Asking::new(limits);
    at.next(b"x");
    let (now, bob) = (at.now, origin("bob", "b1"));
    let asked = at.receiver.asked(now, &bob, "1", 1, 1);
    assert_eq!(code(&asked), Some(ErrorCode::Busy));
    let asked = at
        .receiver
        .asked(now + Duration::from_mins(10), &bob, "1", 1, 1);
    assert_eq!(asked, Asked::Run, "what was refused so is not known");
}
