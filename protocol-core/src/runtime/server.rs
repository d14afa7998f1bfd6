//! The end that listens: accepts within limits, runs a driver a connection, shuts down gracefully.

use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::task::{AbortHandle, JoinSet};

use super::accept::{Seat, Seats, accept, new_connection};
use super::driver::drive;
use crate::connection::{Closing, Limits, Notice, Observer, Role};
use crate::protocol::{AtServer, Protocol};
use crate::router::{self, AtServerService, Gate, Hub, Link, Recipient, Remote, Remotes, Serve};

/// Bytes that an in-memory pipe holds in each direction.
const PIPE_BYTES: usize = 64 * 1024;

/// The bounds of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerLimits {
    /// Connections in all; a further one gets `unavailable` and is closed.
    pub connections: usize,
    /// Connections from one address, so that one machine cannot take all places. Loopback
    /// addresses are not counted.
    pub connections_an_address: Option<usize>,
    /// The bounds of each connection.
    pub connection: Limits,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_an_address: Some(64),
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
pub struct Server<P> {
    inner: Arc<Inner>,
    protocol: PhantomData<fn() -> P>,
}

struct Inner {
    hub: Arc<Hub>,
    seats: Arc<Seats>,
    address: Option<SocketAddr>,
    tasks: Arc<Tasks>,
    accepting: Option<AbortHandle>,
    /// How the shutdown ended; held while it is under way, so that a second one waits for it.
    shutdown: tokio::sync::Mutex<Option<bool>>,
    serve_pipe: Box<dyn Fn(DuplexStream) + Send + Sync>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.tasks.close().abort_all();
    }
}

/// The accepting task and those of the connections; none once the server shuts down.
#[derive(Default)]
struct Tasks {
    running: Mutex<TaskSet>,
}

#[derive(Default)]
struct TaskSet {
    set: JoinSet<()>,
    closed: bool,
}

impl Tasks {
    /// Runs a task, unless the server shuts down.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Option<AbortHandle> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        while running.set.try_join_next().is_some() {}
        (!running.closed).then(|| running.set.spawn(task))
    }

    fn close(&self) -> JoinSet<()> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.closed = true;
        std::mem::take(&mut running.set)
    }
}

impl<P: Protocol> Server<P> {
    /// Listens on `address`, such as `"127.0.0.1:7766"`; port 0 picks a free one. Name the handlers
    /// with [`Bind::handle`], then await.
    pub fn bind<'a>(address: impl ToSocketAddrs + Send + 'a) -> Bind<'a, P> {
        Bind::new(Some(Box::pin(TcpListener::bind(address))))
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

    /// How many clients are connected.
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
    /// Returns whether everything ended in time.
    pub async fn shutdown(&self, deadline: Duration) -> bool {
        if let Some(accepting) = &self.inner.accepting {
            accepting.abort();
        }
        let mut outcome = self.inner.shutdown.lock().await;
        if let Some(in_time) = *outcome {
            return in_time;
        }
        let mut tasks = self.inner.tasks.close();
        for link in &self.inner.hub.all() {
            link.outbox.close(Closing::Drain);
        }
        let all = async { while tasks.join_next().await.is_some() {} };
        let in_time = tokio::time::timeout(deadline, all).await.is_ok();
        if !in_time {
            tasks.shutdown().await;
        }
        *outcome.insert(in_time)
    }

    pub(super) fn open_pipe(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        (self.inner.serve_pipe)(far);
        near
    }
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

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The system refused, for example since the address is taken.
    #[error("cannot listen: {0}")]
    Io(#[from] io::Error),
}

type Binding<'a> = Pin<Box<dyn Future<Output = io::Result<TcpListener>> + Send + 'a>>;

/// A server to be started; name its handlers.
#[must_use = "nothing listens before the handlers are named and this is awaited"]
pub struct Bind<'a, P: Protocol> {
    listener: Option<Binding<'a>>,
    limits: ServerLimits,
    gate: Option<Arc<dyn Gate<P>>>,
    observer: Option<Observer>,
}

impl<'a, P: Protocol> Bind<'a, P> {
    fn new(listener: Option<Binding<'a>>) -> Self {
        Self {
            listener,
            limits: ServerLimits::default(),
            gate: None,
            observer: None,
        }
    }

    /// Replaces the server's bounds.
    pub fn limits(mut self, limits: ServerLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Asks `gate` before each event whether its connection may send it now.
    pub fn gate(mut self, gate: impl Gate<P>) -> Self {
        self.gate = Some(Arc::new(gate));
        self
    }

    /// Is told of everything that is dropped without an answer.
    pub fn observe(mut self, observer: impl Fn(&Notice<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Handles what clients send: one value, or a tuple of values in any order, that together
    /// handle every `to_server` set of the protocol. A value may stand behind an [`Arc`].
    pub fn handle<H, I>(self, handlers: H) -> Starting<'a, P>
    where
        H: Send + Sync + 'static,
        P::ToServer: Serve<H, P, AtServer, I>,
        I: 'static,
    {
        Starting(Box::pin(self.start::<H, I>(handlers)))
    }

    async fn start<H, I>(self, handlers: H) -> Result<Server<P>, BindError>
    where
        H: Send + Sync + 'static,
        P::ToServer: Serve<H, P, AtServer, I>,
        I: 'static,
    {
        let Bind {
            listener,
            limits,
            gate,
            observer,
        } = self;
        let listener = match listener {
            Some(binding) => Some(binding.await?),
            None => None,
        };
        let address = listener.as_ref().map(TcpListener::local_addr).transpose()?;
        let hub = Arc::new(Hub::default());
        let seats = Seats::new(limits.connections, limits.connections_an_address);
        let linger = limits.connection.linger;
        let tasks = Arc::new(Tasks::default());
        let host = Arc::new(Host::<P, H, I> {
            hub: Arc::clone(&hub),
            tasks: Arc::clone(&tasks),
            limits: limits.connection,
            handlers: Arc::new(handlers),
            gate,
            observer,
            indices: PhantomData,
        });
        let accepting = listener.and_then(|listener| {
            let host = Arc::clone(&host);
            let serve = move |stream: tokio::net::TcpStream, seat| {
                let address = stream.peer_addr().ok();
                host.run(stream, address, seat);
            };
            tasks.spawn(accept(listener, Arc::clone(&seats), linger, serve))
        });
        let pipe_seats = Arc::clone(&seats);
        let serve_pipe = move |pipe| {
            // A pipe that finds no place is closed, which its client sees as the link's end.
            if let Ok(seat) = pipe_seats.take(None) {
                host.run(pipe, None, seat);
            }
        };
        Ok(Server {
            inner: Arc::new(Inner {
                hub,
                seats,
                address,
                tasks,
                accepting,
                shutdown: tokio::sync::Mutex::new(None),
                serve_pipe: Box::new(serve_pipe),
            }),
            protocol: PhantomData,
        })
    }
}

/// A server that is being started; await it.
#[must_use = "nothing listens before this is awaited"]
pub struct Starting<'a, P>(Pin<Box<dyn Future<Output = Result<Server<P>, BindError>> + Send + 'a>>);

impl<P> Future for Starting<'_, P> {
    type Output = Result<Server<P>, BindError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

/// What every connection of a server needs.
struct Host<P: Protocol, H, I> {
    hub: Arc<Hub>,
    tasks: Arc<Tasks>,
    limits: Limits,
    handlers: Arc<H>,
    gate: Option<Arc<dyn Gate<P>>>,
    observer: Option<Observer>,
    indices: PhantomData<fn() -> I>,
}

impl<P, H, I> Host<P, H, I>
where
    P: Protocol,
    H: Send + Sync + 'static,
    P::ToServer: Serve<H, P, AtServer, I>,
    I: 'static,
{
    fn run<IO>(&self, io: IO, address: Option<SocketAddr>, seat: Seat)
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let link = Arc::new(Link::new(
            &self.limits,
            self.hub.next_id(),
            address,
            Arc::downgrade(&self.hub),
        ));
        let connection = new_connection(Role::Server, self.limits.clone(), self.observer.clone());
        let service = Arc::new(AtServerService::<P, H, I> {
            cx: router::Context::new(Arc::clone(&link), ()),
            handlers: Arc::clone(&self.handlers),
            gate: self.gate.clone(),
            indices: PhantomData,
        });
        let listed = Listed::new(Arc::clone(&self.hub), Arc::clone(&link));
        self.tasks.spawn(async move {
            let _places = (seat, listed);
            drive(io, connection, link, service).await;
        });
    }
}

/// A link's entry in the hub, gone when its task is.
struct Listed {
    hub: Arc<Hub>,
    link: Arc<Link>,
}

impl Listed {
    fn new(hub: Arc<Hub>, link: Arc<Link>) -> Self {
        hub.add(&link);
        Self { hub, link }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.hub.remove(&self.link);
    }
}

impl<P: Protocol> std::fmt::Debug for Bind<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bind")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl<P> std::fmt::Debug for Starting<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Starting")
    }
}
