//! How fast the other end may send: a generic cell rate algorithm (ITU-T I.371) each for frames,
//! their bytes and the deliveries that they cause.
//!
//! Over its rate a peer is not refused: this end stops reading, and TCP holds the peer back.

use std::time::{Duration, Instant};

use super::limits::RateLimits;
use crate::metrics;

/// Unused rate is kept for this long, so that a burst after a pause goes through.
const BURST: Duration = Duration::from_secs(2);

pub(super) struct Pace {
    frames: Bucket,
    bytes: Bucket,
    deliveries: Bucket,
    paused_until: Option<Instant>,
}

impl Pace {
    pub(super) fn new(limits: Option<RateLimits>) -> Self {
        let limits = limits.unwrap_or(RateLimits {
            events_per_second: 0,
            bytes_per_second: 0,
            deliveries_per_second: 0,
        });
        Self {
            frames: Bucket::new(limits.events_per_second),
            bytes: Bucket::new(limits.bytes_per_second),
            deliveries: Bucket::new(limits.deliveries_per_second),
            paused_until: None,
        }
    }

    /// Takes note of so many frames of so many bytes in all.
    pub(super) fn charge(&mut self, now: Instant, frames: usize, bytes: usize) {
        let until = self.frames.charge(now, frames);
        self.pause(until, "events");
        let until = self.bytes.charge(now, bytes);
        self.pause(until, "bytes");
    }

    /// Takes note of frames that others receive because of this end's.
    pub(super) fn charge_deliveries(&mut self, now: Instant, deliveries: usize) {
        let until = self.deliveries.charge(now, deliveries);
        self.pause(until, "deliveries");
    }

    fn pause(&mut self, until: Option<Instant>, limit: &'static str) {
        if until.is_some() && self.paused_until.is_none() {
            metrics::count_by(metrics::READERS_PAUSED, "limit", limit);
        }
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
    /// 0 where there is no limit.
    per_second: u32,
    /// When everything that came so far would be paid for.
    paid_at: Option<Instant>,
}

impl Bucket {
    fn new(per_second: u32) -> Self {
        Self {
            per_second,
            paid_at: None,
        }
    }

    /// Until when to pause, if more came than the burst allows.
    fn charge(&mut self, now: Instant, units: usize) -> Option<Instant> {
        let nanos = (units as u128 * 1_000_000_000).checked_div(self.per_second.into())?;
        let cost = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let from = self.paid_at.map_or(now, |paid| paid.max(now));
        let paid = super::due(from, cost);
        self.paid_at = Some(paid);
        let until = paid.checked_sub(BURST)?;
        (until > now).then_some(until)
    }
}
