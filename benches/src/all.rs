//! Everything, one after the other: the modes of load, what grows, the rooms, and compile time.

use std::{fmt, path::PathBuf};

use anyhow::Result;
use clap::{Args, FromArgMatches};
use serde::Serialize;

use crate::{Run, compile::Compile, growth::Growth, measure_modes, report::present, rooms::Rooms};

/// Measures everything: all modes, and what `growth`, `rooms` and `compile` measure
#[derive(Debug, Args)]
pub(crate) struct All {
    /// Rounds of each measurement
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,

    /// Also writes everything that was measured to this file
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
}

impl All {
    pub(crate) fn run(&self) -> Result<()> {
        present(self.json.as_deref(), || {
            Ok(Report {
                load: measure_modes(&self.part::<Run>()?)?,
                growth: self.part::<Growth>()?.measure()?,
                rooms: self.part::<Rooms>()?.measured()?,
                compile: self.part::<Compile>()?.measure()?,
            })
        })
    }

    /// A part as its own command would have it, but for the rounds.
    fn part<A: Args + FromArgMatches>(&self) -> Result<A> {
        let rounds = self.rounds.to_string();
        let command = A::augment_args(clap::Command::new("all"));
        let matches = command.try_get_matches_from(["all", "--rounds", &rounds])?;
        Ok(A::from_arg_matches(&matches)?)
    }
}

/// Everything that one run found, as `--json` writes it.
#[derive(Debug, Serialize)]
struct Report<L, G, R, C> {
    /// As a run of its own writes it, so that a chart can be drawn of it.
    #[serde(flatten)]
    load: L,
    growth: G,
    rooms: R,
    compile: C,
}

impl<L, G, R, C> fmt::Display for Report<L, G, R, C>
where
    L: fmt::Display,
    G: fmt::Display,
    R: fmt::Display,
    C: fmt::Display,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            load,
            growth,
            rooms,
            compile,
        } = self;
        write!(f, "{load}\n{growth}\n{rooms}\n{compile}")
    }
}
