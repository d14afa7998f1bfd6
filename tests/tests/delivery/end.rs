//! A receiver and its handlers, behind the queues of its link, and mistakes that somebody could make
//! around it.

use std::collections::VecDeque;
use std::time::Instant;

use protocol_core::PeerId;
use protocol_core::connection::delivery::{
    Asked, DeliveryLimits, Origin, Processed, Receiver, Verdict,
};
use protocol_core::wire::WireError;

use crate::truth::{Run, Truth};

/// A mistake around the real parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Flaw {
    None,
    /// What was processed before is run again.
    NoDeduplication,
    /// The receiver knows the last id, not a number.
    WindowOfIds,
    /// The relay acknowledges what it passes on.
    RelayAcknowledges,
    /// The receiver runs what is not its turn.
    GapAccepted,
}

/// A pass or a request on its way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    pub(crate) id: u8,
    pub(crate) is_request: bool,
    pub(crate) dest: usize,
    pub(crate) life: Option<String>,
    pub(crate) seq: u64,
    pub(crate) base: Option<u64>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) id: u8,
    /// None where it is the relay's.
    pub(crate) from: Option<usize>,
    pub(crate) says: Says,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Says {
    Processed(Processed),
    Refused(WireError),
    /// The place of the execution.
    Response(u8),
    RequestRefused,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct End {
    pub(crate) id: PeerId,
    at: usize,
    flaw: Flaw,
    limits: DeliveryLimits,
    life: u8,
    receiver: Receiver,
    /// The pass that is being run.
    pub(crate) running: Option<Frame>,
    /// Requests that are being executed, and where that is written down.
    pub(crate) executing: VecDeque<(Frame, u8)>,
    pub(crate) inbox: VecDeque<Frame>,
    pub(crate) outbox: VecDeque<Answer>,
    /// What [`Flaw::WindowOfIds`] remembers.
    last_id: Option<u8>,
}

impl End {
    pub(crate) fn new(id: PeerId, at: usize, flaw: Flaw, limits: DeliveryLimits) -> Self {
        Self {
            id,
            at,
            flaw,
            limits,
            life: 1,
            receiver: Receiver::new(limits),
            running: None,
            executing: VecDeque::new(),
            inbox: VecDeque::new(),
            outbox: VecDeque::new(),
            last_id: None,
        }
    }

    /// The text of its life.
    pub(crate) fn inc(&self) -> String {
        format!("life {}", self.life)
    }

    /// Takes the next frame.
    pub(crate) fn take(&mut self, now: Instant, truth: &mut Truth) {
        let Some(frame) = self.inbox.pop_front() else {
            return;
        };
        if frame.is_request {
            self.asked(now, frame, truth);
            return;
        }
        let verdict = match self.flaw {
            Flaw::WindowOfIds if self.last_id == Some(frame.id) => {
                Verdict::Again(alone(frame.seq, None))
            }
            Flaw::WindowOfIds => Verdict::Run,
            _ => self.receiver.judge(now, &origin(), frame.seq, frame.base),
        };
        let verdict = match (self.flaw, verdict) {
            (Flaw::NoDeduplication, Verdict::Again(_))
            | (Flaw::GapAccepted, Verdict::Refused(_)) => Verdict::Run,
            (_, verdict) => verdict,
        };
        match verdict {
            // Mistakes are not to be found because two run at once.
            Verdict::Run if self.flaw != Flaw::None && self.running.is_some() => {}
            Verdict::Run => {
                truth.runs.push(Run {
                    dest: self.at,
                    life: self.life,
                    pass: frame.id,
                    result: None,
                });
                self.last_id = Some(frame.id);
                self.running = Some(frame);
            }
            Verdict::Running => {}
            Verdict::Again(processed) => self.say(frame.id, Says::Processed(processed)),
            Verdict::Refused(error) => self.say(frame.id, Says::Refused(error)),
        }
    }

    fn asked(&mut self, now: Instant, frame: Frame, truth: &mut Truth) {
        let id = frame.id.to_string();
        match self.receiver.asked(now, &origin(), &id, frame.seq, 0) {
            Asked::Run => {
                let place = u8::try_from(truth.executions.len()).expect("few executions");
                truth.executions.push((self.at, self.life, frame.id));
                self.executing.push_back((frame, place));
            }
            Asked::Running => {}
            Asked::Again(answer) => self.say(frame.id, Says::Response(answer[0])),
            Asked::Refused(_) => self.say(frame.id, Says::RequestRefused),
        }
    }

    /// The handler ends.
    pub(crate) fn finish(&mut self, now: Instant, is_well: bool, truth: &mut Truth) {
        let Some(frame) = self.running.take() else {
            return;
        };
        let run = self.place_of(&frame, truth);
        truth.runs[run].result = Some(is_well);
        let error = WireError {
            code: "unwanted".into(),
            message: String::new(),
            data: None,
        };
        let result = if is_well { Ok(()) } else { Err(&error) };
        let processed = self.receiver.processed(now, &origin(), frame.seq, result);
        let processed = if matches!(self.flaw, Flaw::WindowOfIds | Flaw::GapAccepted) {
            alone(frame.seq, result.err().cloned())
        } else {
            processed
        };
        self.say(frame.id, Says::Processed(processed));
    }

    /// The handler was not run after all.
    pub(crate) fn put_back(&mut self, truth: &mut Truth) {
        if let Some(frame) = self.running.take() {
            truth.runs.remove(self.place_of(&frame, truth));
            self.receiver.put_back(&origin(), frame.seq);
        }
    }

    fn place_of(&self, frame: &Frame, truth: &Truth) -> usize {
        let is_it = |run: &Run| (run.dest, run.pass) == (self.at, frame.id);
        truth.runs.iter().rposition(is_it).expect("it began")
    }

    /// Answers the oldest request.
    pub(crate) fn reply(&mut self, now: Instant) {
        if let Some((frame, place)) = self.executing.pop_front() {
            let id = frame.id.to_string();
            self.receiver.answered(now, &origin(), &id, &[place]);
            self.say(frame.id, Says::Response(place));
        }
    }

    fn say(&mut self, id: u8, says: Says) {
        let from = Some(self.at);
        self.outbox.push_back(Answer { id, from, says });
    }

    /// Its link is lost with all that is in it.
    pub(crate) fn cut(&mut self) {
        self.inbox.clear();
        self.outbox.clear();
    }

    /// Its process is started anew.
    pub(crate) fn restart(&mut self) {
        let id = self.id.clone();
        *self = Self {
            life: self.life + 1,
            ..Self::new(id, self.at, self.flaw, self.limits)
        };
    }
}

fn origin() -> Origin {
    Origin {
        from: PeerId::new("alice").ok(),
        inc: "her life".into(),
    }
}

/// An acknowledgement that speaks for one pass.
pub(crate) fn alone(seq: u64, error: Option<WireError>) -> Processed {
    Processed {
        ack: seq,
        since: Some(seq),
        error,
    }
}
