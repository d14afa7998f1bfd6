//! From a client's options and handlers to a running connection.

use std::io;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::accept::{ids, new_connection, seeded};
use super::client::Client;
use super::connect_error::ConnectError;
use super::driver::{Setup, Tending, drive};
use super::now;
use super::opening::Opened;
use super::states::states;
use super::transport::{Dial, Dialed, Io};
#[cfg(feature = "noise")]
use super::{
    keys::KnownHosts,
    trust::{self, Security, Trust},
};
#[cfg(feature = "noise")]
use crate::codec::{PublicKey, SecretKey, Suite};
use crate::connection::{Limits, Notice, Observer, Role};
use crate::ids::ConnectionId;
use crate::protocol::{AtClient, AtPeer, Protocol};
use crate::router::{self, AtClientService, Link, Serve, Unhandled, Work};

/// How long connecting may take where nothing else is said.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes a stream to the server.
pub(super) type Streams = Arc<dyn Fn() -> Work<io::Result<Io>> + Send + Sync>;

/// Where a client's streams come from.
pub(super) struct Source<'a> {
    /// What the server is known as; none over an in-memory pipe.
    pub(super) name: Option<String>,
    /// The first stream, where it is made in another way than those after it.
    pub(super) first: Option<Pin<Box<dyn Future<Output = io::Result<Io>> + Send + 'a>>>,
    pub(super) streams: Streams,
}

#[derive(Clone)]
struct Options {
    limits: Arc<Limits>,
    timeout: Duration,
    observer: Option<Observer>,
    seed: Option<u64>,
    #[cfg(feature = "noise")]
    security: Security,
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
                limits: Arc::new(Limits::client()),
                timeout: CONNECT_TIMEOUT,
                observer: None,
                seed: None,
                #[cfg(feature = "noise")]
                security: Security::default(),
            },
            connecting: None,
        }
    }

    /// Encrypts the link, to the server that holds the secret half of `server_key` and to no other.
    /// A server that takes only plain links is [`ConnectError::Refused`].
    ///
    /// To the server this end is known by its own key, see [`identity`](Self::identity).
    ///
    /// # Examples
    ///
    /// ```
    /// # use protocol_core::{Client, Event, EventSet, Protocol, SecretKey, Server, ignore};
    /// # #[derive(Debug, Event)]
    /// # #[event(pass)]
    /// # struct Tick;
    /// # #[derive(Debug, EventSet)]
    /// # enum Ticks { Tick(Tick) }
    /// # #[derive(Debug, Protocol)]
    /// # #[protocol(version = "1", to_server = Ticks)]
    /// # struct Clock;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let key = SecretKey::generate()?;
    /// let public = key.public();
    /// let server = Server::<Clock>::bind("127.0.0.1:0")
    ///     .encrypted(key)
    ///     .handle(ignore::<Ticks>())
    ///     .await?;
    /// let client = Client::<Clock>::connect(server.address())
    ///     .encrypted(public)
    ///     .identity(SecretKey::generate()?)
    ///     .await?;
    /// assert_eq!(client.server_identity().key(), Some(public));
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "noise")]
    pub fn encrypted(mut self, server_key: PublicKey) -> Self {
        self.options.security.trust = Some(Trust::Key(server_key));
        self
    }

    /// Encrypts the link, to whoever answers at the address the first time. Its key is pinned in the
    /// file of [known servers](Self::known_hosts); from then on another key there is
    /// [`ConnectError::KeyChanged`]. Over an in-memory pipe, and where a key was given by
    /// [`encrypted`](Self::encrypted), nothing is pinned.
    #[cfg(feature = "noise")]
    pub fn encrypted_trust_on_first_use(mut self) -> Self {
        self.options.security.trust.get_or_insert(Trust::FirstUse);
        self
    }

    /// The key that this end proves to hold on an encrypted link. Without it that is this user's,
    /// from the file `client.key` in [the folder for keys](crate::keys::folder), which is made the
    /// first time.
    #[cfg(feature = "noise")]
    pub fn identity(mut self, key: SecretKey) -> Self {
        self.options.security.identity = Some(key);
        self
    }

    /// The file in which keys of servers are pinned; without it that is this user's, `known_hosts` in
    /// [the folder for keys](crate::keys::folder).
    #[cfg(feature = "noise")]
    pub fn known_hosts(mut self, hosts: KnownHosts) -> Self {
        self.options.security.known_hosts = Some(hosts);
        self
    }

    /// The ciphers of an encrypted link; without it those that are [fastest](Suite::fastest) here.
    #[cfg(feature = "noise")]
    pub fn suite(mut self, suite: Suite) -> Self {
        self.options.security.suite = Some(suite);
        self
    }

    /// Gives up connecting after `timeout`, the handshake of an encrypted link included; 10 s where
    /// nothing is said.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout;
        self
    }

    /// Replaces the bounds of the connection.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.options.limits = Arc::new(limits);
        self
    }

    /// Has ids and the pauses between attempts repeat from run to run, for simulations.
    #[doc(hidden)]
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.seed = Some(seed);
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
    let Some(source) = source else {
        return Err(io::Error::other("this connection was begun before").into());
    };
    let dialer = Arc::new(Dialer {
        name: source.name,
        streams: source.streams,
        options,
    });
    let Dialed { io, opened } = dialer.dial_by(source.first).await?;
    Ok(begin::<P, H, I, J>(io, opened, dialer, handlers))
}

/// Makes a client's links.
struct Dialer {
    name: Option<String>,
    streams: Streams,
    options: Options,
}

impl Dialer {
    /// Makes a link, of the stream that `first` makes if there is one.
    async fn dial_by(
        &self,
        first: Option<Pin<Box<dyn Future<Output = io::Result<Io>> + Send + '_>>>,
    ) -> Result<Dialed, ConnectError> {
        let after = self.options.timeout;
        let dialing = async {
            let prepared = self.options.prepare(self.name.clone()).await?;
            let mut io = match first {
                Some(first) => first.await?,
                None => (self.streams)().await?,
            };
            let opened = prepared.open(&mut io).await?;
            Ok(Dialed { io, opened })
        };
        tokio::time::timeout(after, dialing)
            .await
            .unwrap_or(Err(ConnectError::Timeout { after }))
    }
}

/// A dialer that outlives the connection that it was made for.
struct Redialer(Arc<Dialer>);

impl Dial for Redialer {
    fn dial(&self) -> Work<Result<Dialed, ConnectError>> {
        let dialer = Arc::clone(&self.0);
        Box::pin(async move { dialer.dial_by(None).await })
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

/// Starts the driver.
fn begin<P, H, I, J>(io: Io, opened: Opened, dialer: Arc<Dialer>, handlers: H) -> Client<P>
where
    P: Protocol,
    H: Send + Sync + 'static,
    P::ToClient: Serve<H, P, AtClient, I>,
    P::ToPeer: Serve<H, P, AtPeer, J>,
    I: 'static,
    J: 'static,
{
    let options = &dialer.options;
    let link = Arc::new(Link::new(
        &options.limits,
        ConnectionId(0),
        None,
        opened.codec.peer(),
        Weak::new(),
    ));
    let is_plain = link.identity.key().is_none();
    let (limits, observer) = (Arc::clone(&options.limits), options.observer.clone());
    let mut random = options.seed.map_or_else(ids, seeded);
    let mut connection =
        new_connection(Role::Client, limits, observer, opened, now(), random.fork());
    if is_plain {
        // A server that takes both kinds of links knows by the first byte which one this is, and says
        // nothing before.
        connection.open_plain();
    }
    let service = AtClientService::<P, H, I, J> {
        cx: router::Context::new(Arc::clone(&link), ()),
        link: Arc::clone(&link),
        handlers: Arc::new(handlers),
        indices: PhantomData,
    };
    let inc = format!("{:016x}{:016x}", random.random(), random.random());
    let (sender, states) = states();
    let setup = Setup {
        io,
        connection,
        link: Arc::clone(&link),
        place: Box::new(()),
        tending: Some(Tending {
            dialer: Arc::new(Redialer(dialer)),
            states: sender,
            random,
        }),
    };
    let driver = tokio::spawn(drive(setup, Arc::new(service), ()));
    Client::new(link, driver, states, inc)
}

/// What is known before there is a socket: how the link is encrypted, if it is.
struct Prepared {
    #[cfg(feature = "noise")]
    encrypted: Option<trust::Prepared>,
}

impl Options {
    /// Reads the files that an encrypted link needs.
    #[cfg_attr(not(feature = "noise"), allow(clippy::unused_async, unused_variables))]
    async fn prepare(&self, name: Option<String>) -> Result<Prepared, ConnectError> {
        Ok(Prepared {
            #[cfg(feature = "noise")]
            encrypted: self.security.clone().prepare(name).await?,
        })
    }
}

impl Prepared {
    #[cfg_attr(not(feature = "noise"), allow(clippy::unused_async, unused_variables))]
    async fn open<IO>(self, io: &mut IO) -> Result<Opened, ConnectError>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        #[cfg(feature = "noise")]
        if let Some(encrypted) = self.encrypted {
            return encrypted.open(io).await;
        }
        Ok(Opened::plain())
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
