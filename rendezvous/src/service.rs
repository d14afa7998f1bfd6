//! The rendezvous server as a value: handler, gate and relay of any server that takes it in.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol_core::{
    Bind, Includes, PeerId, Protocol, PublicKey, RoomId, Server, ToClient, ToServer, ToSocketAddrs,
};

use uuid::Uuid;

use crate::bindings::{Bindings, BindingsError};
use crate::config::Config;
use crate::events::{
    LeaveReason, Login, Room, ServerClosing, SessionEnd, SessionEnded, SessionNews,
};
use crate::handlers::{LoginPart, Passwords, RoomsPart};
use crate::state::{AttemptLimits, Attempts, Directory, InMemory, PeerName};

/// When a client may come back after a shutdown: a restart takes about as long.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Login and relay for a server of any protocol that has the sets [`Login`] and [`SessionNews`].
///
/// It stands in three places of a server: among its handlers, where it handles [`Login`]; as a
/// gate, which lets nothing but `login` and `ping` through before login; and as a relay, which lets
/// logged-in peers reach each other. [`bind`](Self::bind) sets all but the handlers. Gates and
/// relays of your own stand beside it.
///
/// Clones share one state.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use protocol_core::{AtPeer, Client, Context, Event, EventSet, Protocol, ignore};
/// use rendezvous::{LoginExt, Rendezvous, SessionNews};
///
/// #[derive(Debug, Event)]
/// #[event(request, response = Answer)]
/// struct Ask { question: String }
///
/// #[derive(Debug, Event)]
/// #[event(response)]
/// struct Answer { text: String }
///
/// #[derive(Debug, EventSet)]
/// enum Between { Ask(Ask) }
///
/// #[derive(Debug, Protocol)]
/// #[protocol(
///     version = "1",
///     to_server = rendezvous::Login,
///     to_client = rendezvous::SessionNews,
///     to_peer = Between,
/// )]
/// struct Quiz;
///
/// struct Player;
///
/// impl BetweenHandler<Quiz, AtPeer> for Player {
///     async fn on_ask(&self, cx: &Context<Quiz, AtPeer>, event: Ask) -> Answer {
///         Answer { text: format!("{} asked: {}", cx.from(), event.question) }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let rendezvous = Rendezvous::default();
/// let server = rendezvous.bind::<Quiz>("127.0.0.1:0").handle(rendezvous.clone()).await?;
///
/// let connect = || Client::<Quiz>::connect(server.address()).handle((ignore::<SessionNews>(), Player));
/// let (alice, bob) = (connect().await?, connect().await?);
/// alice.login("alice").await?;
/// let bob_id = bob.login("bob").await?.id;
///
/// let question = "why?".to_owned();
/// let answer = alice.to(&bob_id).request(Ask { question }).await?;
/// assert_eq!(answer.text, "alice asked: why?");
/// rendezvous.shutdown(&server, Duration::from_secs(5)).await;
/// # Ok(())
/// # }
/// ```
pub struct Rendezvous<D = InMemory> {
    pub(crate) inner: Arc<Inner<D>>,
}

pub(crate) struct Inner<D> {
    pub(crate) config: Config,
    pub(crate) directory: D,
    pub(crate) bindings: Bindings,
    attempts: Mutex<Attempts>,
    /// Whether some server was started with the gate and the relay.
    pub(crate) attached: AtomicBool,
    /// Whether the server is about to stop, so that nothing is begun.
    pub(crate) closing: AtomicBool,
    pub(crate) passwords: Passwords,
    /// Which life of its program this server is.
    pub(crate) inc: String,
}

impl Rendezvous {
    /// A rendezvous server that keeps its state in memory.
    pub fn new(config: Config) -> Self {
        let directory = InMemory::new(config.sessions, config.rooms, config.rooms_a_peer);
        Self::with_directory(config, directory)
    }

    /// A rendezvous server that keeps which key each id is bound to in `bindings`, such as
    /// [`Bindings::open`], and all else in memory.
    pub fn with_bindings(config: Config, bindings: Bindings) -> Self {
        let directory = InMemory::new(config.sessions, config.rooms, config.rooms_a_peer);
        Self::with_directory_and_bindings(config, directory, bindings)
    }
}

impl<D: Directory> Rendezvous<D> {
    /// A rendezvous server that keeps its sessions in `directory`.
    pub fn with_directory(config: Config, directory: D) -> Self {
        Self::with_directory_and_bindings(config, directory, Bindings::in_memory())
    }

    /// A rendezvous server that keeps its sessions in `directory`, and which key each id is bound to
    /// in `bindings`.
    pub fn with_directory_and_bindings(config: Config, directory: D, bindings: Bindings) -> Self {
        let logins = AttemptLimits {
            interval: config.login_interval,
            burst: config.login_burst,
        };
        let binds = AttemptLimits {
            interval: config.binding_interval,
            burst: config.binding_burst,
        };
        let passwords = AttemptLimits {
            interval: config.password_interval,
            burst: config.password_burst,
        };
        Self {
            inner: Arc::new(Inner {
                config,
                directory,
                bindings,
                attempts: Mutex::new(Attempts::new(logins, binds, passwords)),
                attached: AtomicBool::new(false),
                closing: AtomicBool::new(false),
                passwords: Passwords::new(),
                inc: Uuid::new_v4().simple().to_string(),
            }),
        }
    }

    /// Listens on `address`, such as `"127.0.0.1:7766"`, with the gate, the relay and the limits of
    /// this rendezvous server. Name the handlers with [`Bind::handle`], this value among them, then
    /// await.
    ///
    /// The limits are those of [`Config::server`]. To change them, change them there: what is given
    /// to [`Bind::limits`] afterwards replaces them all, those for strangers and rates too.
    pub fn bind<'a, P>(&self, address: impl ToSocketAddrs + Send + 'a) -> Bind<'a, P>
    where
        P: Protocol + Includes<ToServer, Login> + Includes<ToClient, SessionNews>,
    {
        self.attach(Server::bind(address))
    }

    /// Adds gate and relay to a server that is to be started, such as one in memory, and sets its
    /// limits to those of [`Config::server`].
    pub fn attach<'a, P>(&self, bind: Bind<'a, P>) -> Bind<'a, P>
    where
        P: Protocol + Includes<ToServer, Login> + Includes<ToClient, SessionNews>,
    {
        self.inner.attached.store(true, Ordering::Relaxed);
        bind.limits(self.inner.config.server.clone())
            .gate(self.clone())
            .relay(self.clone())
    }

    /// The handler of [`Login`] alone, for a server that handles [`Rooms`](crate::Rooms) by a handler
    /// of its own, which may hand on to this value what it does not change.
    ///
    /// # Examples
    ///
    /// ```
    /// # use protocol_core::Protocol;
    /// # use rendezvous::{Login, Rendezvous, RoomNews, Rooms, SessionNews};
    /// # #[derive(Debug, Protocol)]
    /// # #[protocol(
    /// #     version = "1",
    /// #     to_server = (Login, Rooms),
    /// #     to_client = (SessionNews, RoomNews),
    /// # )]
    /// # struct Quiz;
    /// # async fn serve() -> Result<(), protocol_core::BindError> {
    /// let rendezvous = Rendezvous::default();
    /// // In place of the second, a value of yours that implements `RoomsHandler`.
    /// let handlers = (rendezvous.login_part(), rendezvous.rooms_part());
    /// let server = rendezvous.bind::<Quiz>("127.0.0.1:0").handle(handlers).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn login_part(&self) -> LoginPart<D> {
        LoginPart(self.clone())
    }

    /// The handler of [`Rooms`](crate::Rooms) alone, for a server that handles [`Login`] by a handler
    /// of its own.
    pub fn rooms_part(&self) -> RoomsPart<D> {
        RoomsPart(self.clone())
    }

    /// How many peers are logged in.
    pub fn sessions(&self) -> usize {
        self.inner.directory.sessions()
    }

    /// How many rooms there are.
    pub fn rooms(&self) -> usize {
        self.inner.directory.rooms()
    }

    /// A room as its members see it now.
    pub fn room(&self, room: &RoomId) -> Option<Room> {
        self.inner.directory.room(room)
    }

    /// The rooms that a peer is in, in the order in which it joined them.
    pub fn rooms_of(&self, peer: &PeerId) -> Vec<RoomId> {
        self.inner.directory.rooms_of(peer)
    }

    /// Whether a peer is in a room.
    pub fn is_member(&self, room: &RoomId, peer: &PeerId) -> bool {
        self.inner.directory.is_member(room, peer)
    }

    /// Whether a peer is the host of a room.
    pub fn is_host(&self, room: &RoomId, peer: &PeerId) -> bool {
        self.inner.directory.host(room).as_ref() == Some(peer)
    }

    /// Ends a peer's session: it leaves all rooms as one that was kicked by nobody, hears
    /// `session_ended` with `removed`, and its link is closed.
    /// Returns `false` where no such peer is logged in on this server.
    pub async fn remove<P>(&self, server: &Server<P>, peer: &PeerId) -> bool
    where
        P: Protocol + Includes<ToClient, SessionNews>,
    {
        let ended = SessionEnded {
            reason: SessionEnd::Removed,
            may_resume: false,
        };
        let found = server.to_many([peer]);
        if let Some(connection) = server.to(peer).connection() {
            self.leave(connection, LeaveReason::Kicked);
        }
        // A peer whose queue is full is closed all the same.
        let _ = found.clone().send(ended).await;
        found.close() > 0
    }

    /// The key that an id is bound to, or one that looks the same.
    pub fn key_of(&self, id: &PeerId) -> Option<PublicKey> {
        let name = PeerName::new(id.as_str()).ok()?;
        self.inner.bindings.key_of(&name)
    }

    /// Unbinds an id from its key, for a peer that lost it: the next login on an encrypted link that
    /// is let in binds it anew. A session that it has goes on, see [`remove`](Self::remove). Returns
    /// `false` where the id was not bound.
    ///
    /// # Errors
    ///
    /// [`BindingsError::NotWritten`] where the file may still have the binding, and the server could
    /// find it there after a restart.
    pub async fn forget_key(&self, id: &PeerId) -> Result<bool, BindingsError> {
        let Ok(name) = PeerName::new(id.as_str()) else {
            return Ok(false);
        };
        let forgotten = self.inner.bindings.forget(&name).await;
        forgotten.map_err(|_| BindingsError::NotWritten)
    }

    /// Ends all rooms, tells every client that the server closes, then shuts it down: see
    /// [`Server::shutdown`]. Returns whether everything ended before the `deadline`, and the file of
    /// [bindings](Bindings::open) is complete and free for the next server, for which it waits up to
    /// two seconds more.
    pub async fn shutdown<P>(&self, server: &Server<P>, deadline: Duration) -> bool
    where
        P: Protocol + Includes<ToClient, SessionNews>,
    {
        self.inner.closing.store(true, Ordering::Relaxed);
        self.inner.directory.end_rooms();
        let closing = ServerClosing {
            deadline_ms: in_ms(deadline),
            retry_after_ms: in_ms(RETRY_AFTER),
        };
        // Whoever has no room for it in their queue sees the link's end.
        let _ = server.to_all().send(closing).await;
        let ended = server.shutdown(deadline).await;
        self.inner.bindings.close().await && ended
    }

    pub(crate) fn attempts(&self) -> MutexGuard<'_, Attempts> {
        let attempts = &self.inner.attempts;
        attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn in_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Default for Rendezvous {
    fn default() -> Self {
        Self::new(Config::default())
    }
}

impl<D> Clone for Rendezvous<D> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<D> std::fmt::Debug for Rendezvous<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rendezvous")
            .field("config", &self.inner.config)
            .finish_non_exhaustive()
    }
}
