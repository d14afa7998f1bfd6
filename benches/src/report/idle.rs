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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{contenders, mode};

    fn idle(kib: f64, at_rest: bool) -> Idle {
        Idle {
            anonymous_per_connection: kib * KIB,
            resident_per_connection: kib * KIB,
            anonymous_before: 0.0,
            at_rest,
        }
    }

    #[test]
    fn a_row_has_the_median_of_the_rounds_and_unrest_is_told() {
        let contender = contenders::ALL[0];
        let rounds = [(4.0, true), (9.0, true), (5.0, false)];
        let rounds = rounds.map(|(kib, at_rest)| idle(kib, at_rest)).to_vec();
        let found = OfIdleMode::new(&mode::ALL[0], Placement::Free, vec![(contender, rounds)]);
        let (name, told) = (contender.name(), found.to_string());
        assert!(told.contains(&format!("| {name} | 5.00 (4.00–9.00) | 5.00 |")));
        assert!(told.contains(&format!("> The memory of {name} had not come to rest")));
    }
}
