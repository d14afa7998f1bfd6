//! The table of a mode whose connections are idle: memory, not rates.

use std::fmt;

use serde::Serialize;

use super::{Rounds, Spread};
use crate::{idle::Idle, mode::Mode, placement::Placement};

const KIB: f64 = 1024.0;

/// What a mode found; its ratios are left to the reader.
#[derive(Debug, Serialize)]
pub(super) struct OfIdleMode {
    mode: &'static str,
    #[serde(skip)]
    title: &'static str,
    connections: usize,
    placement: Placement,
    contenders: Vec<OfContender>,
}

#[derive(Debug, Serialize)]
struct OfContender {
    contender: &'static str,
    anonymous_kib: Spread,
    resident_kib: Spread,
    rounds: Vec<Idle>,
}

impl OfIdleMode {
    pub(super) fn new(mode: &Mode, placement: Placement, measured: Vec<Rounds<Idle>>) -> Self {
        let contenders = measured.into_iter().map(|(contender, rounds)| {
            let spread = |of: fn(&Idle) -> f64| Spread::of(rounds.iter().map(|r| of(r) / KIB));
            OfContender {
                contender: contender.name(),
                anonymous_kib: spread(|idle| idle.anonymous_per_connection),
                resident_kib: spread(|idle| idle.resident_per_connection),
                rounds,
            }
        });
        Self {
            mode: mode.name,
            title: mode.title,
            connections: mode.connections,
            placement,
            contenders: contenders.collect(),
        }
    }
}

impl fmt::Display for OfIdleMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "### {} (placement: {})\n\n\
             | memory of the server | a connection, KiB | resident, KiB |\n\
             | --- | ---: | ---: |",
            self.title,
            self.placement.name()
        )?;
        for c in &self.contenders {
            writeln!(
                f,
                "| {} | {} | {:.2} |",
                c.contender, c.anonymous_kib, c.resident_kib.median
            )?;
        }
        let restless = |c: &&OfContender| c.rounds.iter().any(|round| !round.at_rest);
        for c in self.contenders.iter().filter(restless) {
            writeln!(
                f,
                "\n> The memory of {} had not come to rest in every round.",
                c.contender
            )?;
        }
        Ok(())
    }
}
