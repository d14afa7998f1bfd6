//! The end that listens: accepts within limits, runs a driver a connection, shuts down gracefully.

use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::DuplexStream;
use tokio::net::{TcpListener, TcpSocket, ToSocketAddrs};
use tokio::task::{AbortHandle, JoinSet};

use super::accept::Seats;
use super::bind::Bind;
use super::transport::{Io, Transport};
use crate::codec::PublicKey;
use crate::connection::{Closing, Limits};
use crate::protocol::Protocol;
use crate::router::{Hub, Recipient, Remote, Remotes};

/// Bytes that an in-memory pipe holds in each direction.
const PIPE_BYTES: usize = 64 * 1024;

/// Clients that the system keeps waiting for being accepted; the standard library's own number is
/// too small for a thousand that come at once.
const BACKLOG: u32 = 1_024;

/// The bounds of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerLimits {
    /// Connections in all; a further one gets `unavailable` and is closed.
    pub connections: usize,
    /// Connections from one address, so that one machine cannot take all places; of IPv6 from one
    /// network of 64 bits. Loopback addresses are not counted.
    pub connections_an_address: Option<usize>,
    /// Handshakes of encrypted links whose keys are computed at once, a tenth of a millisecond each;
    /// further ones wait, for no longer than [`Limits::handshake_timeout`]. By default half of the
    /// cores, so that open links have the other half. 0 counts as 1.
    pub handshakes: usize,
    /// Those of one address that are computed or wait among all; further ones wait behind their own,
    /// so that a crowd from one machine does not keep others waiting. Addresses are counted as
    /// connections are. 0 counts as 1.
    pub handshakes_an_address: usize,
    /// The bounds of each connection.
    pub connection: Limits,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_an_address: Some(64),
            handshakes: std::thread::available_parallelism().map_or(1, |cores| cores.get() / 2),
            handshakes_an_address: 8,
            connection: Limits::server(),
        }
    }
}

/// A server that speaks protocol `P`.
///
/// Clones are handles to one server. It runs until [`shutdown`](Self::shutdown) or until the last
/// handle is dropped, which closes every connection at once.
///
/// A handler that has begun runs to its end, even if its link is lost meanwhile. It is cut off by
/// [`Limits::handler_timeout`], by a shutdown past its deadline, and when the last handle is
/// dropped.
///
/// # Examples
///
/// See [`Client`](crate::Client).
#[must_use = "a server whose last handle is dropped closes at once"]
pub struct Server<P> {
    inner: Arc<Inner>,
    protocol: PhantomData<fn() -> P>,
}

pub(super) struct Inner {
    pub(super) hub: Arc<Hub>,
    pub(super) seats: Arc<Seats>,
    pub(super) address: Option<SocketAddr>,
    pub(super) public_key: Option<PublicKey>,
    pub(super) tasks: Arc<Tasks>,
    pub(super) accepting: Option<AbortHandle>,
    /// Held by whoever waits for the shutdown, so that a second one waits too.
    pub(super) shutdown: tokio::sync::Mutex<Shutdown>,
    pub(super) serve_pipe: Box<dyn Fn(Io) + Send + Sync>,
}

/// How far a shutdown is. It keeps the tasks, so that one who stops waiting ends nothing.
pub(super) enum Shutdown {
    NotAsked,
    UnderWay(Vec<JoinSet<()>>),
    Done { in_time: bool },
}

impl Drop for Inner {
    fn drop(&mut self) {
        for mut tasks in self.tasks.close() {
            tasks.abort_all();
        }
    }
}

/// The accepting task and those of links and connections; none once the server shuts down.
#[derive(Default)]
pub(super) struct Tasks {
    running: Mutex<TaskSet>,
}

#[derive(Default)]
struct TaskSet {
    set: JoinSet<()>,
    /// Of links that are no connections yet.
    opening: JoinSet<()>,
    closed: bool,
}

impl Tasks {
    /// Runs a task, unless the server shuts down.
    pub(super) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Option<AbortHandle> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        while running.set.try_join_next().is_some() {}
        while running.opening.try_join_next().is_some() {}
        (!running.closed).then(|| running.set.spawn(task))
    }

    /// Runs a task that opens a link, unless the server shuts down, which ends it at once.
    pub(super) fn spawn_opening(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        while running.opening.try_join_next().is_some() {}
        if !running.closed {
            running.opening.spawn(task);
        }
    }

    /// Ends the tasks that open links, and hands all of them over.
    fn close(&self) -> Vec<JoinSet<()>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.closed = true;
        running.opening.abort_all();
        let opening = std::mem::take(&mut running.opening);
        vec![opening, std::mem::take(&mut running.set)]
    }
}

impl<P: Protocol> Server<P> {
    pub(super) fn new(inner: Inner) -> Self {
        Self {
            inner: Arc::new(inner),
            protocol: PhantomData,
        }
    }

    /// Listens on `address`, such as `"127.0.0.1:7766"`; port 0 picks a free one. Name the handlers
    /// with [`Bind::handle`], then await.
    pub fn bind<'a>(address: impl ToSocketAddrs + Send + 'a) -> Bind<'a, P> {
        Bind::new(Some(Box::pin(listen(address))))
    }

    /// A server without a socket, for [`Client::connect_in_memory`]: the same handlers, driver and
    /// bytes, in one process.
    ///
    /// [`Client::connect_in_memory`]: crate::Client::connect_in_memory
    pub fn in_memory() -> Bind<'static, P> {
        Bind::new(None)
    }

    /// The address that it listens on; `0.0.0.0:0` where it has no socket.
    pub fn address(&self) -> SocketAddr {
        self.inner
            .address
            .unwrap_or_else(|| ([0, 0, 0, 0], 0).into())
    }

    /// The key that clients know it by; none where it takes plain links only.
    pub fn public_key(&self) -> Option<PublicKey> {
        self.inner.public_key
    }

    /// How many clients are connected, or about to be.
    pub fn connections(&self) -> usize {
        self.inner.seats.taken()
    }

    /// One client, by peer id or connection.
    pub fn to(&self, recipient: impl Into<Recipient>) -> Remote<P> {
        Remote::find(Some(&self.inner.hub), recipient.into())
    }

    /// Several clients; those that are not connected are left out.
    pub fn to_many<R: Into<Recipient>>(
        &self,
        recipients: impl IntoIterator<Item = R>,
    ) -> Remotes<P> {
        Remotes::find(&self.inner.hub, recipients)
    }

    /// Every connected client.
    pub fn to_all(&self) -> Remotes<P> {
        Remotes::new(self.inner.hub.all())
    }

    /// Stops accepting, handles and answers what has arrived, writes what is due, and closes every
    /// connection; after `deadline` it cuts off what is left. Events that are read meanwhile get
    /// `shutting_down`; one that comes after the link's last word is [`RequestError::Lost`] to its
    /// sender.
    ///
    /// [`RequestError::Lost`]: crate::RequestError::Lost
    ///
    /// Returns whether everything ended in time. Dropping the future stops the wait, not the
    /// shutdown; a second call goes on waiting, with a deadline of its own.
    pub async fn shutdown(&self, deadline: Duration) -> bool {
        if let Some(accepting) = &self.inner.accepting {
            accepting.abort();
        }
        let mut shutdown = self.inner.shutdown.lock().await;
        if let Shutdown::NotAsked = *shutdown {
            *shutdown = Shutdown::UnderWay(self.inner.tasks.close());
            for link in &self.inner.hub.all() {
                link.outbox.close(Closing::Drain);
            }
        }
        let in_time = match &mut *shutdown {
            Shutdown::Done { in_time } => *in_time,
            Shutdown::NotAsked => true,
            Shutdown::UnderWay(tasks) => {
                let all = async {
                    for tasks in &mut *tasks {
                        while tasks.join_next().await.is_some() {}
                    }
                };
                let in_time = tokio::time::timeout(deadline, all).await.is_ok();
                for tasks in tasks {
                    tasks.shutdown().await;
                }
                in_time
            }
        };
        *shutdown = Shutdown::Done { in_time };
        in_time
    }

    pub(super) fn open_pipe(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        self.accept_stream(far);
        near
    }

    /// Serves a client whose stream was made elsewhere, such as a test's or another transport's. It
    /// counts among the connections, and to no address.
    pub fn accept_stream(&self, stream: impl Transport) {
        (self.inner.serve_pipe)(Io::Other(Box::new(stream)));
    }
}

/// Listens on the first of the addresses that is to be had.
async fn listen(addresses: impl ToSocketAddrs) -> io::Result<TcpListener> {
    let mut failed = None;
    for address in tokio::net::lookup_host(addresses).await? {
        match listen_on(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = Some(error),
        }
    }
    let nothing = || io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
    Err(failed.unwrap_or_else(nothing))
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // On Windows this would let others take the port away.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl<P> Clone for Server<P> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            protocol: PhantomData,
        }
    }
}

impl<P> std::fmt::Debug for Server<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.inner.address)
            .finish_non_exhaustive()
    }
}
