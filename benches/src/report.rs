//! From measurements to medians, ratios and tables.
//!
//! A ratio is taken within a round, between measurements that stand next to each other in time,
//! and only then does the median go over the rounds: what slows the machine down for a while slows
//! both sides of a ratio.

use std::{
    fmt::{self, Write as _},
    fs::File,
    io::{BufWriter, Write as _},
    num::NonZeroUsize,
    path::Path,
    thread,
};

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::{
    contenders::Contender,
    measure::Measurement,
    mode::{Mode, Workload},
    placement::Placement,
};

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
}

#[derive(Debug, Serialize)]
struct About {
    name: &'static str,
    about: &'static str,
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

/// A median and what it lies between.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    min: f64,
    max: f64,
}

/// All rounds of one contender in one mode.
pub(crate) type Rounds = (&'static dyn Contender, Vec<Measurement>);

impl Report {
    pub(crate) fn new(rounds: usize, seconds: f64) -> Self {
        Self {
            rounds,
            seconds,
            cores: cores(),
            contenders: Vec::new(),
            modes: Vec::new(),
        }
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
                if self.contenders.iter().all(|c| c.name != contender.name()) {
                    self.contenders.push(About {
                        name: contender.name(),
                        about: contender.about(),
                    });
                }
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

impl Spread {
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median = if sorted.len().is_multiple_of(2) {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        } else {
            sorted[middle]
        };
        Self {
            median,
            min: sorted[0],
            max: sorted[sorted.len() - 1],
        }
    }

    /// As a ratio, with what it lies between.
    fn ratio(self) -> String {
        let Self { median, min, max } = self;
        format!("**{median:.2}** ({min:.2}–{max:.2})")
    }
}

/// A median with what it lies between, to as many places as the format says.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, min, max } = self;
        let places = f.precision().unwrap_or(2);
        write!(f, "{median:.places$} ({min:.places$}–{max:.places$})")
    }
}

/// How many cores both processes have together.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// The file for the results, made before anything is measured, so that a wrong path does not cost a
/// whole run.
pub(crate) fn json_file(path: &Path) -> Result<File> {
    File::create(path).with_context(|| format!("cannot write the results to {}", path.display()))
}

/// Writes all results.
pub(crate) fn write_json(file: File, report: &impl Serialize) -> Result<()> {
    let mut file = BufWriter::new(file);
    serde_json::to_writer_pretty(&mut file, report)?;
    writeln!(file)?;
    file.flush()?;
    Ok(())
}

/// The report in Markdown.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Median (min–max) of {} rounds of {} s each, {} cores.",
            self.rounds, self.seconds, self.cores
        )?;
        if self.rounds < ENOUGH_ROUNDS {
            writeln!(
                f,
                "\n> Fewer than {ENOUGH_ROUNDS} rounds: good for a look, not for a claim."
            )?;
        }
        self.write_summary(f)?;
        for mode in &self.modes {
            write!(f, "\n{mode}")?;
        }
        writeln!(f)?;
        for About { name, about } in &self.contenders {
            writeln!(f, "- `{name}`: {about}")?;
        }
        Ok(())
    }
}

impl Report {
    /// One row a contender: rate and server CPU, both as ratios, in each mode.
    fn write_summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut head, mut rule) = (String::new(), String::new());
        for mode in &self.modes {
            let per = match mode.workload {
                Workload::Relay => " a frame",
                Workload::Broadcast => " a delivery",
                _ => "",
            };
            write!(head, " {}: rate, server CPU{per} |", mode.mode)?;
            rule.push_str(" --- |");
        }
        writeln!(f, "\n| ratios |{head}\n| --- |{rule}")?;
        for About { name, .. } in &self.contenders {
            write!(f, "| {name} |")?;
            for mode in &self.modes {
                match mode.contenders.iter().find(|c| c.contender == *name) {
                    Some(c) => write!(
                        f,
                        " {:.2}, {:.2} |",
                        c.rate_ratio.median, c.server_cpu_per_frame_ratio.median
                    )?,
                    None => write!(f, " – |")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for OfMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "### {} (placement: {})\n",
            self.title,
            self.placement.name()
        )?;
        let base = self.baseline;
        // What is relayed differs in frames from what it is compared with, so a frame is compared.
        let (events, frame_head, frame_rule, per) = match self.workload {
            Workload::Relay => (
                "events",
                " frames | server CPU a frame, µs |",
                " ---: | ---: |",
                " a frame",
            ),
            Workload::Broadcast => ("deliveries", "", "", " a delivery"),
            _ => ("events", "", "", ""),
        };
        writeln!(
            f,
            "| contender | {events}/s | rate to {base} | server CPU, µs |{frame_head} \
             server CPU{per} to {base} | client CPU, µs | p50, µs | p99, µs |\n\
             | --- | ---: | ---: | ---: |{frame_rule} ---: | ---: | ---: | ---: |",
        )?;
        for c in &self.contenders {
            write!(
                f,
                "| {} | {:.0} | {} | {:.2} |",
                c.contender,
                c.events_per_s.median,
                c.rate_ratio.ratio(),
                c.server_cpu_us.median,
            )?;
            if self.workload == Workload::Relay {
                let cpu = c.server_cpu_per_frame_us.median;
                write!(f, " {} | {cpu:.2} |", c.frames)?;
            }
            writeln!(
                f,
                " {} | {:.2} | {:.0} | {:.0} |",
                c.server_cpu_per_frame_ratio.ratio(),
                c.client_cpu_us.median,
                c.p50_us.median,
                c.p99_us.median,
            )?;
        }
        let baseline = self
            .contenders
            .iter()
            .find(|c| c.contender == self.baseline);
        if let Some(Spread { min, max, .. }) = baseline.map(|c| c.events_per_s)
            && max > min * STEADY
        {
            let why = match self.placement {
                Placement::Free => {
                    ", or the two processes shared a core in some rounds only, which \
                     `--placement split` rules out"
                }
                Placement::Split | Placement::Apart | Placement::Together => "",
            };
            writeln!(
                f,
                "\n> {} itself went from {min:.0} to {max:.0} events/s: the machine was busy{why}.",
                self.baseline
            )?;
        }
        Ok(())
    }
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
    fn medians_are_of_the_middle() {
        let spread = Spread::of([3.0, 1.0, 2.0].into_iter());
        assert_eq!(spread.ratio(), "**2.00** (1.00–3.00)");
        let even = Spread::of([4.0, 1.0, 2.0, 3.0].into_iter());
        assert_eq!(even.ratio(), "**2.50** (1.00–4.00)");
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
