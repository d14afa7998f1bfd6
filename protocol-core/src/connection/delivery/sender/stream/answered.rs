//! What acknowledgements and refusals mean for a stream (`PROTOCOL.md` §12.1).

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::super::sent::{After, Sent};
use super::super::{Ended, Pin};
use super::Stream;
use crate::connection::delivery::FIRST_PAUSE;
use crate::wire::{ErrorCode, WireError};

impl<W> Stream<W> {
    pub(in super::super) fn acknowledged(
        &mut self,
        now: Instant,
        ack: u64,
        since: Option<u64>,
        error: Option<WireError>,
        after: &mut After,
        end: &mut impl FnMut(W, Ended),
    ) -> bool {
        let since = if error.is_some() {
            ack
        } else {
            since.unwrap_or(0)
        };
        let mut settled = false;
        for sent in &mut self.sent {
            if sent.settled || sent.times == 0 || !(since..=ack).contains(&sent.seq) {
                continue;
            }
            settled = true;
            sent.settled = true;
            if let Some(waiter) = sent.waiter.take() {
                after.ended += 1;
                end(
                    waiter,
                    match &error {
                        None => Ended::Confirmed,
                        Some(error) if error.standard() == Some(ErrorCode::Expired) => {
                            Ended::Unknown(error.clone())
                        }
                        Some(error) => Ended::Refused(error.clone()),
                    },
                );
            }
        }
        if !settled {
            return false;
        }
        self.absent_until = None;
        let missed = self
            .sent
            .iter()
            .any(|sent| !sent.settled && sent.times > 0 && sent.seq < ack);
        self.settle_front(after);
        self.progressed(now, after);
        if missed {
            // Those before were processed, and how they ended was lost.
            self.go_back();
        }
        after.is_ready = self.has_work();
        true
    }

    fn settle_front(&mut self, after: &mut After) {
        while let Some(sent) = self.sent.front()
            && sent.settled
        {
            after.freed += sent.start.len();
            self.sent_bytes -= sent.start.len();
            self.sent.pop_front();
            self.cursor = self.cursor.saturating_sub(1);
        }
    }

    fn progressed(&mut self, now: Instant, after: &mut After) {
        self.attempts = 0;
        self.refusals = 0;
        self.paused = false;
        let is_open = !self.sent.is_empty();
        self.progress_at = is_open.then_some(now);
        self.retry_at = is_open.then(|| now + after.resend_delay);
        if let Some(at) = self.retry_at {
            after.due(at);
        }
    }

    pub(in super::super) fn refused(
        &mut self,
        now: Instant,
        id: Uuid,
        error: &WireError,
        after: &mut After,
        end: &mut impl FnMut(W, Ended),
    ) {
        let code = error.standard();
        if let Some(named) = error.named_inc() {
            let mut sent = self.sent.iter_mut();
            if let Some(probe) = sent.find(|sent| sent.id == id && sent.times == 1) {
                // Its only frame so far came back.
                probe.times = 0;
            }
            self.learn(Pin::of(named.as_deref()), after, end);
            return;
        }
        let Some(place) = self.sent.iter().position(|sent| sent.id == id) else {
            return;
        };
        let is_retryable = match code {
            Some(ErrorCode::PeerNotFound) => self.may_return(now, &self.sent[place]),
            Some(ErrorCode::Expect | ErrorCode::NotLoggedIn | ErrorCode::PeerGone) => true,
            Some(code) => code.is_retryable(),
            None => false,
        };
        if is_retryable {
            if self.sent[place].round != self.round {
                return;
            }
            self.go_back();
            let is_gap = code == Some(ErrorCode::Expect) && self.refusals == 0;
            let pause = if is_gap {
                Duration::ZERO
            } else {
                let pause = FIRST_PAUSE.saturating_mul(1 << self.refusals.min(8));
                pause.min(after.resend_delay)
            };
            self.refusals += 1;
            self.paused = !pause.is_zero();
            // Without a pause the next frame says when.
            self.retry_at = self.paused.then(|| now + pause);
            after.due(now + pause);
            after.is_ready = !self.paused;
            return;
        }
        // It goes no further, so those behind it must not wait for it.
        let sent = &mut self.sent[place];
        sent.settled = true;
        if let Some(waiter) = sent.waiter.take() {
            after.ended += 1;
            // What was sent only once was not processed; nor was what named no life.
            let ended = if sent.times <= 1 || self.pin == Pin::Unknown {
                Ended::Refused(error.clone())
            } else {
                Ended::Unknown(error.clone())
            };
            end(waiter, ended);
        }
        self.settle_front(after);
        self.progressed(now, after);
        after.is_ready = self.has_work();
    }

    /// Whether it makes sense to try again though the relay knows no such peer.
    fn may_return(&self, now: Instant, sent: &Sent<W>) -> bool {
        // An earlier copy may have been processed, and only the receiver can say so.
        let may_be_processed = self.pin != Pin::Unknown && sent.times > 1;
        may_be_processed || self.absent_until.is_some_and(|until| now < until)
    }
}
