//! One measurement: a fresh server process, a fresh client runtime, a warm-up and a window.
//!
//! Knows no contender by name.

use std::{
    fmt,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde::Serialize;

use crate::{
    contenders::{Contender, Load},
    gauge::Gauge,
    mode::Mode,
    placement::{Placement, Side},
    process::{Server, Watched},
};

/// How long many clients may take to connect, and to have the first event: the warm-up begins with
/// that.
const FIRST_EVENT: Duration = Duration::from_mins(1);

/// How long a client may take to get its last answers once it has been told to stop.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// How long tasks that a client has left behind may take to end.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) warm_up: Duration,
    pub(crate) window: Duration,
    pub(crate) placement: Placement,
}

/// What one measurement found.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Measurement {
    pub(crate) events: u64,
    pub(crate) events_per_s: f64,
    /// User and system time of the server for each event.
    pub(crate) server_cpu_us: f64,
    /// User and system time of the client for each event.
    pub(crate) client_cpu_us: f64,
    /// User and system time of the server for each frame that it took in.
    pub(crate) server_cpu_per_frame_us: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Growth of the server's resident memory since before the first connection, bytes for each.
    pub(crate) memory_per_connection: f64,
}

pub(crate) fn measure(
    contender: &'static dyn Contender,
    mode: &'static Mode,
    settings: Settings,
) -> Result<Measurement> {
    let server = Server::start(contender.name(), settings.placement)?;
    let client = Watched::process(std::process::id())?;
    let memory_before = server.watched.memory()?;
    let gauge = Gauge::new(mode.sampling());
    let load = Load {
        address: server.address,
        mode,
        gauge: Arc::clone(&gauge),
    };
    let mut driving = Driving::begin(contender, load, settings.placement);

    let deadline = Instant::now() + FIRST_EVENT;
    while gauge.events() == 0 {
        driving = driving.still_on()?;
        ensure!(
            Instant::now() < deadline,
            "not one event {FIRST_EVENT:?} after the start"
        );
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(settings.warm_up);
    gauge.begin();
    let begin = Snapshot::take(&gauge, server.watched, client)?;
    thread::sleep(settings.window);
    let driving = driving.still_on()?;
    let end = Snapshot::take(&gauge, server.watched, client)?;
    let memory = server.watched.memory()?;
    gauge.stop();
    driving.finish()?;

    let events = end.events - begin.events;
    ensure!(events > 0, "not one event in {:?}", settings.window);
    let latencies = gauge.latencies();
    let percentile = |percent| {
        latencies
            .percentile(percent)
            .map(|latency| latency.as_secs_f64() * 1e6)
            .context("not one latency was taken: measure for longer")
    };
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let (count, connections, grown) = (
        events as f64,
        (mode.connections * contender.links()) as f64,
        memory.saturating_sub(memory_before) as f64,
    );
    let server_cpu_us = end.server.saturating_sub(begin.server).as_secs_f64() * 1e6 / count;
    Ok(Measurement {
        events,
        events_per_s: count / (end.at - begin.at).as_secs_f64(),
        server_cpu_us,
        client_cpu_us: end.client.saturating_sub(begin.client).as_secs_f64() * 1e6 / count,
        server_cpu_per_frame_us: server_cpu_us / f64::from(contender.frames()),
        p50_us: percentile(50)?,
        p99_us: percentile(99)?,
        memory_per_connection: grown / connections,
    })
}

/// What the progress of a run says of it.
impl fmt::Display for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            events_per_s,
            server_cpu_us,
            ..
        } = self;
        write!(f, "{events_per_s:.0}/s, server {server_cpu_us:.2} µs")
    }
}

/// A client at work on a thread of its own.
pub(crate) struct Driving(JoinHandle<Result<()>>);

impl Driving {
    pub(crate) fn begin(
        contender: &'static dyn Contender,
        load: Load,
        placement: Placement,
    ) -> Self {
        Self(thread::spawn(move || drive(contender, load, placement)))
    }

    /// Fails if the client has ended, which it does not before it is told to.
    pub(crate) fn still_on(self) -> Result<Self> {
        if self.0.is_finished() {
            self.result()?;
            bail!("the client ended before the measurement did");
        }
        Ok(self)
    }

    /// Waits until the client has got its last answers and has ended, as it has been told to.
    pub(crate) fn finish(self) -> Result<()> {
        let deadline = Instant::now() + LAST_ANSWERS;
        while !self.0.is_finished() {
            ensure!(
                Instant::now() < deadline,
                "an answer is missing {LAST_ANSWERS:?} after the last request"
            );
            thread::sleep(Duration::from_millis(1));
        }
        self.result()
    }

    fn result(self) -> Result<()> {
        let result = self.0.join();
        result.map_err(|_| anyhow!("the client panicked"))?
    }
}

/// Runs the client on a runtime of its own, so that nothing of one contender outlives its turn.
fn drive(contender: &'static dyn Contender, load: Load, placement: Placement) -> Result<()> {
    let runtime = placement.runtime(Side::Client)?;
    // Spawned, so that it runs on a worker and not on the thread that merely waits for it.
    let driven = runtime.block_on(async { tokio::spawn(contender.drive(load)).await });
    runtime.shutdown_timeout(PATIENCE);
    driven?
}

struct Snapshot {
    at: Instant,
    events: u64,
    server: Duration,
    client: Duration,
}

impl Snapshot {
    fn take(gauge: &Gauge, server: Watched, client: Watched) -> Result<Self> {
        Ok(Self {
            at: Instant::now(),
            events: gauge.events(),
            server: server.cpu()?,
            client: client.cpu()?,
        })
    }
}
