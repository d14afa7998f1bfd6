//! How far the broadcasts of one run have come. Knows no sockets.

use std::{
    sync::atomic::{
        AtomicU32, AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use tokio::sync::Notify;

/// Broadcasts that may be on their way at once: the bits of [`Hearing`].
const SLOTS: usize = 64;

#[derive(Debug)]
pub(in crate::contenders) struct Progress {
    started: Instant,
    receivers: u32,
    slots: [Slot; SLOTS],
    more: Notify,
}

/// A broadcast on its way.
#[derive(Debug, Default)]
struct Slot {
    /// Nanoseconds since the start.
    sent: AtomicU64,
    receivers_left: AtomicU32,
}

impl Progress {
    pub(in crate::contenders) fn new(receivers: usize) -> Result<Self> {
        Ok(Self {
            started: Instant::now(),
            receivers: receivers.try_into()?,
            slots: std::array::from_fn(|_| Slot::default()),
            more: Notify::new(),
        })
    }

    /// Notes that a broadcast is about to be sent.
    pub(in crate::contenders) fn send(&self, number: u64) -> Result<()> {
        let slot = self.slot(number);
        ensure!(
            self.is_complete(number),
            "{SLOTS} broadcasts are on their way"
        );
        let since = u64::try_from(self.started.elapsed().as_nanos())?;
        slot.sent.store(since, Relaxed);
        slot.receivers_left.store(self.receivers, Release);
        Ok(())
    }

    /// When a broadcast that is on its way was sent.
    pub(in crate::contenders) fn sent(&self, number: u64) -> Instant {
        self.started + Duration::from_nanos(self.slot(number).sent.load(Relaxed))
    }

    /// Notes that one more receiver has heard a broadcast that is on its way.
    pub(in crate::contenders) fn heard(&self, number: u64) {
        if self.slot(number).receivers_left.fetch_sub(1, AcqRel) == 1 {
            self.more.notify_one();
        }
    }

    /// Whether all receivers have heard a broadcast, if it is one of the last that were sent.
    pub(in crate::contenders) fn is_complete(&self, number: u64) -> bool {
        self.slot(number).receivers_left.load(Acquire) == 0
    }

    /// Waits until one more has been heard by all. One may wait.
    pub(in crate::contenders) async fn more(&self) {
        self.more.notified().await;
    }

    fn slot(&self, number: u64) -> &Slot {
        let place = usize::try_from(number % SLOTS as u64);
        &self.slots[place.unwrap_or_default()]
    }
}

/// Which broadcasts one receiver has heard.
#[derive(Debug, Default)]
pub(in crate::contenders) struct Hearing {
    /// All before this one.
    next: u64,
    /// Of those from there on, a bit for each; only where they need not come in order.
    beyond: u64,
}

impl Hearing {
    /// Fails if a broadcast was heard before, or, `in_order`, if one before it was not.
    pub(in crate::contenders) fn hear(&mut self, number: u64, in_order: bool) -> Result<()> {
        let next = self.next;
        let ahead = number
            .checked_sub(next)
            .filter(|ahead| *ahead < SLOTS as u64);
        let bit = 1 << ahead.unwrap_or_default();
        ensure!(
            ahead.is_some() && self.beyond & bit == 0 && (bit == 1 || !in_order),
            "broadcast {number} came where {next} was due"
        );
        self.beyond |= bit;
        while self.beyond & 1 == 1 {
            self.beyond >>= 1;
            self.next += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_receiver_completes_a_broadcast() -> Result<()> {
        let progress = Progress::new(2)?;
        for number in 0..SLOTS as u64 {
            progress.send(number)?;
        }
        assert!(progress.send(SLOTS as u64).is_err(), "no place is free");
        progress.heard(0);
        assert!(!progress.is_complete(0));
        progress.heard(0);
        assert!(progress.is_complete(0));
        progress.send(SLOTS as u64)
    }

    #[test]
    fn nothing_is_heard_twice_or_left_out() -> Result<()> {
        let mut hearing = Hearing::default();
        hearing.hear(0, true)?;
        assert!(hearing.hear(2, true).is_err(), "1 was left out");
        assert!(hearing.hear(0, true).is_err(), "heard before");
        hearing.hear(2, false)?;
        assert!(hearing.hear(2, false).is_err(), "heard before");
        hearing.hear(1, false)?;
        assert!(hearing.hear(1, false).is_err(), "heard before");
        hearing.hear(3, true)?;
        assert!(hearing.hear(4 + SLOTS as u64, false).is_err(), "too far");
        Ok(())
    }
}
