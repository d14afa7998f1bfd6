//! A sender, a relay and receivers, each link a queue that can be cut: the real [`Sender`] and
//! [`Receiver`] in a world in which everything happens one act at a time.
//!
//! Knows what can happen; must not know in which order.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use protocol_core::PeerId;
use protocol_core::connection::delivery::{DeliveryLimits, Ended, Pass, Processed, Sender};
use protocol_core::wire::{ErrorCode, WireError};
use uuid::Uuid;

use crate::end::{Answer, End, Flaw, Frame, Says, alone};
use crate::truth::{Fate, Truth};

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
pub(crate) struct World {
    flaw: Flaw,
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
        let end = |(at, name): (usize, &&str)| {
            End::new(PeerId::new(name).expect("a name"), at, flaw, receivers)
        };
        Self {
            flaw,
            now,
            sender: Sender::new(sender),
            room,
            asked: Vec::new(),
            ends: names.iter().enumerate().map(end).collect(),
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
            Act::Take(at) => self.ends[at].take(self.now, &mut self.truth),
            Act::Finish(at, is_well) => {
                self.ends[at].finish(self.now, is_well, &mut self.truth);
            }
            Act::PutBack(at) => self.ends[at].put_back(&mut self.truth),
            Act::Reply(at) => self.ends[at].reply(self.now),
            Act::Return(at) => self.down.extend(self.ends[at].outbox.pop_front()),
            Act::Hear => self.hear(),
            Act::CutSender => self.cut_sender(),
            Act::CutReceiver(at) => self.ends[at].cut(),
            Act::CrashRelay => {
                self.ends.iter_mut().for_each(End::cut);
                self.cut_sender();
            }
            Act::Restart(at) => self.ends[at].restart(),
            Act::Wake => {
                let due = self.sender.next_deadline();
                self.now = due.map_or(self.now, |due| due.max(self.now));
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
        let taken = self.sender.confirm(Some(&self.ends[dest].id), pass);
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
}
