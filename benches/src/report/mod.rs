//! From measurements to medians, ratios and tables.
//!
//! A ratio is taken within a round, between measurements that stand next to each other in time,
//! and only then does the median go over the rounds: what slows the machine down for a while slows
//! both sides of a ratio.

mod idle;
mod spread;
mod tables;

use std::{
    fmt,
    fs::File,
    io::{self, BufWriter, Write as _},
    num::NonZeroUsize,
    path::Path,
    thread,
};

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::{
    contenders::Contender,
    idle::Idle,
    measure::Measurement,
    mode::{Mode, Workload},
    placement::Placement,
};
use idle::OfIdleMode;

pub(crate) use spread::Spread;

/// Rounds below which a median says little.
pub(crate) const ENOUGH_ROUNDS: usize = 5;

/// How far apart the baseline's own rates may lie before its ratios deserve a warning.
const STEADY: f64 = 1.5;

/// Everything that one run found, as `--json` writes it.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    rounds: usize,
    seconds: f64,
    cores: usize,
    contenders: Vec<About>,
    modes: Vec<OfMode>,
    idle: Vec<OfIdleMode>,
    left_out: Vec<LeftOut>,
}

#[derive(Debug, Serialize)]
struct About {
    name: &'static str,
    about: &'static str,
}

/// A contender that this machine cannot run.
#[derive(Debug, Serialize)]
struct LeftOut {
    name: &'static str,
    lacks: &'static str,
}

#[derive(Debug, Serialize)]
struct OfMode {
    mode: &'static str,
    #[serde(skip)]
    title: &'static str,
    #[serde(skip)]
    workload: Workload,
    connections: usize,
    in_flight: usize,
    placement: Placement,
    baseline: &'static str,
    contenders: Vec<OfContender>,
}

#[derive(Debug, Serialize)]
struct OfContender {
    contender: &'static str,
    /// Frames that the server takes in for each event.
    frames: u32,
    events_per_s: Spread,
    /// To the baseline of the mode, like each ratio.
    rate_ratio: Spread,
    server_cpu_us: Spread,
    server_cpu_ratio: Spread,
    server_cpu_per_frame_us: Spread,
    server_cpu_per_frame_ratio: Spread,
    client_cpu_us: Spread,
    p50_us: Spread,
    p99_us: Spread,
    memory_per_connection: Spread,
    rounds: Vec<Measurement>,
}

/// All rounds of one contender in one mode.
pub(crate) type Rounds<M = Measurement> = (&'static dyn Contender, Vec<M>);

impl Report {
    pub(crate) fn new(rounds: usize, seconds: f64) -> Self {
        Self {
            rounds,
            seconds,
            cores: cores(),
            contenders: Vec::new(),
            modes: Vec::new(),
            idle: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Notes that a contender is not measured, and why.
    pub(crate) fn leave_out(&mut self, name: &'static str, lacks: &'static str) {
        self.left_out.push(LeftOut { name, lacks });
    }

    /// Adds what a mode found; `measured` holds as many rounds of each contender, and the
    /// baseline among them.
    pub(crate) fn add(&mut self, mode: &'static Mode, placement: Placement, measured: Vec<Rounds>) {
        let baseline = measured
            .iter()
            .find(|(contender, _)| contender.name() == mode.baseline)
            .map(|(_, rounds)| rounds.clone())
            .expect("the baseline is measured in every mode");
        let contenders = measured
            .into_iter()
            .map(|(contender, rounds)| {
                self.introduce(contender);
                OfContender::new(contender.name(), contender.frames(), rounds, &baseline)
            })
            .collect();
        self.modes.push(OfMode {
            mode: mode.name,
            title: mode.title,
            workload: mode.workload,
            connections: mode.connections,
            in_flight: mode.in_flight,
            placement,
            baseline: mode.baseline,
            contenders,
        });
    }

    /// The same for a mode of idle connections.
    pub(crate) fn add_idle(
        &mut self,
        mode: &'static Mode,
        placement: Placement,
        measured: Vec<Rounds<Idle>>,
    ) {
        for (contender, _) in &measured {
            self.introduce(*contender);
        }
        self.idle.push(OfIdleMode::new(mode, placement, measured));
    }

    fn introduce(&mut self, contender: &dyn Contender) {
        if self.contenders.iter().all(|c| c.name != contender.name()) {
            self.contenders.push(About {
                name: contender.name(),
                about: contender.about(),
            });
        }
    }
}

impl OfContender {
    fn new(
        contender: &'static str,
        frames: u32,
        rounds: Vec<Measurement>,
        baseline: &[Measurement],
    ) -> Self {
        let spread = |of: fn(&Measurement) -> f64| Spread::of(rounds.iter().map(of));
        let ratio = |of: fn(&Measurement) -> f64| {
            let pairs = rounds.iter().zip(baseline);
            Spread::of(pairs.map(|(this, base)| of(this) / of(base)))
        };
        Self {
            contender,
            frames,
            events_per_s: spread(|m| m.events_per_s),
            rate_ratio: ratio(|m| m.events_per_s),
            server_cpu_us: spread(|m| m.server_cpu_us),
            server_cpu_ratio: ratio(|m| m.server_cpu_us),
            server_cpu_per_frame_us: spread(|m| m.server_cpu_per_frame_us),
            server_cpu_per_frame_ratio: ratio(|m| m.server_cpu_per_frame_us),
            client_cpu_us: spread(|m| m.client_cpu_us),
            p50_us: spread(|m| m.p50_us),
            p99_us: spread(|m| m.p99_us),
            memory_per_connection: spread(|m| m.memory_per_connection),
            rounds,
        }
    }
}

/// How many cores both processes have together.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// The file for the results, made before anything is measured, so that a wrong path does not cost a
/// whole run.
fn json_file(path: &Path) -> Result<File> {
    File::create(path).with_context(|| format!("cannot write the results to {}", path.display()))
}

/// Measures, and prints the report; writes it to the file at `json` too, which is made before, so that a
/// path that cannot be written does not cost a run.
pub(crate) fn present<R: Serialize + fmt::Display>(
    json: Option<&Path>,
    measure: impl FnOnce() -> Result<R>,
) -> Result<()> {
    let json = json.map(json_file).transpose()?;
    let report = measure()?;
    if let Some(json) = json {
        let mut json = BufWriter::new(json);
        serde_json::to_writer_pretty(&mut json, &report)?;
        writeln!(json)?;
        json.flush()?;
    }
    write!(io::stdout(), "{report}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(events_per_s: f64) -> Measurement {
        Measurement {
            events: 1,
            events_per_s,
            server_cpu_us: 1.0,
            client_cpu_us: 1.0,
            server_cpu_per_frame_us: 1.0,
            p50_us: 1.0,
            p99_us: 1.0,
            memory_per_connection: 0.0,
        }
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // The machine is ten times slower in the second round; the contender is always half as fast.
        let baseline = [100.0, 10.0, 100.0].map(measured);
        let rounds = [50.0, 5.0, 50.0].map(measured).to_vec();
        let found = OfContender::new("half", 1, rounds, &baseline);
        assert_eq!(found.rate_ratio.ratio(), "**0.50** (0.50–0.50)");
    }
}
