//! Frames that the other end must not miss, kept until it has them.

use std::sync::Arc;

use std::collections::VecDeque;

use super::delivery::DeliveryLimits;
use crate::metrics;

/// Frames that the other end must not miss, until it is known that it has them.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) frames: VecDeque<(u64, Arc<[u8]>)>,
    pub(super) bytes: usize,
    pub(super) most: usize,
    pub(super) most_bytes: usize,
    /// The last of those that were dropped, since there were too many.
    pub(super) gap: u64,
}

impl Held {
    pub(super) fn new(limits: &DeliveryLimits) -> Self {
        Self {
            frames: VecDeque::new(),
            bytes: 0,
            most: limits.held_events,
            most_bytes: limits.held_bytes,
            gap: 0,
        }
    }

    pub(super) fn push(&mut self, number: u64, frame: Arc<[u8]>) {
        self.bytes += frame.len();
        self.frames.push_back((number, frame));
        while (self.frames.len() > self.most || self.bytes > self.most_bytes)
            && let Some((number, frame)) = self.frames.pop_front()
        {
            self.bytes -= frame.len();
            self.gap = number;
            metrics::count(metrics::HELD_FORGOTTEN);
        }
    }

    /// Forgets those that the other end has.
    pub(super) fn received(&mut self, received: u64) {
        while let Some((number, frame)) = self.frames.front()
            && *number <= received
        {
            self.bytes -= frame.len();
            self.frames.pop_front();
        }
    }
}
