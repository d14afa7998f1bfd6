//! A sender, a relay and receivers, each link a queue that can be cut: the real [`Sender`] and
//! [`Receiver`] in a world in which everything happens one act at a time.
//!
//! Knows what can happen; must not know in which order.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use protocol_core::PeerId;
use protocol_core::connection::delivery::{
    Asked, DeliveryLimits, Ended, Origin, Pass, Processed, Receiver, Sender, Verdict,
};
use protocol_core::wire::{ErrorCode, WireError};
use uuid::Uuid;

use crate::truth::{Fate, Run, Truth};

/// A mistake that somebody could make, around the real parts.
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

/// What can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Confirm(usize, Duration),
    Ask(usize),
    /// The relay takes the next frame and passes it on, unless it is for another life.
    Relay,
    /// The relay refuses the next frame.
    Refuse(ErrorCode),
    /// A receiver takes the next frame.
    Take(usize),
    /// A handler ends, well or not.
    Finish(usize, bool),
    /// A handler that was to run does not.
    PutBack(usize),
    /// The oldest request is answered.
    Reply(usize),
    /// The relay passes an answer back.
    Return(usize),
    /// The sender takes the next answer.
    Hear,
    CutSender,
    CutReceiver(usize),
    CrashRelay,
    Restart(usize),
    /// What is due next happens.
    Wake,
    Pass(Duration),
    /// Whoever waits for a pass leaves.
    Leave(usize),
}

#[derive(Debug, Clone, PartialEq)]
struct Frame {
    id: u8,
    is_request: bool,
    dest: usize,
    life: Option<String>,
    seq: u64,
    base: Option<u64>,
}

#[derive(Debug, Clone, PartialEq)]
struct Answer {
    id: u8,
    /// None where it is the relay's.
    from: Option<usize>,
    says: Says,
}

#[derive(Debug, Clone, PartialEq)]
enum Says {
    Processed(Processed),
    Refused(WireError),
    /// The place of the execution.
    Response(u8),
    RequestRefused,
}

#[derive(Debug, Clone, PartialEq)]
struct End {
    id: PeerId,
    life: u8,
    receiver: Receiver,
    /// The pass that is being run, and its place among the runs.
    running: Option<(Frame, usize)>,
    executing: VecDeque<(Frame, usize)>,
    inbox: VecDeque<Frame>,
    outbox: VecDeque<Answer>,
    /// What [`Flaw::WindowOfIds`] remembers.
    last_id: Option<u8>,
}

impl End {
    fn inc(&self) -> String {
        format!("life {}", self.life)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct World {
    flaw: Flaw,
    limits: DeliveryLimits,
    now: Instant,
    sender: Sender<u8>,
    /// Frames that the link takes at a time.
    room: usize,
    asked: Vec<(Frame, bool)>,
    ends: Vec<End>,
    up: VecDeque<Frame>,
    down: VecDeque<Answer>,
    pub(crate) truth: Truth,
}

fn origin() -> Origin {
    Origin {
        from: PeerId::new("alice").ok(),
        inc: "her life".into(),
    }
}

impl World {
    /// `sender` and `receivers` are the limits of the two sides, which need not agree.
    pub(crate) fn new(
        now: Instant,
        flaw: Flaw,
        sender: DeliveryLimits,
        receivers: DeliveryLimits,
        names: &[&str],
        room: usize,
    ) -> Self {
        let end = |name: &&str| End {
            id: PeerId::new(name).expect("a name"),
            life: 1,
            receiver: Receiver::new(receivers),
            running: None,
            executing: VecDeque::new(),
            inbox: VecDeque::new(),
            outbox: VecDeque::new(),
            last_id: None,
        };
        Self {
            flaw,
            limits: receivers,
            now,
            sender: Sender::new(sender),
            room,
            asked: Vec::new(),
            ends: names.iter().map(end).collect(),
            up: VecDeque::new(),
            down: VecDeque::new(),
            truth: Truth::default(),
        }
    }

    pub(crate) fn can(&self, act: Act) -> bool {
        match act {
            Act::Confirm(..) | Act::Ask(_) => self.truth.passes.len() + self.asked.len() < 250,
            Act::Relay => !self.up.is_empty(),
            Act::Refuse(_) => self.up.front().is_some_and(|frame| !frame.is_request),
            Act::Take(at) => !self.ends[at].inbox.is_empty(),
            Act::Finish(at, _) | Act::PutBack(at) => self.ends[at].running.is_some(),
            Act::Reply(at) => !self.ends[at].executing.is_empty(),
            Act::Return(at) => !self.ends[at].outbox.is_empty(),
            Act::Hear => !self.down.is_empty(),
            Act::Wake => self.sender.next_deadline().is_some(),
            Act::Leave(pass) => {
                let fate = self.truth.passes.get(pass);
                fate.is_some_and(|fate| fate.ended.is_none() && !fate.swept)
            }
            Act::CutSender
            | Act::CutReceiver(_)
            | Act::CrashRelay
            | Act::Restart(_)
            | Act::Pass(_) => true,
        }
    }

    /// Does what [`can`](Self::can) happen, and lets the sender send what is to be sent then.
    pub(crate) fn act(&mut self, act: Act) {
        match act {
            Act::Confirm(dest, time) => self.confirm(dest, time),
            Act::Ask(dest) => self.ask(dest),
            Act::Relay => self.relay(),
            Act::Refuse(code) => self.refuse(code),
            Act::Take(at) => self.take(at),
            Act::Finish(at, is_well) => self.finish(at, is_well),
            Act::PutBack(at) => self.put_back(at),
            Act::Reply(at) => self.reply(at),
            Act::Return(at) => self.down.extend(self.ends[at].outbox.pop_front()),
            Act::Hear => self.hear(),
            Act::CutSender => self.cut_sender(),
            Act::CutReceiver(at) => self.cut_receiver(at),
            Act::CrashRelay => {
                (0..self.ends.len()).for_each(|at| self.cut_receiver(at));
                self.cut_sender();
            }
            Act::Restart(at) => self.restart(at),
            Act::Wake => {
                self.now = self
                    .sender
                    .next_deadline()
                    .unwrap_or(self.now)
                    .max(self.now)
            }
            Act::Pass(time) => self.now += time,
            Act::Leave(pass) => {
                self.truth.passes[pass].swept = true;
                self.sender.sweep(|waiter| usize::from(*waiter) == pass);
            }
        }
        if matches!(
            act,
            Act::Wake | Act::Pass(_) | Act::CutSender | Act::CrashRelay
        ) {
            let mut ended = Vec::new();
            let end = |waiter, how| ended.push((waiter, how));
            self.sender.handle_timeout(self.now, end);
            self.end(ended);
        }
        self.transmit();
    }

    /// Whether the sums of the sender are those of what is open; with nothing open they are 0.
    pub(crate) fn sums_are_true(&self) -> bool {
        let open = self.truth.open().count();
        let bytes: usize = self.truth.open().map(|pass| pass.bytes).sum();
        let most: usize = self.truth.passes.iter().map(|pass| pass.bytes).sum();
        let is_empty = open == 0 && self.sender.in_flight() == 0;
        self.sender.open() == open
            && (bytes..=most).contains(&self.sender.bytes())
            && is_empty == (self.sender.bytes() == 0)
    }

    /// Whether all that is open ends within `time` if nothing else goes wrong.
    pub(crate) fn settles(mut self, time: Duration) -> bool {
        let until = self.now + time;
        let open = self.asked.iter().filter(|(_, is_open)| *is_open);
        self.up.extend(open.map(|(frame, _)| frame.clone()));
        for _ in 0..100_000 {
            let mut acts = vec![Act::Relay, Act::Hear];
            for at in 0..self.ends.len() {
                acts.extend([Act::Take(at), Act::Finish(at, true)]);
                acts.extend([Act::Reply(at), Act::Return(at)]);
            }
            if let Some(act) = acts.into_iter().find(|act| self.can(*act)) {
                self.act(act);
            } else if self.sender.is_ready() {
                self.transmit();
            } else if self.sender.open() == 0 && self.sender.in_flight() == 0 {
                return self.sender.bytes() == 0 && self.asked.iter().all(|(_, is_open)| !is_open);
            } else if self.sender.next_deadline().is_some_and(|due| due <= until) {
                self.act(Act::Wake);
            } else {
                return false;
            }
        }
        false
    }

    fn confirm(&mut self, dest: usize, time: Duration) {
        let pass = u8::try_from(self.truth.passes.len()).expect("few passes");
        let bytes = 1 + usize::from(pass) % 7;
        self.truth.passes.push(Fate {
            dest,
            bytes,
            ended: None,
            swept: false,
        });
        let pass = Pass {
            id: Uuid::from_u128(pass.into()),
            start: vec![b'x'; bytes],
            deadline: self.now + time,
            waiter: pass,
        };
        let taken = self
            .sender
            .confirm(self.now, Some(&self.ends[dest].id), pass);
        taken.expect("a destination that understands numbers");
    }

    fn ask(&mut self, dest: usize) {
        let frame = Frame {
            id: u8::try_from(self.asked.len()).expect("few requests"),
            is_request: true,
            dest,
            life: Some(self.ends[dest].inc()),
            seq: self.sender.next_request(),
            base: None,
        };
        self.asked.push((frame.clone(), true));
        self.up.push_back(frame);
    }

    fn transmit(&mut self) {
        let (up, ends, mut room) = (&mut self.up, &self.ends, self.room);
        let passes = &self.truth.passes;
        self.sender.transmit(self.now, |sent| {
            let id = u8::try_from(sent.id.as_u128()).expect("an id of this world");
            let dest = passes[usize::from(id)].dest;
            assert_eq!(sent.start.len(), passes[usize::from(id)].bytes);
            assert!(dest < ends.len());
            up.push_back(Frame {
                id,
                is_request: false,
                dest,
                life: sent.dest_inc.map(str::to_owned),
                seq: sent.seq,
                base: sent.base,
            });
            room -= 1;
            room > 0
        });
    }

    fn relay(&mut self) {
        let Some(frame) = self.up.pop_front() else {
            return;
        };
        let end = &mut self.ends[frame.dest];
        let inc = end.inc();
        if frame.life.as_deref() != Some(&*inc) {
            let says = if frame.is_request {
                Says::RequestRefused
            } else {
                Says::Refused(WireError::stale_dest(Some(&inc)))
            };
            let (id, from) = (frame.id, None);
            self.down.push_back(Answer { id, from, says });
            return;
        }
        if self.flaw == Flaw::RelayAcknowledges && !frame.is_request {
            let says = Says::Processed(alone(frame.seq, None));
            let (id, from) = (frame.id, Some(frame.dest));
            self.down.push_back(Answer { id, from, says });
        }
        end.inbox.push_back(frame);
    }

    fn refuse(&mut self, code: ErrorCode) {
        if let Some(Frame { id, .. }) = self.up.pop_front() {
            let says = Says::Refused(WireError::new(code, ""));
            let from = None;
            self.down.push_back(Answer { id, from, says });
        }
    }

    fn take(&mut self, at: usize) {
        let (now, flaw) = (self.now, self.flaw);
        let end = &mut self.ends[at];
        let Some(frame) = end.inbox.pop_front() else {
            return;
        };
        let (id, from) = (frame.id, Some(at));
        if frame.is_request {
            let seq = frame.seq;
            let says = match end.receiver.asked(now, &origin(), &id.to_string(), seq, 0) {
                Asked::Run => {
                    end.executing
                        .push_back((frame, self.truth.executions.len()));
                    self.truth.executions.push((at, end.life, id));
                    return;
                }
                Asked::Running => return,
                Asked::Again(answer) => Says::Response(answer[0]),
                Asked::Refused(_) => Says::RequestRefused,
            };
            end.outbox.push_back(Answer { id, from, says });
            return;
        }
        let verdict = match flaw {
            Flaw::WindowOfIds if end.last_id == Some(id) => Verdict::Again(alone(frame.seq, None)),
            Flaw::WindowOfIds => Verdict::Run,
            _ => end.receiver.judge(now, &origin(), frame.seq, frame.base),
        };
        let says = match (flaw, verdict) {
            // The mistakes are not to be found by running two at once.
            (Flaw::WindowOfIds, Verdict::Run) if end.running.is_some() => return,
            (_, Verdict::Run)
            | (Flaw::NoDeduplication, Verdict::Again(_))
            | (Flaw::GapAccepted, Verdict::Refused(_))
                if flaw == Flaw::None || end.running.is_none() =>
            {
                let run = Run {
                    dest: at,
                    life: end.life,
                    pass: id,
                    result: None,
                };
                end.last_id = Some(id);
                end.running = Some((frame, self.truth.runs.len()));
                self.truth.runs.push(run);
                return;
            }
            (_, Verdict::Run | Verdict::Running) => return,
            (_, Verdict::Again(processed)) => Says::Processed(processed),
            (_, Verdict::Refused(error)) => Says::Refused(error),
        };
        end.outbox.push_back(Answer { id, from, says });
    }

    fn finish(&mut self, at: usize, is_well: bool) {
        let (now, flaw) = (self.now, self.flaw);
        let end = &mut self.ends[at];
        let Some((frame, run)) = end.running.take() else {
            return;
        };
        self.truth.runs[run].result = Some(is_well);
        let error = WireError {
            code: "unwanted".into(),
            message: String::new(),
            data: None,
        };
        let result = if is_well { Ok(()) } else { Err(&error) };
        let processed = end.receiver.processed(now, &origin(), frame.seq, result);
        let processed = if matches!(flaw, Flaw::WindowOfIds | Flaw::GapAccepted) {
            alone(frame.seq, result.err().cloned())
        } else {
            processed
        };
        end.outbox.push_back(Answer {
            id: frame.id,
            from: Some(at),
            says: Says::Processed(processed),
        });
    }

    /// As if it had never begun.
    fn put_back(&mut self, at: usize) {
        let end = &mut self.ends[at];
        if let Some((frame, run)) = end.running.take() {
            end.receiver.put_back(&origin(), frame.seq);
            self.truth.runs.remove(run);
            for other in &mut self.ends {
                if let Some((_, place)) = &mut other.running
                    && *place > run
                {
                    *place -= 1;
                }
            }
        }
    }

    fn reply(&mut self, at: usize) {
        let end = &mut self.ends[at];
        if let Some((frame, execution)) = end.executing.pop_front() {
            let place = u8::try_from(execution).expect("few executions");
            let id = frame.id.to_string();
            end.receiver.answered(self.now, &origin(), &id, &[place]);
            end.outbox.push_back(Answer {
                id: frame.id,
                from: Some(at),
                says: Says::Response(place),
            });
        }
    }

    fn hear(&mut self) {
        let Some(Answer { id, from, says }) = self.down.pop_front() else {
            return;
        };
        let now = self.now;
        let mut ended = Vec::new();
        let end = |waiter, how| ended.push((waiter, how));
        let dest = from.map(|at| &self.ends[at].id);
        match says {
            Says::Processed(Processed { ack, since, error }) => {
                self.sender.acknowledged(now, dest, ack, since, error, end);
            }
            Says::Refused(error) => {
                let id = Uuid::from_u128(id.into());
                self.sender.refused(now, dest, id, &error, end);
            }
            Says::Response(place) => {
                self.truth.answers.push((id, place.into()));
                self.asked[usize::from(id)].1 = false;
            }
            Says::RequestRefused => self.asked[usize::from(id)].1 = false,
        }
        self.end(ended);
    }

    fn end(&mut self, ended: Vec<(u8, Ended)>) {
        for (pass, how) in ended {
            let fate = &mut self.truth.passes[usize::from(pass)];
            assert!(fate.ended.is_none() && !fate.swept, "{pass} ends twice");
            fate.ended = Some(how);
        }
    }

    fn cut_sender(&mut self) {
        self.up.clear();
        self.down.clear();
        self.sender.send_again(self.now);
        let open = self.asked.iter().filter(|(_, is_open)| *is_open);
        self.up.extend(open.map(|(frame, _)| frame.clone()));
    }

    fn cut_receiver(&mut self, at: usize) {
        self.ends[at].inbox.clear();
        self.ends[at].outbox.clear();
    }

    fn restart(&mut self, at: usize) {
        self.cut_receiver(at);
        let end = &mut self.ends[at];
        end.life += 1;
        end.receiver = Receiver::new(self.limits);
        end.running = None;
        end.executing.clear();
        end.last_id = None;
    }
}

/// An acknowledgement that speaks for one pass.
fn alone(seq: u64, error: Option<WireError>) -> Processed {
    Processed {
        ack: seq,
        since: Some(seq),
        error,
    }
}
