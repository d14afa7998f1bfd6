//! What is read from the two processes, before and after.
//!
//! Knows no sockets and no rooms.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;

use crate::{gauge::Latencies, process::Watched};

/// What is watched, and for how long.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) server: Watched,
    pub(super) client: Watched,
    pub(super) warm_up: Duration,
    pub(super) window: Duration,
    pub(super) numbers: Cell<u64>,
}

impl Watch {
    /// A number that no event had before.
    pub(super) fn number(&self) -> u64 {
        self.numbers.replace(self.numbers.get() + 1)
    }
}

/// What one load found.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Load {
    pub(super) events: u64,
    pub(super) deliveries: u64,
    pub(super) events_per_s: f64,
    pub(super) deliveries_per_s: f64,
    /// User and system time of the server, in percent of one core.
    pub(super) server_percent: f64,
    /// The same for each event.
    pub(super) server_cpu_per_event_us: f64,
    /// The same for each delivery.
    pub(super) server_cpu_per_delivery_us: f64,
    pub(super) client_cpu_per_delivery_us: f64,
    /// From just before an event is sent until its last receiver has it.
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
}

impl Load {
    pub(super) fn with_latencies(self, latencies: &Latencies) -> Result<Self> {
        let percentile = |percent| {
            let latency = latencies.percentile(percent);
            latency
                .map(|latency| latency.as_secs_f64() * 1e6)
                .context("not one latency was taken: measure for longer")
        };
        Ok(Self {
            p50_us: percentile(50)?,
            p99_us: percentile(99)?,
            ..self
        })
    }
}

/// Both processes at one moment.
pub(super) struct Snapshot {
    at: Instant,
    server: Duration,
    client: Duration,
    events: u64,
    deliveries: u64,
}

impl Snapshot {
    pub(super) fn take(watch: &Watch, events: u64, deliveries: u64) -> Result<Self> {
        Ok(Self {
            at: Instant::now(),
            server: watch.server.cpu()?,
            client: watch.client.cpu()?,
            events,
            deliveries,
        })
    }

    /// What went on since.
    pub(super) fn until(&self, watch: &Watch, events: u64, deliveries: u64) -> Result<Load> {
        let now = Self::take(watch, events, deliveries)?;
        let seconds = (now.at - self.at).as_secs_f64();
        let server = now.server.saturating_sub(self.server).as_secs_f64();
        let client = now.client.saturating_sub(self.client).as_secs_f64();
        let (events, deliveries) = (events - self.events, deliveries - self.deliveries);
        ensure!(events > 0 && deliveries > 0, "nothing went on");
        let (sent, received) = (count(events), count(deliveries));
        Ok(Load {
            events,
            deliveries,
            events_per_s: sent / seconds,
            deliveries_per_s: received / seconds,
            server_percent: server / seconds * 100.0,
            server_cpu_per_event_us: server * 1e6 / sent,
            server_cpu_per_delivery_us: server * 1e6 / received,
            client_cpu_per_delivery_us: client * 1e6 / received,
            p50_us: 0.0,
            p99_us: 0.0,
        })
    }
}

/// How many, to divide by.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(super) fn count(count: u64) -> f64 {
    count as f64
}
