//! How fast the other end may send: a generic cell rate algorithm (ITU-T I.371) for frames and one
//! for their bytes.
//!
//! Over its rate a peer is not refused: this end stops reading, and TCP holds the peer back.

use std::time::{Duration, Instant};

use super::limits::RateLimits;

/// Unused rate is kept for this long, so that a burst after a pause goes through.
const BURST: Duration = Duration::from_secs(2);

pub(super) struct Pace {
    frames: Bucket,
    bytes: Bucket,
    paused_until: Option<Instant>,
}

impl Pace {
    pub(super) fn new(limits: Option<RateLimits>) -> Self {
        let limits = limits.unwrap_or(RateLimits {
            events_per_second: 0,
            bytes_per_second: 0,
        });
        Self {
            frames: Bucket::new(limits.events_per_second),
            bytes: Bucket::new(limits.bytes_per_second),
            paused_until: None,
        }
    }

    /// Takes note of a frame of `bytes` bytes.
    pub(super) fn charge(&mut self, now: Instant, bytes: usize) {
        let until = self
            .frames
            .charge(now, 1)
            .max(self.bytes.charge(now, bytes));
        self.paused_until = self.paused_until.max(until);
    }

    /// Whether nothing may be taken before [`next_deadline`](Self::next_deadline).
    pub(super) fn is_paused(&self) -> bool {
        self.paused_until.is_some()
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.paused_until
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.paused_until.is_some_and(|until| until <= now) {
            self.paused_until = None;
        }
    }
}

struct Bucket {
    /// The time that one unit takes; zero where there is no limit.
    nanos: u64,
    /// When everything that came so far would be paid for.
    paid_at: Option<Instant>,
}

impl Bucket {
    fn new(per_second: u32) -> Self {
        Self {
            nanos: 1_000_000_000 / u64::from(per_second.max(1)) * u64::from(per_second.min(1)),
            paid_at: None,
        }
    }

    /// Until when to pause, if more came than the burst allows.
    fn charge(&mut self, now: Instant, units: usize) -> Option<Instant> {
        if self.nanos == 0 {
            return None;
        }
        let cost = self
            .nanos
            .saturating_mul(u64::try_from(units).unwrap_or(u64::MAX));
        let from = self.paid_at.map_or(now, |paid| paid.max(now));
        let paid = super::due(from, Duration::from_nanos(cost));
        self.paid_at = Some(paid);
        let until = paid.checked_sub(BURST)?;
        (until > now).then_some(until)
    }
}
