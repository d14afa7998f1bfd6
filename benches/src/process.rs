//! A contender's server in a process of its own: started, watched from outside, and never left
//! behind.
//!
//! The child is this same binary. It prints `ADDRESS PID` when it listens (the process to watch is
//! not always the child itself), and ends when its standard input closes, which the system sees to
//! however this process may end.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::SocketAddr,
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use nix::{time::ClockId, unistd::Pid};

use crate::{
    contenders::Running,
    placement::{Placement, Side},
};

/// How long a server may take to end by itself before it is killed.
const PATIENCE: Duration = Duration::from_secs(1);

/// A running server; dropping it ends its process.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    pub(crate) address: SocketAddr,
    pub(crate) watched: Watched,
}

impl Server {
    /// Starts the server of a contender, or that of the rooms.
    pub(crate) fn start(name: &str, placement: Placement) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", name, "--placement", placement.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server's process")?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take();
        // From here on the drop ends the child, whatever it says.
        let mut server = Self {
            watched: Watched::process(child.id())?,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            child,
            stdin,
        };
        let mut line = String::new();
        if let Some(stdout) = stdout {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let (address, pid) = line
            .trim_end()
            .split_once(' ')
            .with_context(|| format!("the server of {name} ended before it listened"))?;
        server.address = address.parse()?;
        server.watched = Watched::process(pid.parse()?)?;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let deadline = Instant::now() + PATIENCE;
        while let Ok(None) = self.child.try_wait() {
            if Instant::now() > deadline {
                // Both fail only if the child has ended meanwhile.
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// A process whose use of the machine is read from outside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watched {
    pid: u32,
    clock: ClockId,
}

impl Watched {
    pub(crate) fn process(pid: u32) -> Result<Self> {
        let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(pid.try_into()?))
            .with_context(|| format!("process {pid} has no CPU clock"))?;
        Ok(Self { pid, clock })
    }

    /// User and system time of all its threads so far, to the nanosecond.
    pub(crate) fn cpu(self) -> Result<Duration> {
        let now = self.clock.now().context("the process has ended")?;
        Ok(now.into())
    }

    /// Resident memory in bytes.
    pub(crate) fn memory(self) -> Result<u64> {
        self.bytes("status", "VmRSS:")
    }

    /// Resident memory in bytes that is no file's: heap and stacks.
    pub(crate) fn anonymous_memory(self) -> Result<u64> {
        self.bytes("smaps_rollup", "Anonymous:")
    }

    /// Files that it has open, sockets among them.
    pub(crate) fn open_files(self) -> Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.pid))?.count())
    }

    fn bytes(self, file: &str, name: &str) -> Result<u64> {
        let told = fs::read_to_string(format!("/proc/{}/{file}", self.pid))?;
        let kib = told
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_suffix("kB"))
            .with_context(|| format!("the process does not tell `{name}` in {file}"))?;
        Ok(kib.trim().parse::<u64>()? * 1024)
    }
}

/// What a contender's server says once it listens.
#[derive(Debug)]
pub(crate) struct Announcement {
    to: io::Stdout,
}

impl Announcement {
    /// Tells the measuring process where to connect and which process to watch.
    pub(crate) fn listening(self, address: SocketAddr, pid: u32) -> io::Result<()> {
        let mut stdout = self.to.lock();
        writeln!(stdout, "{address} {pid}")?;
        stdout.flush()
    }
}

/// The child's side: serves until standard input closes.
pub(crate) fn serve(
    placement: Placement,
    start: impl FnOnce(Announcement) -> Running,
) -> Result<()> {
    let runtime = placement.runtime(Side::Server)?;
    let (closed, stop) = tokio::sync::oneshot::channel();
    thread::spawn(move || {
        // An error ends the wait as well as the end of the input does.
        let _ = io::stdin().lock().read_to_end(&mut Vec::new());
        let _ = closed.send(());
        // A server so busy that it never sees the word goes all the same.
        thread::sleep(PATIENCE);
        std::process::exit(1);
    });
    let announcement = Announcement { to: io::stdout() };
    let served = runtime.block_on(async {
        tokio::select! {
            served = start(announcement) => served,
            _ = stop => Ok(()),
        }
    });
    runtime.shutdown_background();
    served
}
