//! Open files: each connection takes one on both sides.

use anyhow::{Context as _, Result, ensure};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// What a process has open besides its connections, with room to spare.
const OTHERS: u64 = 100;

/// Raises this process's limit as far as it may; returns it.
pub(crate) fn allow_all() -> Result<u64> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).context("cannot raise the limit of files")?;
    Ok(most)
}

/// Raises the limit, and fails where it is too low for so many connections.
pub(crate) fn allow(connections: usize) -> Result<()> {
    let (most, needed) = (allow_all()?, u64::try_from(connections)? + OTHERS);
    ensure!(
        needed <= most,
        "{connections} clients take {needed} open files, {most} are allowed: raise `ulimit -Hn` \
         or choose fewer clients (--clients of rooms, --modes of fewer connections)"
    );
    Ok(())
}
