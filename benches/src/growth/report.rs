//! From rounds to ratios and tables: each size to the first one of its series, within a round.

use std::fmt;

use serde::Serialize;

use super::{BROADCASTS, Growth, MEMBERS, REQUESTS, Series};
use crate::{
    measure::Measurement,
    placement::Placement,
    report::{ENOUGH_ROUNDS, Spread, cores},
};

/// Everything that one run found, as `--json` writes it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    rounds: usize,
    seconds: f64,
    cores: usize,
    placement: Placement,
    series: Vec<OfSeries>,
}

#[derive(Debug, Serialize)]
struct OfSeries {
    contender: &'static str,
    of: &'static str,
    sizes: Vec<OfSize>,
}

#[derive(Debug, Serialize)]
struct OfSize {
    size: usize,
    events_per_s: Spread,
    server_cpu_us: Spread,
    /// To the first size.
    server_cpu_ratio: Spread,
    rounds: Vec<Measurement>,
}

impl Report {
    pub(super) fn new(settings: &Growth, series: Vec<Series>) -> Self {
        Self {
            rounds: usize::from(settings.rounds),
            seconds: settings.seconds,
            cores: cores(),
            placement: settings.placement,
            series: series.into_iter().map(OfSeries::new).collect(),
        }
    }
}

impl OfSeries {
    fn new(Series { name, of, points }: Series) -> Self {
        let first: Vec<f64> = points.first().map_or_else(Vec::new, |point| {
            point.rounds.iter().map(|m| m.server_cpu_us).collect()
        });
        let sizes = points.into_iter().map(|point| {
            let rounds = point.rounds;
            let cpu = rounds.iter().map(|m| m.server_cpu_us);
            OfSize {
                size: point.size,
                events_per_s: Spread::of(rounds.iter().map(|m| m.events_per_s)),
                server_cpu_us: Spread::of(cpu.clone()),
                server_cpu_ratio: Spread::of(cpu.zip(&first).map(|(this, first)| this / first)),
                rounds,
            }
        });
        Self {
            contender: name,
            of,
            sizes: sizes.collect(),
        }
    }
}

/// The report in Markdown.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "### Growth (placement: {})\n\n\
             Median (min–max) of {} rounds of {} s each, {} cores. Connections: {REQUESTS} requests \
             in flight over all of them together. Rooms: {MEMBERS} members each, {BROADCASTS} \
             broadcasts in flight over all of them together; an event is a delivery.",
            self.placement.name(),
            self.rounds,
            self.seconds,
            self.cores,
        )?;
        if self.rounds < ENOUGH_ROUNDS {
            writeln!(
                f,
                "\n> Fewer than {ENOUGH_ROUNDS} rounds: good for a look, not for a claim."
            )?;
        }
        writeln!(
            f,
            "\n| contender | of | server CPU an event, µs | to the fewest | events/s |\n\
             | --- | ---: | ---: | ---: | ---: |"
        )?;
        for OfSeries {
            contender,
            of,
            sizes,
        } in &self.series
        {
            for OfSize {
                size,
                events_per_s,
                server_cpu_us,
                server_cpu_ratio,
                ..
            } in sizes
            {
                writeln!(
                    f,
                    "| {contender} | {size} {of} | {:.2} | {server_cpu_ratio:.2} | {:.0} |",
                    server_cpu_us.median, events_per_s.median
                )?;
            }
        }
        Ok(())
    }
}
