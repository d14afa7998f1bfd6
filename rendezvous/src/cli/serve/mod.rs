//! `rendezvous serve`: a server for peers of any protocol, from its start to the second signal.

mod connection;
mod handles;
mod links;
mod logins;
mod options;
mod tokens;

use std::fs;
use std::io::{self, ErrorKind, Write, stdout};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use protocol_core::{BindError, Protocol, PublicKey, Server};

use super::environment;
use super::exit::Exit;
use super::key_file::Unusable;
use super::signals::Signals;
use crate::bindings::Bindings;
use crate::events::{Login, RoomNews, Rooms, SessionNews};
use crate::service::Rendezvous;
use links::{ServerKey, Taken, is_exposed};
pub(super) use options::{Serve, flags};
use tokens::read_tokens;

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
                } else if error.is::<Unusable>() {
                    Exit::KeyFile
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
        let (encryption, key) = self.links.open(self.listen)?;
        let rendezvous = self.rendezvous(key.as_ref())?;
        let server = rendezvous
            .bind::<Stock>(self.listen)
            .encryption(encryption)
            .handle(rendezvous.clone())
            .await
            .map_err(|error| CannotListen::new(self.listen, error))?;
        let address = server.address();
        let started = Instant::now();
        let ids = rendezvous.inner.bindings.len();
        self.log_start(address, key.as_ref(), ids);
        if let Err(error) = announce(address, server.public_key()) {
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
            tracing::warn!(
                ?uptime,
                "stopped, but connections were cut off, or bindings are not written"
            );
            Ok(Exit::CutOff)
        }
    }

    /// Why the file of tokens cannot be used, if one is named.
    pub(super) fn unusable_tokens(&self) -> Option<String> {
        let path = self.logins.auth_token_file.as_ref()?;
        read_tokens(path).err().map(|Unusable(why)| why)
    }

    /// Login and rooms, with the tokens and bindings that are in files.
    fn rendezvous(&self, key: Option<&ServerKey>) -> Result<Rendezvous, Unusable> {
        let tokens = match &self.logins.auth_token_file {
            Some(path) => {
                let tokens = read_tokens(path)?;
                let ids = tokens.len();
                tracing::info!(file = ?path, ids, "logins need a token, or the key of a bound id");
                Some(tokens)
            }
            None => None,
        };
        let bindings = match key {
            Some(key) => open_bindings(key)?,
            // Plain links prove no keys that ids could be bound to.
            None => Bindings::in_memory(),
        };
        Ok(Rendezvous::with_bindings(self.config(tokens), bindings))
    }

    fn log_start(&self, address: SocketAddr, key: Option<&ServerKey>, ids: usize) {
        tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");
        if let Some(key) = key {
            let (public_key, file, is_new) = (key.public, &key.path, key.is_new);
            tracing::info!(%public_key, ?file, is_new, "encrypted links are taken");
            let file = key.bindings();
            tracing::info!(?file, ids, "ids belong to the keys they are bound to");
        }
        if is_exposed(address) && self.links.taken(self.listen) != Taken::Encrypted {
            tracing::warn!(
                %address,
                "others can reach this address and use plain links: whoever sees the network reads \
                 those, tokens too, and they prove no ids, so use it on a network that you trust or \
                 inside a tunnel, or take encrypted links only"
            );
        }
    }
}

/// Opens the file beside the key, which may have been lost.
fn open_bindings(key: &ServerKey) -> Result<Bindings, Unusable> {
    let file = key.bindings();
    let has_some = fs::metadata(&file).is_ok_and(|metadata| metadata.len() > 0);
    let bindings = Bindings::open(&file)?;
    if !key.is_new && !has_some {
        tracing::warn!(
            ?file,
            "the server's key is not new, but the file of bindings was missing or empty: each id \
             belongs to whoever logs in first, so unless this is the key's first start, stop and put \
             the file back"
        );
    }
    Ok(bindings)
}

/// Shuts down within `deadline`, or at once on a further signal; whether all connections ended in
/// order and all bindings are written.
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
    let ended = server.shutdown(Duration::ZERO).await;
    rendezvous.inner.bindings.close().await && ended
}

/// Tells whoever started the program where it listens, and by which key clients know it: all that
/// goes to stdout.
fn announce(address: SocketAddr, public_key: Option<PublicKey>) -> io::Result<()> {
    let key = public_key.map_or(String::new(), |key| format!("public key {key}\n"));
    let lines = format!("listening on {address}\n{key}");
    // At once, so that whoever waits for the first line finds the second.
    let mut stdout = stdout().lock();
    stdout.write_all(lines.as_bytes())?;
    stdout.flush()
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
