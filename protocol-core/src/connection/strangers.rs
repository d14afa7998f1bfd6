//! What a connection may do before it is known whom it speaks for (`PROTOCOL.md` §9).

use std::time::Instant;

use super::limits::{StrangerLimits, due};
use super::{Connection, Phase};
use crate::metrics;
use crate::wire::{ErrorCode, WireError};

/// A connection that nobody has vouched for.
pub(super) struct Stranger {
    limits: StrangerLimits,
    since: Option<Instant>,
}

impl Stranger {
    pub(super) fn new(limits: StrangerLimits) -> Self {
        Self {
            limits,
            since: None,
        }
    }
}

impl Connection {
    /// Whether the bounds for strangers hold.
    pub fn is_stranger(&self) -> bool {
        self.stranger.is_some()
    }

    /// Takes note that it is known whom the connection speaks for.
    pub fn identified(&mut self) {
        self.stranger = None;
    }

    /// A stranger's time runs from the first time that is heard of.
    pub(crate) fn meet(&mut self, now: Instant) {
        if let Some(stranger) = &mut self.stranger {
            stranger.since.get_or_insert(now);
        }
    }

    pub(super) fn stranger_until(&self) -> Option<Instant> {
        let stranger = self.stranger.as_ref()?;
        let open =
            matches!(self.core.phase, Phase::Open | Phase::Draining { .. }) && !self.core.muted;
        let since = stranger.since.filter(|_| open)?;
        Some(due(since, stranger.limits.timeout))
    }

    /// The longest frame that is taken now.
    pub(super) fn frame_limit(&self) -> usize {
        let limit = self.core.limits.frame_in;
        self.stranger
            .as_ref()
            .map_or(limit, |stranger| stranger.limits.frame_in.min(limit))
    }

    /// Whether a line of `consumed` bytes may be taken; it is charged to the peer's rate, an empty one
    /// for its bytes alone.
    pub(super) fn admits_line(&mut self, now: Instant, empty: bool, consumed: usize) -> bool {
        if let Some(stranger) = &self.stranger {
            let limit = stranger.limits.bytes_in;
            if self.input.consumed + consumed as u64 > limit as u64 {
                metrics::count(metrics::STRANGERS_TOO_LOUD);
                self.violated(too_much(limit));
                return false;
            }
        }
        let bytes = consumed + self.input.take_uncharged();
        self.pace.charge(now, usize::from(!empty), bytes);
        true
    }

    /// Gives a stranger up that has sent more than it may, in needless records or in one that does not
    /// end; whether it has. Asked when nothing whole is left, so that a login before that counts.
    pub(super) fn has_too_much_unread(&mut self) -> bool {
        let Some(stranger) = &self.stranger else {
            return false;
        };
        let limit = stranger.limits.bytes_in;
        let input = &self.input;
        let is_too_much =
            input.wire.len() > limit || input.consumed + input.overhead > limit as u64;
        if is_too_much {
            metrics::count(metrics::STRANGERS_TOO_LOUD);
            self.violated(too_much(limit));
        }
        is_too_much
    }
}

fn too_much(limit: usize) -> WireError {
    let text = format!("at most {limit} bytes are taken before login");
    WireError::new(ErrorCode::TooLarge, text)
}
