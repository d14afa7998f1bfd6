//! Where client and server run: which runtime, on which cores.

use anyhow::{Result, ensure};
use clap::ValueEnum;
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};
use serde::Serialize;
use tokio::runtime::{Builder, Runtime};

/// How the two processes share the cores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Placement {
    /// Multi-thread runtimes, on any core.
    Free,
    /// Multi-thread runtimes, each pinned to its half of the cores.
    Split,
    /// Current-thread runtimes, each pinned to a core of its own.
    Apart,
    /// Multi-thread runtimes, both pinned to one core.
    Together,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Client,
}

impl Placement {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Split => "split",
            Self::Apart => "apart",
            Self::Together => "together",
        }
    }

    /// Pins the calling thread and makes the runtime of its side; threads that the runtime starts
    /// inherit the pinning.
    pub(crate) fn runtime(self, side: Side) -> Result<Runtime> {
        // The client's main thread is never pinned, so it still has all the cores that we may use.
        let allowed = sched_getaffinity(Pid::this())?;
        let cores: Vec<usize> = (0..CpuSet::count())
            .filter(|core| allowed.is_set(*core).unwrap_or(false))
            .collect();
        ensure!(
            cores.len() > 1 || !matches!(self, Self::Split | Self::Apart),
            "placement {} needs two cores or more",
            self.name()
        );
        let half = cores.len() / 2;
        let mut builder = match self {
            Self::Free => Builder::new_multi_thread(),
            Self::Split => {
                pin(side.of(&cores[..half], &cores[half..]))?;
                Builder::new_multi_thread()
            }
            Self::Apart => {
                pin(side.of(&cores[..1], &cores[1..2]))?;
                Builder::new_current_thread()
            }
            Self::Together => {
                pin(&cores[..1])?;
                Builder::new_multi_thread()
            }
        };
        Ok(builder.enable_all().build()?)
    }
}

impl Side {
    fn of<T>(self, server: T, client: T) -> T {
        match self {
            Self::Server => server,
            Self::Client => client,
        }
    }
}

/// Pins the calling thread to some cores.
fn pin(cores: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core)?;
    }
    sched_setaffinity(Pid::from_raw(0), &set)?;
    Ok(())
}
