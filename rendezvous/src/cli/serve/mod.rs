//! `rendezvous serve`: a server for peers of any protocol, from its start to the second signal.

mod connection;
mod handles;
mod options;

use std::io::{self, ErrorKind, Write, stdout};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use protocol_core::{BindError, Protocol, Server};

use super::environment;
use super::exit::Exit;
use super::signals::Signals;
use crate::events::{Login, RoomNews, Rooms, SessionNews};
use crate::service::Rendezvous;
pub(super) use options::{Serve, flags};

/// What the program itself understands. Whatever else its clients speak, it relays.
#[derive(Debug, Protocol)]
#[protocol(name = "rendezvous", version = "1", to_server = (Login, Rooms), to_client = (SessionNews, RoomNews))]
struct Stock;

impl Serve {
    pub(super) fn run(&self) -> Exit {
        if let Some(conflict) = self.conflict() {
            return Exit::usage(&[conflict]);
        }
        self.log.start();
        for stray in environment::strays() {
            tracing::warn!("{stray}");
        }
        match self.serve() {
            Ok(exit) => exit,
            Err(error) => {
                self.log.report(&error);
                if error.is::<CannotListen>() {
                    Exit::CannotListen
                } else {
                    Exit::Failed
                }
            }
        }
    }

    fn serve(&self) -> anyhow::Result<Exit> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("cannot start threads")?;
        runtime.block_on(self.serve_until_stopped())
    }

    async fn serve_until_stopped(&self) -> anyhow::Result<Exit> {
        // Before anybody can know that the server is there, so that no signal is missed.
        let mut signals = Signals::new().context("cannot watch for signals")?;
        if let Some(file) = &self.config {
            tracing::info!(?file, "configured");
        }
        handles::raise_limit(self.max_connections);
        let rendezvous = Rendezvous::new(self.config());
        let server = rendezvous
            .bind::<Stock>(self.listen)
            .handle(rendezvous.clone())
            .await
            .map_err(|error| CannotListen::new(self.listen, error))?;
        let address = server.address();
        let started = Instant::now();
        tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");
        if is_exposed(address) {
            tracing::warn!(
                %address,
                "others can reach this address: links are not encrypted and ids are not \
                 authenticated, so use it on a network that you trust or inside a tunnel"
            );
        }
        if let Err(error) = announce(address) {
            tracing::debug!(%error, "nobody reads stdout");
        }

        let signal = signals.next().await;
        let deadline = self.shutdown_deadline;
        let (connections, sessions) = (server.connections(), rendezvous.sessions());
        tracing::info!(signal, connections, sessions, ?deadline, "stopping");
        let in_order = stop(&rendezvous, &server, deadline, &mut signals).await;
        let uptime = Duration::from_secs(started.elapsed().as_secs());
        if in_order {
            tracing::info!(?uptime, "stopped in order");
            Ok(Exit::Stopped)
        } else {
            tracing::warn!(?uptime, "stopped, but connections were cut off");
            Ok(Exit::CutOff)
        }
    }
}

/// Shuts down within `deadline`, or at once on a further signal; whether all connections ended in
/// order.
async fn stop(
    rendezvous: &Rendezvous,
    server: &Server<Stock>,
    deadline: Duration,
    signals: &mut Signals,
) -> bool {
    tokio::select! {
        in_order = rendezvous.shutdown(server, deadline) => return in_order,
        signal = signals.next() => {
            tracing::warn!(signal, connections = server.connections(), "closing at once");
        }
    }
    server.shutdown(Duration::ZERO).await
}

/// Tells whoever started the program where it listens: the only line on stdout.
fn announce(address: SocketAddr) -> io::Result<()> {
    let mut stdout = stdout().lock();
    writeln!(stdout, "listening on {address}")?;
    stdout.flush()
}

/// Whether other machines may reach `address`.
fn is_exposed(address: SocketAddr) -> bool {
    !address.ip().to_canonical().is_loopback()
}

/// The address that is not to be had, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {reason}")]
struct CannotListen {
    address: SocketAddr,
    reason: String,
}

impl CannotListen {
    fn new(address: SocketAddr, error: BindError) -> Self {
        let kind = match &error {
            BindError::Io(error) => error.kind(),
            _ => ErrorKind::Other,
        };
        let reason = match kind {
            ErrorKind::AddrInUse => "address already in use: stop the other program or choose \
                                     another port with --listen"
                .to_owned(),
            ErrorKind::AddrNotAvailable => "this machine does not have the address: choose one \
                                            that it has with --listen, or 0.0.0.0 for all"
                .to_owned(),
            ErrorKind::PermissionDenied => "permission denied: choose a port above 1023 with \
                                            --listen"
                .to_owned(),
            _ => format!("{error}: choose another address with --listen"),
        };
        Self { address, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_out_of_others_reach() {
        for inside in [
            "127.0.0.1:1",
            "127.9.9.9:1",
            "[::1]:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert!(!is_exposed(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["0.0.0.0:1", "[::]:1", "192.168.0.1:1", "[fe80::1]:1"] {
            assert!(is_exposed(outside.parse().unwrap()), "{outside}");
        }
    }
}
