//! One stream: what is sent and open, what waits behind it, and when to try again.

mod answered;

use std::collections::VecDeque;
use std::mem;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::sent::{After, Sent};
use super::{Ended, Pass, Pin, Transmission};
use crate::connection::delivery::DeliveryLimits;
use crate::metrics;
use crate::wire::{ErrorCode, WireError};

/// How often a receiver may have all that is open sent again.
const NUDGE_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stream<W> {
    pub(super) pin: Pin,
    pub(super) waiting: VecDeque<Pass<W>>,
    pub(super) sent: VecDeque<Sent<W>>,
    /// The number of the next that is sent. Those of one stream have no gaps, or its receiver would
    /// wait for what never comes.
    next: u64,
    sent_bytes: usize,
    /// The first of `sent` that is to be transmitted.
    cursor: usize,
    /// Rises when everything open is sent again, so that refusals of earlier frames say nothing new.
    round: u32,
    /// When everything open is sent again.
    pub(super) retry_at: Option<Instant>,
    /// Nothing is sent until then.
    paused: bool,
    /// Attempts since the last progress.
    attempts: u32,
    refusals: u32,
    progress_at: Option<Instant>,
    nudged_at: Option<Instant>,
    /// Until then the receiver may not have come back to a relay that knows nobody yet.
    absent_until: Option<Instant>,
}

impl<W> Stream<W> {
    /// Nothing was sent in it yet; its numbers begin at `next`.
    pub(super) fn new(next: u64, pin: Pin) -> Self {
        Self {
            pin,
            waiting: VecDeque::new(),
            sent: VecDeque::new(),
            next,
            sent_bytes: 0,
            cursor: 0,
            round: 0,
            retry_at: None,
            paused: false,
            attempts: 0,
            refusals: 0,
            progress_at: None,
            nudged_at: None,
            absent_until: None,
        }
    }

    /// All numbers from this one on were never given.
    pub(super) fn next(&self) -> u64 {
        self.next
    }
}

impl<W> Stream<W> {
    pub(super) fn in_flight(&self) -> usize {
        self.sent.iter().filter(|sent| !sent.settled).count()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.sent.is_empty() && self.waiting.is_empty()
    }

    pub(super) fn has_work(&self) -> bool {
        !self.paused && (self.cursor < self.sent.len() || !self.waiting.is_empty())
    }

    pub(super) fn is_sent(&self, id: Uuid) -> bool {
        self.sent.iter().any(|sent| sent.id == id && !sent.settled)
    }

    pub(super) fn go_back(&mut self) {
        let repeats = |sent: &Sent<W>| sent.times > 0 && !sent.settled;
        if self.sent.iter().any(repeats) {
            metrics::count(metrics::RESEND_ROUNDS);
        }
        self.cursor = 0;
        self.round += 1;
        self.paused = false;
    }

    /// The receiver is back: what is open may have been lost. Not so soon again, whoever says it.
    pub(super) fn nudged(&mut self, now: Instant, after: &mut After) {
        let is_soon = self.nudged_at.is_some_and(|at| at + NUDGE_EVERY > now);
        if self.sent.is_empty() || is_soon {
            return;
        }
        self.nudged_at = Some(now);
        self.absent_until = None;
        self.go_back();
        self.retry_at = None;
        after.is_ready = true;
    }

    /// The relay knows nobody yet: who is not there may be on its way, until `until`.
    pub(super) fn scattered(&mut self, until: Instant) {
        if matches!(self.pin, Pin::Life(_)) {
            self.absent_until = Some(until);
        }
    }

    pub(super) fn learn(&mut self, pin: Pin, after: &mut After, end: &mut impl FnMut(W, Ended)) {
        self.absent_until = None;
        if self.pin == pin {
            return;
        }
        let before = mem::replace(&mut self.pin, pin);
        let is_probe = before == Pin::Unknown;
        if is_probe && self.pin == Pin::Absent {
            // What was sent to find that out was refused by the relay.
            for sent in self.sent.drain(..).rev() {
                if let Some(waiter) = sent.waiter {
                    self.waiting.push_front(Pass {
                        id: sent.id,
                        start: sent.start,
                        deadline: sent.deadline,
                        waiter,
                    });
                } else {
                    after.freed += sent.start.len();
                }
            }
            self.sent_bytes = 0;
        } else if !is_probe {
            let text =
                "the peer's program was started anew, so nobody knows what became of the event";
            let error = WireError::new(ErrorCode::StaleDest, text);
            self.give_up(after, |waiter| end(waiter, Ended::Unknown(error.clone())));
        }
        self.go_back();
        self.retry_at = None;
        self.progress_at = None;
        self.attempts = 0;
        self.refusals = 0;
        after.is_ready = true;
    }

    /// Ends all that is sent; nothing of it is sent again.
    fn give_up(&mut self, after: &mut After, mut end: impl FnMut(W)) {
        for sent in self.sent.drain(..) {
            after.freed += sent.start.len();
            if let Some(waiter) = sent.waiter {
                after.ended += 1;
                end(waiter);
            }
        }
        self.sent_bytes = 0;
        self.cursor = 0;
        self.retry_at = None;
        self.progress_at = None;
        self.attempts = 0;
        self.refusals = 0;
        self.paused = false;
    }

    /// Returns whether there is room for more.
    pub(super) fn transmit(
        &mut self,
        now: Instant,
        limits: &DeliveryLimits,
        write: &mut impl FnMut(Transmission<'_>) -> bool,
    ) -> bool {
        if self.paused {
            return true;
        }
        let mut has_room = true;
        while has_room && (self.cursor < self.sent.len() || self.number(limits)) {
            let place = self.cursor;
            self.cursor += 1;
            let round = self.round;
            let dest_inc = match &self.pin {
                Pin::Life(inc) => Some(&**inc),
                Pin::Unknown | Pin::Absent => None,
            };
            let sent = &mut self.sent[place];
            if sent.settled {
                continue;
            }
            sent.round = round;
            sent.times += 1;
            has_room = write(Transmission {
                id: sent.id,
                start: &sent.start,
                dest_inc,
                seq: sent.seq,
                // What is settled leaves the front at once.
                base: (place == 0).then_some(sent.seq),
            });
            self.progress_at.get_or_insert(now);
            if self.retry_at.is_none() {
                let attempts = self.attempts.min(16);
                let wait = limits.resend_after.saturating_mul(1 << attempts);
                self.retry_at = Some(now + wait.min(limits.resend_at_most));
            }
        }
        has_room
    }

    /// Gives the next that waits its number, if the window has room; whether it did. Before it is
    /// known which life the destination is in, one is enough to ask.
    fn number(&mut self, limits: &DeliveryLimits) -> bool {
        let most = match self.pin {
            Pin::Unknown => 1,
            Pin::Absent => 0,
            Pin::Life(_) => limits.window_events.max(1),
        };
        let bytes = self.waiting.front().map_or(0, |pass| pass.start.len());
        let is_full = self.sent.len() >= most
            || (!self.sent.is_empty() && self.sent_bytes + bytes > limits.window_bytes);
        if is_full {
            return false;
        }
        let Some(pass) = self.waiting.pop_front() else {
            return false;
        };
        self.sent_bytes += pass.start.len();
        self.sent.push_back(Sent {
            seq: self.next,
            id: pass.id,
            start: pass.start,
            deadline: pass.deadline,
            waiter: Some(pass.waiter),
            settled: false,
            round: self.round,
            times: 0,
        });
        self.next += 1;
        true
    }

    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        limits: &DeliveryLimits,
        after: &mut After,
        end: &mut impl FnMut(W, Ended),
    ) {
        let mut kept = VecDeque::with_capacity(self.waiting.len());
        for pass in self.waiting.drain(..) {
            if pass.deadline <= now {
                after.ended += 1;
                after.freed += pass.start.len();
                end(pass.waiter, Ended::NotSentInTime);
            } else {
                kept.push_back(pass);
            }
        }
        self.waiting = kept;
        for sent in &mut self.sent {
            if sent.deadline <= now
                && let Some(waiter) = sent.waiter.take()
            {
                after.ended += 1;
                end(waiter, Ended::TimedOut);
            }
        }
        let since = self.progress_at.filter(|_| !self.sent.is_empty());
        if since.is_some_and(|since| since + limits.abandon_after <= now) {
            metrics::count(metrics::STREAMS_ABANDONED);
            self.give_up(after, |waiter| end(waiter, Ended::TimedOut));
        }
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.attempts += u32::from(!self.paused);
            self.go_back();
        }
        after.is_ready = self.has_work();
    }

    pub(super) fn sweep(&mut self, is_abandoned: &impl Fn(&W) -> bool, after: &mut After) {
        self.waiting.retain(|pass| {
            let is_over = is_abandoned(&pass.waiter);
            if is_over {
                after.ended += 1;
                after.freed += pass.start.len();
            }
            !is_over
        });
        for sent in &mut self.sent {
            if sent.waiter.as_ref().is_some_and(is_abandoned) {
                sent.waiter = None;
                after.ended += 1;
            }
        }
    }

    /// When something is due.
    pub(super) fn due(&self, limits: &DeliveryLimits) -> Option<Instant> {
        let waiting = self.waiting.iter().map(|pass| pass.deadline);
        let open = self.sent.iter().filter(|sent| sent.waiter.is_some());
        let deadlines = waiting.chain(open.map(|sent| sent.deadline));
        deadlines.chain(self.attempt_due(limits)).min()
    }

    /// When what is sent is sent again, or given up.
    pub(super) fn attempt_due(&self, limits: &DeliveryLimits) -> Option<Instant> {
        let abandoned = self.progress_at.map(|at| at + limits.abandon_after);
        super::earlier(self.retry_at, abandoned).filter(|_| !self.sent.is_empty())
    }
}
