//! A receiver whose handlers note what they run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use protocol_core::PeerId;
use protocol_core::connection::DeliveryLimits;
use protocol_core::connection::delivery::{Asked, Origin, Processed, Receiver, Verdict};
use protocol_core::wire::{ErrorCode, WireError};

/// What a handler makes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Result {
    /// It is done.
    Done,
    /// It refuses the event.
    Refused,
    /// It refuses the event for now.
    Later,
}

/// One end that receives, in one of its lives.
pub(super) struct End {
    /// None for a server itself.
    pub(super) peer: Option<PeerId>,
    /// Whether it understands numbers.
    pub(super) takes_numbers: bool,
    limits: DeliveryLimits,
    lives: u32,
    receiver: Receiver,
    /// What is being run: for whom, its number, and which pass it is.
    running: Vec<(Origin, u64, Option<u32>)>,
    asked: Vec<(Origin, u64, String)>,
    /// What was run by strangers' numbers, in this life.
    strays: BTreeSet<(bool, u64)>,
    /// The passes that were run, in all lives, and what came of them.
    pub(super) ran: BTreeMap<u32, Option<Result>>,
}

/// The words of a handler that refuses.
pub(super) const UNWANTED: &str = "unwanted";

fn sender() -> Origin {
    Origin {
        from: None,
        inc: "s1".into(),
    }
}

fn stranger() -> Origin {
    Origin {
        from: None,
        inc: "s2".into(),
    }
}

impl End {
    pub(super) fn new(peer: Option<PeerId>, takes_numbers: bool, limits: DeliveryLimits) -> Self {
        Self {
            peer,
            takes_numbers,
            limits,
            lives: 1,
            receiver: Receiver::new(limits),
            running: Vec::new(),
            asked: Vec::new(),
            strays: BTreeSet::new(),
            ran: BTreeMap::new(),
        }
    }

    pub(super) fn life(&self) -> String {
        format!("l{}", self.lives)
    }

    /// Forgets all, but what was run.
    pub(super) fn restart(&mut self) {
        self.lives += 1;
        self.receiver = Receiver::new(self.limits);
        self.running.clear();
        self.asked.clear();
        self.strays.clear();
    }

    pub(super) fn is_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// Takes a pass; returns what is answered at once.
    pub(super) fn take(
        &mut self,
        now: Instant,
        pass: u32,
        seq: u64,
        base: Option<u64>,
    ) -> Option<std::result::Result<Processed, WireError>> {
        match self.receiver.judge(now, &sender(), seq, base) {
            Verdict::Run => {
                let last = self.ran.last_key_value();
                assert!(
                    last.is_none_or(|(last, _)| *last < pass),
                    "{pass} is run twice, or too late"
                );
                self.ran.insert(pass, None);
                self.running.push((sender(), seq, Some(pass)));
                None
            }
            Verdict::Running => None,
            Verdict::Again(processed) => Some(Ok(processed)),
            Verdict::Refused(error) => Some(Err(error)),
        }
    }

    /// Takes a stranger's pass.
    pub(super) fn stray(&mut self, now: Instant, seq: u64, base: Option<u64>) {
        if self.receiver.judge(now, &stranger(), seq, base) == Verdict::Run {
            assert!(self.strays.insert((false, seq)), "{seq} is run twice");
            self.running.push((stranger(), seq, None));
        }
    }

    /// Ends the oldest handler; returns the pass and what is answered, if the sender is to hear of it.
    pub(super) fn process(
        &mut self,
        now: Instant,
        how: Result,
    ) -> Option<(u32, std::result::Result<Processed, WireError>)> {
        if self.running.is_empty() {
            return None;
        }
        let (origin, seq, pass) = self.running.remove(0);
        let error = WireError {
            code: UNWANTED.into(),
            message: "x".repeat(usize::try_from(seq % 3).unwrap() * 700),
            data: None,
        };
        let answer = match how {
            Result::Later => {
                self.receiver.put_back(&origin, seq);
                Err(WireError::new(ErrorCode::Busy, "later"))
            }
            Result::Done => Ok(self.receiver.processed(now, &origin, seq, Ok(()))),
            Result::Refused => Ok(self.receiver.processed(now, &origin, seq, Err(&error))),
        };
        let Some(pass) = pass else {
            if how == Result::Later {
                self.strays.remove(&(false, seq));
            }
            return None;
        };
        if how == Result::Later {
            self.ran.remove(&pass);
        } else {
            self.ran.insert(pass, Some(how));
        }
        Some((pass, answer))
    }

    /// Takes a stranger's request.
    pub(super) fn ask(&mut self, now: Instant, id: usize, seq: u64, body: u64) {
        let id = format!("r{id}");
        let asked = self.receiver.asked(now, &stranger(), &id, seq, body);
        if asked == Asked::Run {
            assert!(self.strays.insert((true, seq)), "{seq} is executed twice");
            self.asked.push((stranger(), seq, id));
        }
        let kept = self.limits.answers + self.asked.len();
        assert!(self.receiver.answers() <= kept, "too much is kept");
    }

    /// Ends the oldest handler of a request: with an answer of so many bytes, or for now.
    pub(super) fn reply(&mut self, now: Instant, answer: Option<usize>) {
        if self.asked.is_empty() {
            return;
        }
        let (origin, seq, id) = self.asked.remove(0);
        if let Some(bytes) = answer {
            self.receiver
                .answered(now, &origin, &id, &vec![b'x'; bytes]);
        } else {
            self.receiver.unasked(&origin, &id, seq);
            self.strays.remove(&(true, seq));
        }
    }
}
