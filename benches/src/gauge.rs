//! Counts events and takes latencies while a contender runs, at next to no cost to it.
//!
//! Each lane has one writer and a cache line of its own; nothing here knows what an event is.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::sync::watch;

const WARMING_UP: u8 = 0;
const MEASURING: u8 = 1;
const STOPPED: u8 = 2;

/// What all lanes of one measurement share with the thread that measures.
#[derive(Debug)]
pub(crate) struct Gauge {
    phase: AtomicU8,
    /// For who waits for the end instead of asking between events.
    has_stopped: watch::Sender<bool>,
    sampling: u32,
    counts: Mutex<Vec<Arc<Count>>>,
    latencies: Mutex<Vec<u32>>,
}

/// Aligned so that no two lanes write to one cache line (nor to a pair that is fetched together).
#[derive(Debug, Default)]
#[repr(align(128))]
struct Count(AtomicU64);

/// Where one task of a contender's client counts what it has got.
#[derive(Debug)]
pub(crate) struct Lane {
    gauge: Arc<Gauge>,
    count: Arc<Count>,
    until_sample: u32,
    /// In nanoseconds.
    latencies: Vec<u32>,
}

/// When an event began, if it is one whose latency is taken.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub(crate) struct Sent(Option<Instant>);

impl Gauge {
    /// A gauge that takes the latency of one in `sampling` events.
    pub(crate) fn new(sampling: u32) -> Arc<Self> {
        Arc::new(Self {
            phase: AtomicU8::new(WARMING_UP),
            has_stopped: watch::Sender::new(false),
            sampling,
            counts: Mutex::default(),
            latencies: Mutex::default(),
        })
    }

    pub(crate) fn lane(self: &Arc<Self>) -> Lane {
        let count = Arc::<Count>::default();
        lock(&self.counts).push(Arc::clone(&count));
        Lane {
            gauge: Arc::clone(self),
            count,
            until_sample: 0,
            latencies: Vec::new(),
        }
    }

    /// From now on latencies are kept.
    pub(crate) fn begin(&self) {
        self.phase.store(MEASURING, Relaxed);
    }

    /// From now on lanes begin nothing new.
    pub(crate) fn stop(&self) {
        self.phase.store(STOPPED, Relaxed);
        self.has_stopped.send_replace(true);
    }

    /// Waits until nothing new is to begin.
    pub(crate) async fn stopped(&self) {
        // An error would say that the sender is gone, which is a part of this gauge.
        let _ = self.has_stopped.subscribe().wait_for(|ended| *ended).await;
    }

    /// Events counted so far on all lanes.
    pub(crate) fn events(&self) -> u64 {
        let counts = lock(&self.counts);
        counts.iter().map(|count| count.0.load(Relaxed)).sum()
    }

    /// Latencies of the lanes that have ended, sorted.
    pub(crate) fn latencies(&self) -> Latencies {
        Latencies::new(std::mem::take(&mut *lock(&self.latencies)))
    }
}

impl Lane {
    /// Whether to begin another event.
    pub(crate) fn runs(&self) -> bool {
        self.gauge.phase.load(Relaxed) != STOPPED
    }

    /// Notes that an event begins.
    pub(crate) fn sent(&mut self) -> Sent {
        if self.until_sample == 0 {
            self.until_sample = self.gauge.sampling - 1;
            Sent(Some(Instant::now()))
        } else {
            self.until_sample -= 1;
            Sent(None)
        }
    }

    /// Counts an event that began elsewhere; when, is asked only if its latency is taken.
    pub(crate) fn received(&mut self, began: impl FnOnce() -> Instant) {
        let sent = if self.until_sample == 0 {
            self.until_sample = self.gauge.sampling - 1;
            Sent(Some(began()))
        } else {
            self.until_sample -= 1;
            Sent(None)
        };
        self.answered(sent);
    }

    /// Counts an event whose answer has been checked.
    pub(crate) fn answered(&mut self, sent: Sent) {
        // The lane is the only writer, so that a plain load and store lose nothing.
        let count = self.count.0.load(Relaxed);
        self.count.0.store(count + 1, Relaxed);
        if let Sent(Some(at)) = sent
            && self.gauge.phase.load(Relaxed) == MEASURING
        {
            let nanos = u32::try_from(at.elapsed().as_nanos()).unwrap_or(u32::MAX);
            self.latencies.push(nanos);
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        lock(&self.gauge.latencies).append(&mut self.latencies);
    }
}

/// Latencies in rising order.
#[derive(Debug)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    /// Takes nanoseconds in any order.
    pub(crate) fn new(mut nanos: Vec<u32>) -> Self {
        nanos.sort_unstable();
        Self(nanos)
    }

    /// The latency that `percent` of all events do not exceed; `None` if none was taken.
    pub(crate) fn percentile(&self, percent: usize) -> Option<Duration> {
        let rank = (self.0.len() * percent).div_ceil(100);
        let nanos = self.0.get(rank.saturating_sub(1))?;
        Some(Duration::from_nanos(u64::from(*nanos)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Every critical section is one statement that leaves a whole value behind.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks() {
        let latencies = Latencies((1..=200).collect());
        assert_eq!(latencies.percentile(50), Some(Duration::from_nanos(100)));
        assert_eq!(latencies.percentile(99), Some(Duration::from_nanos(198)));
        let one = Latencies(vec![7]);
        assert_eq!(one.percentile(50), Some(Duration::from_nanos(7)));
        assert_eq!(one.percentile(99), Some(Duration::from_nanos(7)));
        assert_eq!(Latencies(vec![]).percentile(50), None);
    }

    #[test]
    fn only_the_window_keeps_latencies_and_all_events_count() {
        let gauge = Gauge::new(2);
        let mut lane = gauge.lane();
        let event = |lane: &mut Lane| {
            let sent = lane.sent();
            lane.answered(sent);
        };
        event(&mut lane);
        event(&mut lane);
        gauge.begin();
        for _ in 0..4 {
            event(&mut lane);
        }
        assert!(lane.runs());
        gauge.stop();
        assert!(!lane.runs());
        event(&mut lane);
        assert_eq!(gauge.events(), 7);
        drop(lane);
        assert_eq!(gauge.latencies().0.len(), 2, "one of two in the window");
    }

    #[tokio::test]
    async fn the_end_is_heard_by_who_waits_before_it_and_after_it() {
        let gauge = Gauge::new(1);
        let waiting = tokio::spawn({
            let gauge = Arc::clone(&gauge);
            async move { gauge.stopped().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        gauge.stop();
        waiting.await.expect("nothing of it can panic");
        gauge.stopped().await;
    }
}
