//! An event that was sent and is open, and what came of a change of its stream.

use std::time::{Duration, Instant};

use uuid::Uuid;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sent<W> {
    pub(super) seq: u64,
    pub(super) id: Uuid,
    pub(super) start: Vec<u8>,
    pub(super) deadline: Instant,
    /// None once its end was told.
    pub(super) waiter: Option<W>,
    pub(super) settled: bool,
    pub(super) round: u32,
    pub(super) times: u32,
}

/// What came of a change, for the sums over all streams.
#[derive(Default)]
pub(super) struct After {
    pub(super) resend_delay: Duration,
    pub(super) began: usize,
    pub(super) ended: usize,
    pub(super) taken: usize,
    pub(super) freed: usize,
    pub(super) due: Option<Instant>,
    pub(super) is_ready: bool,
}

impl After {
    pub(super) fn opened(&mut self, bytes: usize) {
        self.began += 1;
        self.taken += bytes;
    }

    pub(super) fn due(&mut self, at: Instant) {
        self.due = super::earlier(self.due, Some(at));
    }
}
