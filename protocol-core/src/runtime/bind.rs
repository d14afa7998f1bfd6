//! From a server's options and handlers to a listening server, and from a stream to a connection.

use std::io;
use std::marker::PhantomData;
use std::mem;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::net::TcpListener;

use super::accept::{Seat, Seats, accept, ids, new_connection, seeded, turn_away};
use super::driver::{Setup, drive};
use super::now;
use super::opening::{Opened, Unopened, open};
use super::server::{Inner, Server, ServerLimits, Shutdown, Tasks};
use super::transport::Io;
use crate::codec::{Accept, Encryption};
use crate::connection::{IdSource, Limits, Notice, Observer, Role};
use crate::error::refusal;
use crate::metrics;
use crate::protocol::{AtServer, Protocol};
use crate::router::{self, AtServerService, Gate, Hub, Link, Relay, Serve, Unhandled};
use crate::wire::{ErrorCode, WireError};

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The system refused, for example since the address is taken.
    #[error("cannot listen: {0}")]
    Io(#[from] io::Error),
    /// Other machines reach the address, and links would be plain, which nobody asked for.
    #[error(
        "other machines reach {address}, where plain links show everything and prove nothing: \
         encrypt them with `.encrypted(key)`, or ask for plain ones with \
         `.encryption(Encryption::Plain)`"
    )]
    Exposed {
        /// The address.
        address: SocketAddr,
    },
}

type Binding<'a> = Pin<Box<dyn Future<Output = io::Result<TcpListener>> + Send + 'a>>;

/// A server to be started: name its handlers with [`handle`](Self::handle), then await. Where the
/// protocol has no events for a server, await it as it is.
#[must_use = "nothing listens before the handlers are named and this is awaited"]
pub struct Bind<'a, P: Protocol> {
    listener: Option<Binding<'a>>,
    limits: ServerLimits,
    gates: Vec<Arc<dyn Gate<P>>>,
    relays: Vec<Arc<dyn Relay<P>>>,
    observer: Option<Observer>,
    encryption: Option<Encryption>,
    seed: Option<u64>,
    starting: Option<Starting<'a, P>>,
}

impl<'a, P: Protocol> Bind<'a, P> {
    pub(super) fn new(listener: Option<Binding<'a>>) -> Self {
        Self {
            listener,
            limits: ServerLimits::default(),
            gates: Vec::new(),
            relays: Vec::new(),
            observer: None,
            encryption: None,
            seed: None,
            starting: None,
        }
    }

    /// Takes encrypted links only, and proves to clients to hold `key`; see
    /// [`Connect::encrypted`](crate::Connect::encrypted).
    #[cfg(feature = "noise")]
    pub fn encrypted(self, key: crate::SecretKey) -> Self {
        self.encryption(Encryption::Encrypted(key))
    }

    /// Takes the links that `encryption` says. Where nothing is said they are plain, and then the
    /// server listens on loopback addresses only.
    ///
    /// A server that takes both kinds knows which one a link is by its first byte, and says nothing
    /// before; [`Client`](crate::Client) sends it at once.
    pub fn encryption(mut self, encryption: Encryption) -> Self {
        self.encryption = Some(encryption);
        self
    }

    /// Replaces the server's bounds.
    pub fn limits(mut self, limits: ServerLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Asks `gate` before each event whether its connection may send it now. Events for other peers
    /// are the business of the [relay](Self::relay). Of several gates, each must let it through.
    pub fn gate(mut self, gate: impl Gate<P>) -> Self {
        self.gates.push(Arc::new(gate));
        self
    }

    /// Relays: events with the id of another client go on to it, if `relay` allows that. Without
    /// this they are answered with `peer_not_found`. Of several relays, each must allow it.
    pub fn relay(mut self, relay: impl Relay<P>) -> Self {
        self.relays.push(Arc::new(relay));
        self
    }

    /// Has ids repeat from run to run, for simulations.
    #[doc(hidden)]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
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
            gates,
            relays,
            observer,
            encryption,
            seed,
            ..
        } = self;
        let listener = match listener {
            Some(binding) => Some(binding.await?),
            None => None,
        };
        let address = listener.as_ref().map(TcpListener::local_addr).transpose()?;
        if let (Some(address), None) = (address, &encryption)
            && !address.ip().to_canonical().is_loopback()
        {
            return Err(BindError::Exposed { address });
        }
        let encryption = Arc::new(encryption.unwrap_or(Encryption::Plain));
        let public_key = encryption.public_key();
        let hub = Arc::new(Hub::default());
        let seats = Seats::new(&limits);
        let linger = limits.connection.linger;
        let tasks = Arc::new(Tasks::default());
        let host = Arc::new(Host::<P, H, I> {
            hub: Arc::clone(&hub),
            tasks: Arc::clone(&tasks),
            limits: Arc::new(limits.connection),
            handlers: Arc::new(handlers),
            gates: gates.into(),
            relays: relays.into(),
            observer,
            encryption,
            seeds: seed.map(AtomicU64::new),
            indices: PhantomData,
        });
        let accepting = listener.and_then(|listener| {
            let host = Arc::clone(&host);
            let serve = move |stream: tokio::net::TcpStream, seat| {
                let address = stream.peer_addr().ok();
                host.welcome(Io::Tcp(stream), address, seat);
            };
            tasks.spawn(accept(listener, Arc::clone(&seats), linger, serve))
        });
        let pipe_seats = Arc::clone(&seats);
        let serve_pipe = move |pipe: Io| {
            // A pipe that finds no place is closed, which its client sees as the link's end.
            if let Ok(seat) = pipe_seats.take(None) {
                host.welcome(pipe, None, seat);
            }
        };
        Ok(Server::new(Inner {
            hub,
            seats,
            address,
            public_key,
            tasks,
            accepting,
            shutdown: tokio::sync::Mutex::new(Shutdown::NotAsked),
            serve_pipe: Box::new(serve_pipe),
        }))
    }
}

/// A future of its own rather than `IntoFuture`, so that the compiler names a forgotten `.handle`.
impl<P: Protocol> Future for Bind<'_, P>
where
    P::ToServer: Unhandled<P, AtServer>,
{
    type Output = Result<Server<P>, BindError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let starting = this.starting.get_or_insert_with(|| {
            let bind = Bind {
                listener: this.listener.take(),
                limits: this.limits.clone(),
                gates: mem::take(&mut this.gates),
                relays: mem::take(&mut this.relays),
                observer: this.observer.take(),
                encryption: this.encryption.take(),
                seed: this.seed,
                starting: None,
            };
            bind.handle::<(), ()>(())
        });
        Pin::new(starting).poll(cx)
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
    limits: Arc<Limits>,
    handlers: Arc<H>,
    gates: Arc<[Arc<dyn Gate<P>>]>,
    relays: Arc<[Arc<dyn Relay<P>>]>,
    observer: Option<Observer>,
    encryption: Arc<Encryption>,
    /// Where ids repeat from run to run.
    seeds: Option<AtomicU64>,
    indices: PhantomData<fn() -> I>,
}

impl<P, H, I> Host<P, H, I>
where
    P: Protocol,
    H: Send + Sync + 'static,
    P::ToServer: Serve<H, P, AtServer, I>,
    I: 'static,
{
    /// Serves a link once its codec is open; a plain one is at once.
    fn welcome(self: &Arc<Self>, io: Io, address: Option<SocketAddr>, seat: Seat) {
        let codec = Box::new(Accept::new(Arc::clone(&self.encryption)));
        if matches!(*self.encryption, Encryption::Plain) {
            self.run(io, Opened::at_once(codec), now(), address, seat);
            return;
        }
        let host = Arc::clone(self);
        self.tasks.spawn_opening(async move {
            let (mut io, since) = (io, now());
            let limits = &host.limits;
            let opening = open(&mut io, codec, Some(&seat));
            match tokio::time::timeout(limits.handshake_timeout, opening).await {
                Ok(Ok(opened)) => host.run(io, opened, since, address, seat),
                Ok(Err(Unopened::Codec(error))) => {
                    let word = refusal(&error);
                    let code = word.standard().map_or("other", ErrorCode::as_str);
                    metrics::count_by(metrics::HANDSHAKES_REFUSED, "code", code);
                    turn_away(io, address, &word, limits.linger).await;
                }
                Ok(Err(Unopened::Io(error))) => {
                    let address = address.map(tracing::field::display);
                    tracing::debug!(address, %error, "no link came about");
                }
                // Servers are refused nothing.
                Ok(Err(Unopened::Refused(_))) => {}
                Err(_) => {
                    metrics::count(metrics::HANDSHAKES_TIMED_OUT);
                    let text = format!("no link came about within {:?}", limits.handshake_timeout);
                    let word = WireError::new(ErrorCode::Timeout, text);
                    turn_away(io, address, &word, limits.linger).await;
                }
            }
        });
    }

    fn next_ids(&self) -> IdSource {
        let Some(seeds) = &self.seeds else {
            return ids();
        };
        seeded(seeds.fetch_add(1, Ordering::Relaxed))
    }

    fn run(&self, io: Io, opened: Opened, since: Instant, address: Option<SocketAddr>, seat: Seat) {
        let link = Arc::new(Link::new(
            &self.limits,
            Hub::next_id(),
            address,
            opened.codec.peer(),
            Arc::downgrade(&self.hub),
        ));
        let (limits, observer) = (Arc::clone(&self.limits), self.observer.clone());
        let connection = new_connection(
            Role::Server,
            limits,
            observer,
            opened,
            since,
            self.next_ids(),
        );
        let service = Arc::new(AtServerService::<P, H, I> {
            cx: router::Context::new(Arc::clone(&link), ()),
            hub: Arc::clone(&self.hub),
            way: Mutex::default(),
            handlers: Arc::clone(&self.handlers),
            gates: Arc::clone(&self.gates),
            relays: Arc::clone(&self.relays),
            indices: PhantomData,
        });
        let listed = Listed::new(Arc::clone(&self.hub), Arc::clone(&link));
        let setup = Setup {
            io,
            connection,
            link,
            place: Box::new(seat),
            tending: None,
        };
        self.tasks.spawn(drive(setup, service, listed));
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
