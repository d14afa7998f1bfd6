//! What an idle connection takes of the server's memory: a fresh server process, all connections of
//! the mode, one request on each, and then a rest.
//!
//! Knows no contender by name.

use std::{
    fmt,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::{
    contenders::{Contender, Load},
    gauge::Gauge,
    measure::Driving,
    mode::Mode,
    placement::Placement,
    process::{Server, Watched},
};

/// How long all clients may take to connect and to be answered.
const ALL_ANSWERED: Duration = Duration::from_mins(2);

/// How often memory is read until it rests.
const INTERVAL: Duration = Duration::from_millis(100);

/// Readings in a row that tell the same where memory rests.
const SAME_READINGS: u32 = 5;

/// What does not count as a change.
const SAME_BYTES: u64 = 64 * 1024;

/// How long memory may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(10);

/// What one measurement found: growth of the server's memory since before the first connection.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Idle {
    /// Bytes for each connection that are no file's: heap and stacks.
    pub(crate) anonymous_per_connection: f64,
    /// Resident bytes for each connection.
    pub(crate) resident_per_connection: f64,
    /// Anonymous memory before the first connection, in all.
    pub(crate) anonymous_before: f64,
    /// Whether memory came to rest in time.
    pub(crate) at_rest: bool,
}

/// What the progress of a run says of it.
impl fmt::Display for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kib = self.anonymous_per_connection / 1024.0;
        let unrest = if self.at_rest { "" } else { ", not at rest" };
        write!(f, "{kib:.2} KiB a connection{unrest}")
    }
}

pub(crate) fn measure(
    contender: &'static dyn Contender,
    mode: &'static Mode,
    placement: Placement,
) -> Result<Idle> {
    let server = Server::start(contender.name(), placement)?;
    let before = Memory::at_rest(server.watched)?;
    let files = server.watched.open_files()?;
    let gauge = Gauge::new(mode.sampling());
    let load = Load {
        address: server.address,
        mode,
        gauge: Arc::clone(&gauge),
    };
    let mut driving = Driving::begin(contender, load, placement);
    let connections = u64::try_from(mode.connections)?;
    let deadline = Instant::now() + ALL_ANSWERED;
    while gauge.events() < connections {
        driving = driving.still_on()?;
        ensure!(
            Instant::now() < deadline,
            "{} of {connections} clients have been answered after {ALL_ANSWERED:?}",
            gauge.events()
        );
        thread::sleep(Duration::from_millis(1));
    }
    let after = Memory::at_rest(server.watched)?;
    let driving = driving.still_on()?;
    let open = server.watched.open_files()?.saturating_sub(files);
    ensure!(
        open >= mode.connections,
        "the server has only {open} of {connections} connections at the end"
    );
    gauge.stop();
    driving.finish()?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let each = |after: u64, before: u64| {
        after.saturating_sub(before) as f64 / (mode.connections * contender.links()) as f64
    };
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let anonymous_before = before.anonymous as f64;
    Ok(Idle {
        anonymous_per_connection: each(after.anonymous, before.anonymous),
        resident_per_connection: each(after.resident, before.resident),
        anonymous_before,
        at_rest: before.rests && after.rests,
    })
}

/// The server's memory at one moment.
struct Memory {
    anonymous: u64,
    resident: u64,
    rests: bool,
}

impl Memory {
    /// Reads it once it has not changed for a while, or once that takes too long.
    fn at_rest(server: Watched) -> Result<Self> {
        let deadline = Instant::now() + PATIENCE;
        let mut anonymous = server.anonymous_memory()?;
        let mut same = 0;
        while same < SAME_READINGS && Instant::now() < deadline {
            thread::sleep(INTERVAL);
            let now = server.anonymous_memory()?;
            if now.abs_diff(anonymous) <= SAME_BYTES {
                same += 1;
            } else {
                (anonymous, same) = (now, 0);
            }
        }
        Ok(Self {
            anonymous: server.anonymous_memory()?,
            resident: server.memory()?,
            rests: same >= SAME_READINGS,
        })
    }
}
