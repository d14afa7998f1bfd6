//! The end that connects: a handle to one connection and its driver.

use std::io;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::task::JoinHandle;

use super::accept::{configure, new_connection};
use super::driver::drive;
use super::server::Server;
use crate::connection::{Closing, Limits, Notice, Observer, Role};
use crate::error::{CloseReason, RequestError, SendError};
use crate::event::{Pass, Request};
use crate::ids::{ConnectionId, PeerId, RoomId};
use crate::protocol::{AtClient, AtPeer, Protocol, ToServer, Travels};
use crate::router::{
    self, AtClientService, Call, Link, LinkRef, Peer, Room, Serve, confirm, request, send,
};

/// How long connecting may take where nothing else is said.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A client of a server that speaks protocol `P`.
///
/// Clones share one connection. When the last one is dropped, what was sent is written and the link
/// is closed; [`close`](Self::close) does the same and waits for it.
///
/// When the link is lost, every open call ends at once: one that was not written yet as
/// [`RequestError::NotSent`], one that was as [`RequestError::Lost`]. Events that had arrived are
/// still handled.
///
/// # Examples
///
/// ```
/// use protocol_core::{Client, Context, Event, EventSet, Protocol, Server};
///
/// #[derive(Debug, Event)]
/// #[event(request, response = Sum)]
/// struct Add { a: i64, b: i64 }
///
/// #[derive(Debug, Event)]
/// #[event(response)]
/// struct Sum { sum: i64 }
///
/// #[derive(Debug, EventSet)]
/// enum Arithmetic { Add(Add) }
///
/// #[derive(Debug, Protocol)]
/// #[protocol(version = "1", to_server = Arithmetic)]
/// struct Calculator;
///
/// struct Adder;
///
/// impl ArithmeticHandler<Calculator> for Adder {
///     async fn on_add(&self, _cx: &Context<Calculator>, event: Add) -> Sum {
///         Sum { sum: event.a + event.b }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::<Calculator>::bind("127.0.0.1:0").handle(Adder).await?;
/// let client = Client::<Calculator>::connect(server.address()).await?;
/// assert_eq!(client.request(Add { a: 2, b: 3 }).await?.sum, 5);
/// # Ok(())
/// # }
/// ```
pub struct Client<P> {
    inner: Arc<Inner>,
    protocol: PhantomData<fn() -> P>,
}

struct Inner {
    link: Arc<Link>,
    driver: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.link.outbox.close(Closing::Flush);
    }
}

impl<P: Protocol> Client<P> {
    /// Connects to the server at `address`, such as `"127.0.0.1:7766"`. Name the handlers with
    /// [`Connect::handle`] where the protocol has `to_client` or `to_peer` sets, then await.
    pub fn connect<'a>(address: impl ToSocketAddrs + Send + 'a) -> Connect<'a, P> {
        Connect::new(Source::Tcp(Box::pin(async {
            let stream = TcpStream::connect(address).await?;
            configure(&stream)?;
            Ok(stream)
        })))
    }

    /// Connects to a server of this process over an in-memory pipe, as tests do.
    pub fn connect_in_memory(server: &Server<P>) -> Connect<'static, P> {
        Connect::new(Source::Memory(server.open_pipe()))
    }

    /// Sends a pass to the server.
    ///
    /// # Errors
    ///
    /// Where it never left this end; see [`SendError`].
    pub fn send<E, S>(&self, event: E) -> Call<'_, Result<(), SendError>>
    where
        E: Pass + Travels<S, P, ToServer>,
    {
        send(LinkRef::Borrowed(&self.inner.link), None, &event)
    }

    /// Sends a pass to the server and waits until its handler has processed it.
    ///
    /// # Errors
    ///
    /// See [`RequestError`].
    pub fn confirm<E, S>(&self, event: E) -> Call<'_, Result<(), RequestError<E::Error>>>
    where
        E: Pass + Travels<S, P, ToServer>,
    {
        confirm(LinkRef::Borrowed(&self.inner.link), None, &event)
    }

    /// Sends a request to the server and waits for its answer.
    ///
    /// # Errors
    ///
    /// See [`RequestError`].
    pub fn request<E, S>(&self, event: E) -> Call<'_, Result<E::Response, RequestError<E::Error>>>
    where
        E: Request + Travels<S, P, ToServer>,
    {
        request(LinkRef::Borrowed(&self.inner.link), None, &event)
    }

    /// Another client, reached through the server.
    pub fn to(&self, peer: &PeerId) -> Peer<'_, P> {
        Peer {
            link: LinkRef::Borrowed(&self.inner.link),
            id: peer.clone(),
            protocol: PhantomData,
        }
    }

    /// All other members of a room, reached through the server.
    pub fn to_room(&self, room: &RoomId) -> Room<'_, P> {
        Room {
            link: LinkRef::Borrowed(&self.inner.link),
            id: room.clone(),
            protocol: PhantomData,
        }
    }

    /// Why the link has ended, once it has.
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.inner.link.outbox.close_reason()
    }

    /// Waits for the link's end.
    pub async fn closed(&self) -> CloseReason {
        self.inner.link.closed().await
    }

    /// Writes what was sent, waits for answers at most [`Limits::linger`], and closes the link for
    /// all clones. Returns when the connection's task has ended.
    pub async fn close(self) {
        self.inner.link.outbox.close(Closing::Flush);
        let driver = self
            .inner
            .driver
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match driver {
            // It ends by itself; a panic in it would be a bug that the task's own log shows.
            Some(driver) => drop(driver.await),
            None => drop(self.closed().await),
        }
    }
}

impl<P> Clone for Client<P> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            protocol: PhantomData,
        }
    }
}

impl<P> std::fmt::Debug for Client<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("closed", &self.inner.link.outbox.close_reason())
            .finish_non_exhaustive()
    }
}

/// Why a client could not connect.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The system refused, or nobody listens there.
    #[error("cannot connect: {0}")]
    Io(#[from] io::Error),
    /// Nobody answered in time.
    #[error("cannot connect: no answer within {after:?}")]
    Timeout {
        /// How long was waited.
        after: Duration,
    },
}

enum Source<'a> {
    Tcp(Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send + 'a>>),
    Memory(DuplexStream),
}

struct Options {
    limits: Limits,
    timeout: Duration,
    observer: Option<Observer>,
}

/// A connection to be made; await it.
#[must_use = "nothing is connected before this is awaited"]
pub struct Connect<'a, P> {
    source: Source<'a>,
    options: Options,
    protocol: PhantomData<fn() -> P>,
}

impl<'a, P: Protocol> Connect<'a, P> {
    fn new(source: Source<'a>) -> Self {
        Self {
            source,
            options: Options {
                limits: Limits::client(),
                timeout: CONNECT_TIMEOUT,
                observer: None,
            },
            protocol: PhantomData,
        }
    }

    /// Gives up connecting after `timeout`; 10 s where nothing is said.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout;
        self
    }

    /// Replaces the bounds of the connection.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.options.limits = limits;
        self
    }

    /// Is told of everything that is dropped without an answer.
    pub fn observe(mut self, observer: impl Fn(&Notice<'_>) + Send + Sync + 'static) -> Self {
        self.options.observer = Some(Arc::new(observer));
        self
    }

    /// Handles what the server and other clients send: one value, or a tuple of values in any
    /// order, that together handle every `to_client` and `to_peer` set of the protocol.
    pub fn handle<H, I, J>(self, handlers: H) -> Connecting<'a, P>
    where
        H: Send + Sync + 'static,
        P::ToClient: Serve<H, P, AtClient, I>,
        P::ToPeer: Serve<H, P, AtPeer, J>,
        I: 'static,
        J: 'static,
    {
        Connecting(Box::pin(self.start::<H, I, J>(handlers)))
    }

    async fn start<H, I, J>(self, handlers: H) -> Result<Client<P>, ConnectError>
    where
        H: Send + Sync + 'static,
        P::ToClient: Serve<H, P, AtClient, I>,
        P::ToPeer: Serve<H, P, AtPeer, J>,
        I: 'static,
        J: 'static,
    {
        let Self {
            source, options, ..
        } = self;
        let after = options.timeout;
        match source {
            Source::Memory(pipe) => Ok(start::<P, H, I, J, _>(pipe, options, handlers)),
            Source::Tcp(connecting) => match tokio::time::timeout(after, connecting).await {
                Ok(stream) => Ok(start::<P, H, I, J, _>(stream?, options, handlers)),
                Err(_) => Err(ConnectError::Timeout { after }),
            },
        }
    }
}

impl<'a, P: Protocol<ToClient = (), ToPeer = ()>> IntoFuture for Connect<'a, P> {
    type Output = Result<Client<P>, ConnectError>;
    type IntoFuture = Connecting<'a, P>;

    fn into_future(self) -> Connecting<'a, P> {
        self.handle::<(), (), ()>(())
    }
}

/// A connection that is being made; await it.
#[must_use = "nothing is connected before this is awaited"]
pub struct Connecting<'a, P>(
    Pin<Box<dyn Future<Output = Result<Client<P>, ConnectError>> + Send + 'a>>,
);

impl<P> Future for Connecting<'_, P> {
    type Output = Result<Client<P>, ConnectError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

fn start<P, H, I, J, IO>(io: IO, options: Options, handlers: H) -> Client<P>
where
    P: Protocol,
    H: Send + Sync + 'static,
    P::ToClient: Serve<H, P, AtClient, I>,
    P::ToPeer: Serve<H, P, AtPeer, J>,
    I: 'static,
    J: 'static,
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let link = Arc::new(Link::new(
        &options.limits,
        ConnectionId(0),
        None,
        Weak::new(),
    ));
    let connection = new_connection(Role::Client, options.limits, options.observer);
    let service = AtClientService::<P, H, I, J> {
        cx: router::Context::new(Arc::clone(&link), ()),
        link: Arc::clone(&link),
        handlers: Arc::new(handlers),
        indices: PhantomData,
    };
    let driver = tokio::spawn(drive(io, connection, Arc::clone(&link), Arc::new(service)));
    Client {
        inner: Arc::new(Inner {
            link,
            driver: Mutex::new(Some(driver)),
        }),
        protocol: PhantomData,
    }
}

impl<P> std::fmt::Debug for Connect<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connect")
    }
}

impl<P> std::fmt::Debug for Connecting<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connecting")
    }
}
