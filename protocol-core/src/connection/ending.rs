//! How a connection ends: by time, by a violation, by wish, in the phases of `PROTOCOL.md` §7.

use std::mem;
use std::time::Instant;

use super::core::{Core, Phase};
use super::{Connection, due};
use crate::error::CloseReason;
use crate::metrics;
use crate::wire::{self, ErrorCode, WireError};

/// Counts a link that is given up though nothing said that it is lost.
pub(crate) fn count_loss(reason: &CloseReason) {
    match reason {
        CloseReason::Stalled { .. } => metrics::count(metrics::LINKS_STALLED),
        CloseReason::Silent { .. } => metrics::count(metrics::LINKS_SILENT),
        _ => {}
    }
}

impl Core {
    /// Ends all calls in flight; the first reason stays.
    pub(super) fn lose(&mut self, reason: &CloseReason) {
        let reason = self.reason.get_or_insert_with(|| Box::new(reason.clone()));
        self.pending.lose(reason);
        super::calls::lose_streams(self.session.as_deref_mut(), reason);
        self.unanswerable = true;
    }

    pub(super) fn violated(&mut self, reason: CloseReason, word: &WireError) {
        if self.phase == Phase::Closed || self.muted {
            return;
        }
        self.muted = true;
        self.end_relayed_calls();
        tracing::debug!(%reason, "gives the link up");
        let code = word.standard().map_or("other", ErrorCode::as_str);
        metrics::count_by(metrics::VIOLATIONS, "code", code);
        wire::write_protocol_error(&mut self.out, word);
        self.lose(&reason);
        self.finish();
    }

    pub(super) fn finish(&mut self) {
        if matches!(self.phase, Phase::Open | Phase::Draining { .. }) {
            self.phase = Phase::Finishing;
        }
    }

    pub(super) fn close(&mut self) {
        self.reason
            .get_or_insert_with(|| Box::new(CloseReason::Closed));
        self.finish();
    }

    pub(super) fn drain(&mut self, arrived: usize) {
        if self.phase == Phase::Open {
            self.phase = Phase::Draining {
                arrived,
                read: false,
            };
        }
    }

    pub(super) fn drained(&mut self, consumed: usize) {
        if let Phase::Draining { arrived, .. } = &mut self.phase {
            *arrived = arrived.saturating_sub(consumed);
        }
    }

    /// The socket has nothing more for now; whether a drain waited for that.
    pub(super) fn input_is_drained(&mut self) -> bool {
        match &mut self.phase {
            Phase::Draining { read, .. } => !mem::replace(read, true),
            _ => false,
        }
    }

    /// The other end sent its last event and it was handled.
    pub(super) fn end_of_events(&mut self) {
        self.phase = if self.broken {
            Phase::Closed
        } else {
            Phase::Finishing
        };
    }

    /// Whether bytes that arrive mean nothing any more.
    pub(super) fn discards_input(&self) -> bool {
        match self.phase {
            Phase::Open | Phase::Draining { .. } => false,
            Phase::Finishing | Phase::Lingering { .. } => {
                !matches!(self.reason.as_deref(), Some(CloseReason::Closed))
            }
            Phase::Closed => true,
        }
    }
}

impl Connection {
    /// When [`handle_timeout`](Self::handle_timeout) is due next. May be earlier than needed.
    pub fn next_deadline(&self) -> Option<Instant> {
        let limits = &self.core.limits;
        let linger = match self.core.phase {
            Phase::Lingering { until } => Some(until),
            _ => None,
        };
        let session = self.core.session.as_deref();
        [
            session.and_then(|session| session.sender.next_deadline()),
            self.silent_at(),
            self.core.pending.next_deadline(),
            self.core.relayed.next_deadline(),
            self.pace.next_deadline(),
            self.stranger_until(),
            self.input
                .frame_since
                .map(|since| due(since, limits.frame_timeout)),
            self.blocked_since
                .map(|since| due(since, limits.write_stall)),
            linger,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Ends what is due at `now`: calls, a frame that never ends, a write that never gets through,
    /// the wait before closing.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.core.expire(now);
        let was_paused = self.pace.is_paused();
        self.pace.handle_timeout(now);
        if was_paused && !self.pace.is_paused() {
            // Whoever was not listened to was not silent.
            self.heard(now);
        }
        if self.stranger_until().is_some_and(|until| until <= now) {
            metrics::count(metrics::STRANGERS_TIMED_OUT);
            self.violated(WireError::new(
                ErrorCode::Timeout,
                "nobody logged in on this link in time",
            ));
        }
        let limits = &self.core.limits;
        let frame_timeout = limits.frame_timeout;
        if self
            .input
            .frame_since
            .is_some_and(|since| due(since, frame_timeout) <= now)
        {
            metrics::count(metrics::FRAMES_TIMED_OUT);
            self.violated(WireError::new(
                ErrorCode::Timeout,
                format!("a frame did not end within {frame_timeout:?}"),
            ));
        }
        if let Some(reason) = self.is_lost(now) {
            count_loss(&reason);
            self.blocked_since = None;
            self.broken(reason);
        }
        if matches!(self.core.phase, Phase::Lingering { until } if until <= now) {
            self.core.lose(&CloseReason::Closed);
            self.core.phase = Phase::Closed;
        }
    }

    /// Has the other end show that it lives from now on.
    pub fn expect_heartbeats(&mut self, now: Instant) {
        self.silence = Some(self.core.limits.silence);
        self.heard_at.get_or_insert(now);
    }

    /// Takes note that bytes of the other end arrived.
    pub fn heard(&mut self, now: Instant) {
        self.heard_at = Some(now);
    }

    /// When the other end counts as gone, unless it is heard before.
    fn silent_at(&self) -> Option<Instant> {
        let is_open = self.core.phase == Phase::Open
            && !self.core.broken
            && !self.core.down
            && !self.pace.is_paused();
        let silence = self.silence.filter(|_| is_open && !self.is_output_full())?;
        Some(due(self.heard_at?, silence))
    }

    /// Whether a frame has begun and did not end by `now`.
    pub(crate) fn is_stuck(&self, now: Instant) -> Option<CloseReason> {
        let after = self.core.limits.frame_timeout;
        let since = self.input.frame_since?;
        (due(since, after) <= now).then_some(CloseReason::Silent { after })
    }

    /// Why the link counts as lost at `now`, though nothing said so.
    pub(crate) fn is_lost(&self, now: Instant) -> Option<CloseReason> {
        let (stall, silence) = (self.core.limits.write_stall, self.core.limits.silence);
        let blocked = self.blocked_since.map(|since| due(since, stall));
        if blocked.is_some_and(|until| until <= now) {
            return Some(CloseReason::Stalled { after: stall });
        }
        if self.silent_at().is_some_and(|until| until <= now) {
            return Some(CloseReason::Silent { after: silence });
        }
        None
    }

    /// The peer broke the protocol: one last word, then the end (`PROTOCOL.md` §7).
    pub fn violated(&mut self, error: WireError) {
        let word = error.clone();
        self.violated_as(CloseReason::Violated(error), &word);
    }

    /// Ends the link for `reason`, with `word` as the last that the peer hears.
    pub(super) fn violated_as(&mut self, reason: CloseReason, word: &WireError) {
        self.input.discard();
        self.input.frame_since = None;
        if self.core.down {
            // There is nobody to say it to.
            self.broken(reason);
            return;
        }
        self.core.violated(reason, word);
    }

    /// Takes note that the end will be asked for: events that are not handled yet are refused.
    pub fn stop_taking(&mut self) {
        self.closing = true;
    }

    /// Asks for the end: nothing more is handled, what is due is written, answers that arrive
    /// within [`Limits::linger`](crate::Limits::linger) still count.
    pub fn close(&mut self) {
        self.core.close();
    }

    /// Asks for the end as a server does: what has arrived is handled and answered, later events
    /// get `shutting_down`, and the end comes once [`input_is_drained`](Self::input_is_drained).
    pub fn drain(&mut self) {
        let arrived = self.input.plain.len();
        self.core.drain(arrived);
    }

    /// Ends the link at once; what is due is not written.
    pub fn abort(&mut self) {
        self.broken(CloseReason::Closed);
        self.core.phase = Phase::Closed;
    }

    /// Whether the link broke, so that only what had arrived is left to handle.
    pub fn is_broken(&self) -> bool {
        self.core.broken
    }

    /// Whether nothing that is sent from now on can reach the other end.
    pub fn is_muted(&self) -> bool {
        self.core.muted
    }

    /// Whether everything due is written and the sending half should be shut.
    pub fn wants_shutdown(&self) -> bool {
        self.core.phase == Phase::Finishing && (self.output_len() == 0 || self.core.broken)
    }

    /// Tells the other end that nothing follows, so that it can tell the end from a cut; to be called
    /// when the link [wants its shutdown](Self::wants_shutdown), which it does again once that is
    /// written.
    pub fn finish(&mut self) {
        if self.finished || self.core.broken {
            return;
        }
        self.finished = true;
        self.core.muted = true;
        if let Err(error) = self.codec.finish(&mut self.core.sealed) {
            self.broken(CloseReason::Codec(error));
        }
    }

    /// Takes note that the sending half was shut.
    pub fn shut_down(&mut self, now: Instant) {
        self.core.muted = true;
        self.core.phase = if self.input.ended || self.core.broken {
            Phase::Closed
        } else {
            Phase::Lingering {
                until: due(now, self.core.limits.linger),
            }
        };
    }

    /// Whether the link is over: nothing is left to read, write or handle.
    pub fn is_closed(&self) -> bool {
        self.core.phase == Phase::Closed
    }

    /// Why the link ends or ended.
    pub fn close_reason(&self) -> Option<&CloseReason> {
        self.core.reason.as_deref()
    }
}
