//! What derived events cost to compile, beside serde's derives alone, and how large a program is.
//!
//! Writes crates beside this program's own build, so that their dependencies are built once, and
//! calls the cargo that this was started with.

mod report;
mod sources;

use std::{
    env,
    fmt::Display,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use nix::sys::resource::{UsageWho, getrusage};
use serde::Serialize;

use crate::report::present;
use report::{Report, Turn};

/// Measures what 100 derived events cost to check beside 100 serde structs, and the size of `hello`
#[derive(Debug, Args)]
pub(crate) struct Compile {
    /// Rounds, each of which checks each crate once
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,

    /// Also writes everything that was measured to this file
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
}

impl Compile {
    pub(crate) fn run(&self) -> Result<()> {
        present(self.json.as_deref(), || self.measure())
    }

    pub(crate) fn measure(&self) -> Result<impl Serialize + Display + use<>> {
        let cargo = Cargo::prepare()?;
        eprintln!("checks what the crates depend on");
        for name in sources::CHECKED {
            cargo.check(name)?;
        }
        let mut turns = Vec::new();
        for round in 1..=self.rounds {
            let [structs_s, events_s] = sources::CHECKED.map(|name| cargo.check_anew(name));
            let turn = Turn {
                structs_s: structs_s?,
                events_s: events_s?,
            };
            let Turn {
                structs_s,
                events_s,
            } = turn;
            eprintln!(
                "round {round}/{}: structs {structs_s:.2} s, events {events_s:.2} s",
                self.rounds
            );
            turns.push(turn);
        }
        eprintln!("builds {}", sources::HELLO);
        Ok(Report::new(turns, cargo.hello_bytes()?))
    }
}

/// Cargo at work in a folder of its own.
#[derive(Debug)]
struct Cargo {
    folder: PathBuf,
}

impl Cargo {
    /// Writes the crates, in a folder beside this program.
    fn prepare() -> Result<Self> {
        let program = env::current_exe()?;
        let beside = program.parent().context("this program lies nowhere")?;
        let folder = beside.join("compile");
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        let project = project.context("the project lies nowhere")?;
        sources::write(&folder, project)
            .with_context(|| format!("cannot write crates to {}", folder.display()))?;
        Ok(Self { folder })
    }

    /// User and system time of checking a crate again, without that of cargo itself, in seconds.
    fn check_anew(&self, name: &str) -> Result<f64> {
        // Rewritten as it is, so that it is newer than what was made of it.
        let root = self.folder.join(name).join("src/lib.rs");
        fs::write(&root, fs::read(&root)?)?;
        let anew = self.check(name)?;
        let nothing = self.check(name)?;
        Ok(anew.saturating_sub(nothing).as_secs_f64())
    }

    fn check(&self, name: &str) -> Result<Duration> {
        self.cargo(&["check", "--package", name])
    }

    fn hello_bytes(&self) -> Result<u64> {
        self.cargo(&["build", "--release", "--package", sources::HELLO])?;
        let program = self.folder.join("target/release").join(sources::HELLO);
        Ok(fs::metadata(program)?.len())
    }

    /// Runs cargo to its end; returns the user and system time that it and all below it took.
    fn cargo(&self, arguments: &[&str]) -> Result<Duration> {
        let before = children_cpu()?;
        let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(program)
            .current_dir(&self.folder)
            .args(arguments)
            .arg("--quiet")
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            // What is checked again would be there already.
            .env("CARGO_INCREMENTAL", "0")
            .env_remove("RUSTFLAGS")
            .stdin(Stdio::null())
            .status()
            .context("cannot start cargo")?;
        ensure!(status.success(), "`cargo {}` failed", arguments.join(" "));
        Ok(children_cpu()?.saturating_sub(before))
    }
}

/// User and system time of all children that have ended, and of theirs.
fn children_cpu() -> Result<Duration> {
    let children = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let (user, system) = (children.user_time(), children.system_time());
    let micros = |seconds: i64, micros: i64| u64::try_from(seconds * 1_000_000 + micros);
    Ok(Duration::from_micros(
        micros(user.tv_sec(), user.tv_usec())? + micros(system.tv_sec(), system.tv_usec())?,
    ))
}
