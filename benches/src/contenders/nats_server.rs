//! The real `nats-server` as a child, for the contenders that are measured through it.
//!
//! Knows nothing of what is published.

use std::{env, net::SocketAddr, process::Stdio, time::Duration};

use anyhow::{Context as _, Result, bail};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    net::TcpStream,
    process::{Child, ChildStderr, Command},
    time::timeout,
};

/// What the program is called on `PATH`.
const PROGRAM: &str = "nats-server";

/// What its log says before the address that it listens at.
const LISTENING: &str = "Listening for client connections on ";

/// How long it may take to start and to greet a client.
const PATIENCE: Duration = Duration::from_secs(10);

/// What contenders that are measured through it lack on this machine; none where it is there.
pub(super) fn lacks() -> Option<&'static str> {
    let path = env::var_os("PATH").unwrap_or_default();
    let installed = env::split_paths(&path).any(|folder| folder.join(PROGRAM).is_file());
    (!installed).then_some("`nats-server` is not on PATH, install it to measure this")
}

/// A running server; dropping it ends its process.
#[derive(Debug)]
pub(super) struct NatsServer {
    pub(super) address: SocketAddr,
    /// The process to watch.
    pub(super) pid: u32,
    _child: Child,
}

impl NatsServer {
    /// Starts a server on a free port, with its defaults, and waits until it greets a client.
    pub(super) async fn start() -> Result<Self> {
        let mut child = Command::new(PROGRAM)
            // A port of -1 is one of the system's choice.
            .args(["--addr", "127.0.0.1", "--port", "-1"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {PROGRAM}"))?;
        let pid = child.id().context("nats-server ended at once")?;
        let log = child.stderr.take().context("nats-server has no log")?;
        let starting = async {
            let address = listening(log).await?;
            greeting(address).await?;
            anyhow::Ok(address)
        };
        let address = timeout(PATIENCE, starting)
            .await
            .with_context(|| format!("nats-server did not greet within {PATIENCE:?}"))??;
        Ok(Self {
            address,
            pid,
            _child: child,
        })
    }
}

/// Reads the address from the log, and the rest of the log for as long as the server runs, so that
/// it never waits for a full pipe.
async fn listening(log: ChildStderr) -> Result<SocketAddr> {
    let mut lines = BufReader::new(log).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some((_, address)) = line.split_once(LISTENING) {
            let address = address.trim().parse();
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return address.with_context(|| format!("nats-server listens at `{line}`"));
        }
    }
    bail!("nats-server ended before it listened")
}

/// Waits for the first bytes that the server says to every client.
async fn greeting(address: SocketAddr) -> Result<()> {
    let mut greeting = [0; 5];
    let mut stream = TcpStream::connect(address).await?;
    stream.read_exact(&mut greeting).await?;
    if &greeting != b"INFO " {
        bail!("what listens at {address} is no nats-server");
    }
    Ok(())
}
