//! From a client's options and handlers to a running connection.

use std::io;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpStream;

use super::accept::new_connection;
use super::client::Client;
use super::driver::drive;
use crate::connection::{Limits, Notice, Observer, Role};
use crate::ids::ConnectionId;
use crate::protocol::{AtClient, AtPeer, Protocol};
use crate::router::{self, AtClientService, Link, Serve, Unhandled};

/// How long connecting may take where nothing else is said.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

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

pub(super) enum Source<'a> {
    Tcp(Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send + 'a>>),
    /// Opens the pipe.
    Memory(Box<dyn FnOnce() -> DuplexStream + Send>),
}

#[derive(Clone)]
struct Options {
    limits: Limits,
    timeout: Duration,
    observer: Option<Observer>,
}

/// A connection to be made: name its handlers with [`handle`](Self::handle), then await. Where the
/// protocol has no events for a client, await it as it is.
#[must_use = "nothing is connected before this is awaited"]
pub struct Connect<'a, P> {
    /// Given to `connecting` once that begins.
    source: Option<Source<'a>>,
    options: Options,
    connecting: Option<Connecting<'a, P>>,
}

impl<'a, P: Protocol> Connect<'a, P> {
    pub(super) fn new(source: Source<'a>) -> Self {
        Self {
            source: Some(source),
            options: Options {
                limits: Limits::client(),
                timeout: CONNECT_TIMEOUT,
                observer: None,
            },
            connecting: None,
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
        let Self {
            source, options, ..
        } = self;
        Connecting(Box::pin(connect::<P, H, I, J>(source, options, handlers)))
    }
}

async fn connect<P, H, I, J>(
    source: Option<Source<'_>>,
    options: Options,
    handlers: H,
) -> Result<Client<P>, ConnectError>
where
    P: Protocol,
    H: Send + Sync + 'static,
    P::ToClient: Serve<H, P, AtClient, I>,
    P::ToPeer: Serve<H, P, AtPeer, J>,
    I: 'static,
    J: 'static,
{
    let after = options.timeout;
    match source {
        None => Err(io::Error::other("this connection was begun before").into()),
        Some(Source::Memory(open)) => Ok(start::<P, H, I, J, _>(open(), options, handlers)),
        Some(Source::Tcp(connecting)) => match tokio::time::timeout(after, connecting).await {
            Ok(stream) => Ok(start::<P, H, I, J, _>(stream?, options, handlers)),
            Err(_) => Err(ConnectError::Timeout { after }),
        },
    }
}

/// A future of its own rather than `IntoFuture`, so that the compiler names a forgotten `.handle`.
impl<P: Protocol> Future for Connect<'_, P>
where
    P::ToClient: Unhandled<P, AtClient>,
    P::ToPeer: Unhandled<P, AtPeer>,
{
    type Output = Result<Client<P>, ConnectError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let connecting = this.connecting.get_or_insert_with(|| {
            let (source, options) = (this.source.take(), this.options.clone());
            Connecting(Box::pin(connect::<P, (), (), ()>(source, options, ())))
        });
        Pin::new(connecting).poll(cx)
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
    let driver = tokio::spawn(drive(
        io,
        connection,
        Arc::clone(&link),
        Arc::new(service),
        (),
    ));
    Client::new(link, driver)
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
