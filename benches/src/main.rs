//! Measures this project and its peers side by side in one run, and prints ratios.
//!
//! Each contender's server runs in a process of its own (this binary again, with `serve`), its
//! client in this one. See `README.md` for what the columns mean and how to add a contender.

mod all;
mod chart;
mod compile;
mod contenders;
mod files;
mod gauge;
mod growth;
mod idle;
mod measure;
mod mode;
mod placement;
mod process;
mod report;
mod rooms;
mod work;

use std::{fmt::Display, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use clap::{Args, Parser, Subcommand, builder::PossibleValuesParser};

use contenders::{Contender, takes_part};
use measure::Settings;
use mode::{Mode, Workload};
use placement::Placement;
use report::{Report, Rounds};

/// Measures this project and its peers side by side, and prints ratios as Markdown
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true, after_help = after_help())]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(Debug, Subcommand)]
enum Command {
    All(all::All),
    Rooms(rooms::Rooms),
    Growth(growth::Growth),
    Compile(compile::Compile),
    Chart(chart::Chart),
    /// Serves one contender, or rooms, until standard input closes
    #[command(hide = true)]
    Serve {
        name: String,
        #[arg(long, value_enum, default_value_t = Placement::Free)]
        placement: Placement,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Modes of load to measure, separated by commas [default: all]
    #[arg(long, value_delimiter = ',', value_parser = mode_names())]
    modes: Vec<String>,

    /// Contenders to measure, separated by commas; a mode's baseline always runs [default: all]
    #[arg(long, value_delimiter = ',', value_parser = contender_names())]
    contenders: Vec<String>,

    /// Rounds, each of which measures every contender once
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,

    /// Length of each measurement in seconds, after a warm-up of a quarter of it
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    seconds: f64,

    /// How client and server share the cores [default: as the mode says]
    #[arg(long, value_enum)]
    placement: Option<Placement>,

    /// Also writes everything that was measured to this file
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    match cli.command {
        Some(Command::All(all)) => all.run(),
        Some(Command::Rooms(rooms)) => rooms.run(),
        Some(Command::Growth(growth)) => growth.run(),
        Some(Command::Compile(compile)) => compile.run(),
        Some(Command::Chart(chart)) => chart.run(),
        Some(Command::Serve { name, placement }) if name == rooms::SERVER => {
            process::serve(placement, rooms::serve)
        }
        Some(Command::Serve { name, placement }) => {
            let contender = contender_named(&name)?;
            process::serve(placement, |announcement| contender.serve(announcement))
        }
        None => report::present(cli.run.json.as_deref(), || measure_modes(&cli.run)),
    }
}

fn measure_modes(options: &Run) -> Result<Report> {
    let rounds = usize::from(options.rounds);
    let mut report = Report::new(rounds, options.seconds);
    let modes = mode::ALL.iter();
    let modes: Vec<_> = modes.filter(|m| selected(&options.modes, m.name)).collect();
    let contenders = contenders_here(&options.contenders, &modes, &mut report);
    // Before anything is measured, so that it does not cost a whole run.
    files::allow(modes.iter().map(|m| m.connections).max().unwrap_or(0))?;
    for mode in modes {
        let settings = Settings {
            warm_up: Duration::from_secs_f64(options.seconds / 4.0),
            window: Duration::from_secs_f64(options.seconds),
            placement: options.placement.unwrap_or(mode.placement),
        };
        let in_turn = InTurn {
            mode,
            contenders: &contenders,
            names: &options.contenders,
            rounds,
        };
        if mode.workload == Workload::Idle {
            let measured = in_turn.measure(|c| idle::measure(c, mode, settings.placement))?;
            report.add_idle(mode, settings.placement, measured);
        } else {
            let measured = in_turn.measure(|c| measure::measure(c, mode, settings))?;
            report.add(mode, settings.placement, measured);
        }
    }
    Ok(report)
}

/// All contenders that this machine can run; says which of those that were selected for one of the
/// modes are left out.
fn contenders_here(
    names: &[String],
    modes: &[&Mode],
    report: &mut Report,
) -> Vec<&'static dyn Contender> {
    let mut here = Vec::new();
    for contender in contenders::ALL {
        let name = contender.name();
        let is_due = selected(names, name) && modes.iter().any(|mode| takes_part(*contender, mode));
        match contender.lacks() {
            None => here.push(*contender),
            Some(lack) if is_due => {
                eprintln!("{name} is left out: {lack}");
                report.leave_out(name, lack);
            }
            Some(_) => {}
        }
    }
    here
}

/// Who is measured in a mode, and how often.
struct InTurn<'a> {
    mode: &'static Mode,
    contenders: &'a [&'static dyn Contender],
    /// The contenders that were selected; all if there are none.
    names: &'a [String],
    rounds: usize,
}

impl InTurn<'_> {
    /// Measures every selected contender once a round, one after the other.
    fn measure<M: Display>(
        &self,
        measure: impl Fn(&'static dyn Contender) -> Result<M>,
    ) -> Result<Vec<Rounds<M>>> {
        let Self { mode, rounds, .. } = *self;
        let mut measured: Vec<Rounds<M>> = self
            .contenders
            .iter()
            .filter(|c| c.name() == mode.baseline || selected(self.names, c.name()))
            .filter(|c| takes_part(**c, mode))
            .map(|c| (*c, Vec::new()))
            .collect();
        for round in 1..=rounds {
            for (contender, found) in &mut measured {
                let measurement = measure(*contender)
                    .with_context(|| format!("{} in mode {}", contender.name(), mode.name))?;
                eprintln!(
                    "mode {} round {round}/{rounds} {}: {measurement}",
                    mode.name,
                    contender.name(),
                );
                found.push(measurement);
            }
        }
        Ok(measured)
    }
}

/// Whether a name is among those that were given, or none was.
fn selected(names: &[String], name: &str) -> bool {
    names.is_empty() || names.iter().any(|selected| selected == name)
}

fn contender_named(name: &str) -> Result<&'static dyn Contender> {
    let named = contenders::ALL.iter().find(|c| c.name() == name);
    named
        .copied()
        .ok_or_else(|| anyhow!("no contender is called {name}"))
}

fn contender_names() -> PossibleValuesParser {
    contenders::ALL.iter().map(|c| c.name()).into()
}

fn mode_names() -> PossibleValuesParser {
    mode::ALL.iter().map(|mode| mode.name).into()
}

fn after_help() -> String {
    let line = |(name, about)| format!("  {name:<22} {about}\n");
    let modes: String = mode::ALL.iter().map(|m| line((m.name, m.title))).collect();
    let contenders: String = contenders::ALL
        .iter()
        .map(|c| line((c.name(), c.about())))
        .collect();
    format!("Modes:\n{modes}\nContenders:\n{contenders}")
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.01..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("expected seconds from 0.01 to 3600".to_owned()),
    }
}
