//! What all clients together have heard, and how long it took.
//!
//! Knows no frames.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{
            AtomicBool, AtomicU32, AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
        },
    },
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use tokio::{sync::Notify, time::timeout};

use crate::gauge::Latencies;

/// Events that may be on their way at once.
const SLOTS: u64 = 1 << 18;

/// How long the last receipt of what was sent may take.
const LAST_RECEIPT: Duration = Duration::from_secs(10);

/// Receipts of all clients.
#[derive(Debug)]
pub(super) struct Tally {
    started: Instant,
    slots: Box<[Slot]>,
    /// Receipts so far, of events and of news.
    received: AtomicU64,
    /// The number of receipts that somebody waits for.
    awaited: AtomicU64,
    reached: Notify,
    keeps: AtomicBool,
    latencies: Mutex<Vec<u32>>,
}

/// An event on its way.
#[derive(Debug, Default)]
struct Slot {
    /// Nanoseconds since the tally was started.
    sent: AtomicU64,
    receivers_left: AtomicU32,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            slots: (0..SLOTS).map(|_| Slot::default()).collect(),
            received: AtomicU64::new(0),
            awaited: AtomicU64::new(u64::MAX),
            reached: Notify::new(),
            keeps: AtomicBool::new(false),
            latencies: Mutex::default(),
        }
    }

    /// Notes that the event with this number is about to be sent to so many.
    pub(super) fn send(&self, number: u64, receivers: u32) -> Result<()> {
        let slot = self.slot(number);
        let left = slot.receivers_left.load(Acquire);
        ensure!(left == 0, "{SLOTS} events are on their way");
        slot.sent.store(self.now(), Relaxed);
        slot.receivers_left.store(receivers, Release);
        Ok(())
    }

    /// Notes that one of its receivers has got an event.
    pub(super) fn receive(&self, number: u64) -> Result<()> {
        let slot = self.slot(number);
        match slot.receivers_left.fetch_sub(1, AcqRel) {
            0 => bail!("event {number} was received by too many"),
            1 if self.keeps.load(Relaxed) => self.keep(self.now() - slot.sent.load(Relaxed)),
            _ => {}
        }
        self.hear();
        Ok(())
    }

    /// Notes that a client has heard something that has no number.
    pub(super) fn hear(&self) {
        // In one order with `until`, so that one of the two sees the other.
        let received = self.received.fetch_add(1, SeqCst) + 1;
        if received == self.awaited.load(SeqCst) {
            self.reached.notify_one();
        }
    }

    /// Receipts so far.
    pub(super) fn received(&self) -> u64 {
        self.received.load(SeqCst)
    }

    /// Waits until there are so many receipts in all. One at a time may wait.
    pub(super) async fn until(&self, receipts: u64) -> Result<()> {
        self.awaited.store(receipts, SeqCst);
        let reached = async {
            // A permit may be left over from a wait that was over before it began.
            while self.received() < receipts {
                self.reached.notified().await;
            }
        };
        if timeout(LAST_RECEIPT, reached).await.is_err() {
            let received = self.received();
            bail!("{received} of {receipts} receipts {LAST_RECEIPT:?} after the last was due");
        }
        let received = self.received();
        ensure!(
            received == receipts,
            "{received} receipts instead of {receipts}"
        );
        Ok(())
    }

    /// Whether latencies are kept from here on.
    pub(super) fn keep_latencies(&self, keeps: bool) {
        self.keeps.store(keeps, Relaxed);
    }

    /// Keeps a latency that was taken elsewhere.
    pub(super) fn took(&self, since: Instant) {
        if self.keeps.load(Relaxed) {
            self.keep(u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX));
        }
    }

    /// The latencies that were kept since the last of these.
    pub(super) fn latencies(&self) -> Latencies {
        let mut latencies = self
            .latencies
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Latencies::new(std::mem::take(&mut latencies))
    }

    fn keep(&self, nanos: u64) {
        let mut latencies = self
            .latencies
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        latencies.push(u32::try_from(nanos).unwrap_or(u32::MAX));
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn slot(&self, number: u64) -> &Slot {
        let place = usize::try_from(number % SLOTS);
        &self.slots[place.unwrap_or_default()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_receiver_ends_an_event() -> Result<()> {
        let tally = Tally::new();
        tally.keep_latencies(true);
        tally.send(7, 2)?;
        assert!(tally.send(7 + SLOTS, 2).is_err(), "the place is taken");
        tally.receive(7)?;
        assert!(tally.latencies().percentile(50).is_none());
        tally.receive(7)?;
        assert!(tally.latencies().percentile(50).is_some());
        assert_eq!(tally.received(), 2);
        tally.send(7 + SLOTS, 1)?;
        tally.receive(7 + SLOTS)?;
        assert!(tally.receive(7 + SLOTS).is_err(), "a second receiver");
        Ok(())
    }
}
