//! A server whose events hold secrets, its visitors, and what the handlers of both see.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use protocol_core::wire::WireError;
use protocol_core::{
    AtClient, AtPeer, Bind, BindError, Client, CloseReason, Connect, ConnectError, Context,
    Encryption, Event, EventSet, Gate, OpenRelay, PeerId, PeerIdentity, Protocol, RequestError,
    SecretKey, Server, ServerLimits,
};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// Stands in the data of every event, and must never stand on the wire of an encrypted link.
pub(crate) const MARKER: &str = "the-gold-lies-under-the-seventh-stone";

/// The secret of an event's number, which is as long as that, and some more.
pub(crate) fn secret(n: usize) -> String {
    format!("{MARKER} {n}{}", ".".repeat(n))
}

#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Put {
    n: usize,
    secret: String,
}

impl Put {
    pub(crate) fn new(n: usize) -> Self {
        Self {
            n,
            secret: secret(n),
        }
    }
}

/// Is answered when the link has ended, so never to its sender.
#[derive(Debug, Event)]
#[event(request, response = Swapped, concurrent)]
pub(crate) struct Watch {
    secret: String,
}

/// Is answered with the same.
#[derive(Debug, Event)]
#[event(request, response = Swapped)]
pub(crate) struct Swap(pub(crate) String);

#[derive(Debug, PartialEq, Event)]
#[event(response)]
pub(crate) struct Swapped(pub(crate) String);

/// Names the connection.
#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Enter(pub(crate) String);

#[derive(Debug, EventSet)]
pub(crate) enum ToVault {
    Put(Put),
    Watch(Watch),
    Swap(Swap),
    Enter(Enter),
}

#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Give {
    n: usize,
    secret: String,
}

impl Give {
    pub(crate) fn new(n: usize) -> Self {
        Self {
            n,
            secret: secret(n),
        }
    }
}

#[derive(Debug, EventSet)]
pub(crate) enum FromVault {
    Give(Give),
}

#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Wave(pub(crate) usize);

#[derive(Debug, EventSet)]
pub(crate) enum Between {
    Wave(Wave),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToVault, to_client = FromVault, to_peer = Between)]
pub(crate) struct Safe;

/// What the server's handlers see.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    Watches(PeerIdentity),
    Put(usize),
    /// Nobody sent this.
    Strange(String),
    Closed(CloseReason),
    Left,
}

struct Keeper {
    heard: UnboundedSender<Heard>,
    closing: Arc<Notify>,
}

impl Keeper {
    fn tell(&self, heard: Heard) {
        // A test that has ended no longer listens.
        let _ = self.heard.send(heard);
    }
}

impl ToVaultHandler<Safe> for Keeper {
    async fn on_put(&self, _cx: &Context<Safe>, event: Put) {
        self.tell(if event.secret == secret(event.n) {
            Heard::Put(event.n)
        } else {
            Heard::Strange(event.secret)
        });
    }

    async fn on_watch(&self, cx: &Context<Safe>, event: Watch) -> Swapped {
        let tell = self.heard.clone();
        cx.on_leave(move || {
            // A test that has ended no longer listens.
            let _ = tell.send(Heard::Left);
        });
        self.tell(Heard::Watches(cx.identity()));
        let reason = tokio::select! {
            reason = cx.closed() => reason,
            // A link that the server closes waits for its handlers.
            () = self.closing.notified() => CloseReason::Closed,
        };
        self.tell(Heard::Closed(reason));
        Swapped(event.secret)
    }

    async fn on_swap(&self, _cx: &Context<Safe>, event: Swap) -> Swapped {
        Swapped(event.0)
    }

    async fn on_enter(&self, cx: &Context<Safe>, event: Enter) {
        assert!(cx.identify(PeerId::new(event.0).unwrap()));
    }
}

/// Counts the events that reach the server's door.
struct Counting(Arc<AtomicUsize>);

impl Gate<Safe> for Counting {
    fn admit(&self, _cx: &Context<Safe>, _name: &str) -> Result<(), WireError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// The server's end.
pub(crate) struct House {
    pub(crate) server: Server<Safe>,
    pub(crate) heard: UnboundedReceiver<Heard>,
    admitted: Arc<AtomicUsize>,
    closing: Arc<Notify>,
}

impl House {
    /// A server that takes encrypted links only, and its key.
    pub(crate) async fn encrypted(limits: ServerLimits) -> (Self, SecretKey) {
        let key = SecretKey::generate().unwrap();
        let encryption = Encryption::Encrypted(key.clone());
        (Self::serve(encryption, limits).await, key)
    }

    pub(crate) async fn serve(encryption: Encryption, limits: ServerLimits) -> Self {
        let bind = Server::bind("127.0.0.1:0").encryption(encryption);
        Self::open(bind.limits(limits)).await.unwrap()
    }

    pub(crate) async fn open(bind: Bind<'_, Safe>) -> Result<Self, BindError> {
        let (tell, heard) = unbounded_channel();
        let (admitted, closing) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let keeper = Keeper {
            heard: tell,
            closing: Arc::clone(&closing),
        };
        let bind = bind.gate(Counting(Arc::clone(&admitted))).relay(OpenRelay);
        Ok(Self {
            server: bind.handle(keeper).await?,
            heard,
            admitted,
            closing,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(crate) async fn hears(&mut self) -> Heard {
        self.heard.recv().await.expect("the server is up")
    }

    /// Closes the one link that is watched.
    pub(crate) fn close(&self) {
        self.closing.notify_one();
        assert_eq!(self.server.to_all().close(), 1);
    }

    /// How many events came to its door.
    pub(crate) fn admitted(&self) -> usize {
        self.admitted.load(Ordering::SeqCst)
    }

    /// Waits until so many are connected, or about to be. The test's own watch bounds it.
    pub(crate) async fn has_connections(&self, count: usize) {
        while self.server.connections() != count {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until nobody is connected; nothing was ever handled.
    pub(crate) async fn was_never_reached(mut self) {
        self.has_connections(0).await;
        assert_eq!(self.admitted(), 0, "nothing came to its door");
        assert!(self.heard.try_recv().is_err());
    }
}

/// What a client's handlers see.
#[derive(Debug, PartialEq)]
pub(crate) enum Seen {
    Give(usize),
    Wave(usize),
    /// Nobody sent this.
    Strange(String),
}

struct Guest(UnboundedSender<Seen>);

impl FromVaultHandler<Safe, AtClient> for Guest {
    async fn on_give(&self, _cx: &Context<Safe, AtClient>, event: Give) {
        let seen = if event.secret == secret(event.n) {
            Seen::Give(event.n)
        } else {
            Seen::Strange(event.secret)
        };
        // A test that has ended no longer looks.
        let _ = self.0.send(seen);
    }
}

impl BetweenHandler<Safe, AtPeer> for Guest {
    async fn on_wave(&self, _cx: &Context<Safe, AtPeer>, event: Wave) {
        // A test that has ended no longer looks.
        let _ = self.0.send(Seen::Wave(event.0));
    }
}

/// A client's end.
pub(crate) struct Visitor {
    pub(crate) client: Client<Safe>,
    pub(crate) seen: UnboundedReceiver<Seen>,
}

pub(crate) type Watching = JoinHandle<Result<Swapped, RequestError<Infallible>>>;

impl Visitor {
    pub(crate) async fn connect(connect: Connect<'_, Safe>) -> Result<Self, ConnectError> {
        let (tell, seen) = unbounded_channel();
        let client = connect.handle(Guest(tell)).await?;
        Ok(Self { client, seen })
    }

    /// Opens a call that stays open as long as the link does.
    pub(crate) fn watch(&self) -> Watching {
        let client = self.client.clone();
        tokio::spawn(async move {
            let watch = Watch { secret: secret(0) };
            client.request(watch).await
        })
    }

    pub(crate) async fn sees(&mut self) -> Seen {
        self.seen.recv().await.expect("the client is connected")
    }

    /// Ends the link; what was given that nobody looked at.
    pub(crate) async fn close(mut self) -> Vec<Seen> {
        self.client.close().await;
        let mut rest = Vec::new();
        while let Some(seen) = self.seen.recv().await {
            rest.push(seen);
        }
        rest
    }
}
