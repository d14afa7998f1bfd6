//! The end that connects: a handle to one connection and its driver, over all links of its session.

use std::io;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::task::JoinHandle;

use super::accept::configure;
use super::address::ServerAddress;
use super::connect::{Connect, Source};
use super::server::Server;
use super::states::{ClientState, ClientStates, StateReceiver};
use super::transport::{Io, Transport};
use crate::codec::PeerIdentity;
use crate::connection::{Closing, SessionTerms};
use crate::error::{CloseReason, RequestError, SendError};
use crate::event::{Pass, Request};
use crate::ids::{PeerId, RoomId};
use crate::protocol::{Protocol, ToServer, Travels};
use crate::router::{Call, Keep, Keeper, Link, LinkRef, Peer, Room, Typed, confirm, request, send};

/// A client of a server that speaks protocol `P`.
///
/// Clones share one connection. When the last one is dropped, what was sent is written and the link
/// is closed; [`close`](Self::close) does the same and waits for it.
///
/// When the link is lost, a client whose [session is kept](Self::keep_session), as `login` of the crate
/// `rendezvous` does, gets another one by itself; [`states`](Self::states) tells. Its calls wait, and
/// those that were sent and may be repeated are sent again.
///
/// Without a session the end of the link is the client's: every open call ends at once, one that was not
/// written yet as [`RequestError::NotSent`], one that was as [`RequestError::Lost`]. Events that had
/// arrived are still handled.
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
#[must_use = "a client whose last handle is dropped closes its link"]
pub struct Client<P> {
    inner: Arc<Inner>,
    protocol: PhantomData<fn() -> P>,
}

struct Inner {
    link: Arc<Link>,
    states: StateReceiver,
    inc: String,
    driver: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.link.outbox.close(Closing::Flush);
    }
}

impl<P: Protocol> Client<P> {
    /// The first handle of a connection whose driver runs.
    pub(super) fn new(
        link: Arc<Link>,
        driver: JoinHandle<()>,
        states: StateReceiver,
        inc: String,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                link,
                states,
                inc,
                driver: Mutex::new(Some(driver)),
            }),
            protocol: PhantomData,
        }
    }

    /// Connects to the server at `address`, such as `"127.0.0.1:7766"`. Name the handlers with
    /// [`Connect::handle`] where the protocol has `to_client` or `to_peer` sets, then await.
    ///
    /// The link is plain unless `Connect::encrypted` says otherwise.
    pub fn connect<'a>(address: impl ServerAddress + Send + 'a) -> Connect<'a, P> {
        let name = address.name();
        let again = name.clone();
        Connect::new(Source {
            name: Some(name),
            first: Some(Box::pin(tcp(address))),
            streams: Arc::new(move || Box::pin(tcp(again.clone()))),
        })
    }

    /// Connects to a server of this process over an in-memory pipe, as tests do.
    pub fn connect_in_memory(server: &Server<P>) -> Connect<'static, P> {
        let server = server.clone();
        Connect::new(Source {
            name: None,
            first: None,
            streams: Arc::new(move || {
                let stream = Io::Other(Box::new(server.open_pipe()));
                Box::pin(async { Ok(stream) })
            }),
        })
    }

    /// Connects by streams that `dial` makes, one for each link, such as a test's or another
    /// transport's. On encrypted links the server's key is pinned under `name`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use protocol_core::{Client, Event, EventSet, Protocol, Server, ignore};
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
    /// let server = Server::<Clock>::in_memory().handle(ignore::<Ticks>()).await?;
    /// let dial = move || {
    ///     let (near, far) = tokio::io::duplex(1_024);
    ///     server.accept_stream(far);
    ///     async { Ok(near) }
    /// };
    /// let client = Client::<Clock>::connect_by("the clock", dial).await?;
    /// client.confirm(Tick).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn connect_by<D, F, T>(name: impl Into<String>, dial: D) -> Connect<'static, P>
    where
        D: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<T>> + Send + 'static,
        T: Transport,
    {
        Connect::new(Source {
            name: Some(name.into()),
            first: None,
            streams: Arc::new(move || {
                let stream = dial();
                Box::pin(async move { Ok(Io::Other(Box::new(stream.await?))) })
            }),
        })
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
        Peer::new(&self.inner.link, peer)
    }

    /// All other members of a room, reached through the server.
    pub fn to_room(&self, room: &RoomId) -> Room<'_, P> {
        Room::new(&self.inner.link, room)
    }

    /// Who the server proved to be: the holder of its key on an encrypted link.
    pub fn server_identity(&self) -> PeerIdentity {
        self.inner.link.identity
    }

    /// Which life of its program this client is: a random text that it keeps for as long as it lives.
    pub fn inc(&self) -> &str {
        &self.inner.inc
    }

    /// Has `keeper` keep the session that was just opened under `terms`: from now on confirmed passes
    /// and requests are numbered, and where the link is lost the client gets another one by itself
    /// (`PROTOCOL.md` §12). `login` of the crate `rendezvous` does this.
    pub fn keep_session(&self, terms: SessionTerms, keeper: impl Keeper<P>) {
        let keeper = Arc::new(Typed::new(keeper));
        self.inner.link.keep(Keep { terms, keeper });
    }

    /// How the link stands now.
    pub fn state(&self) -> ClientState {
        self.inner.states.now()
    }

    /// The changes of that from now on.
    pub fn states(&self) -> ClientStates {
        self.inner.states.changes()
    }

    /// Why the link has ended for good, once it has.
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.inner.link.outbox.close_reason()
    }

    /// Waits for the link's end, for good: a session that goes on without a link has not ended.
    pub async fn closed(&self) -> CloseReason {
        self.inner.link.closed().await
    }

    /// Writes what was sent, waits for answers at most [`Limits::linger`](crate::Limits::linger), ends
    /// the session, and closes the link for all clones. Returns when the connection's task has ended.
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

/// Makes a link over TCP.
async fn tcp(address: impl ToSocketAddrs) -> io::Result<Io> {
    let stream = TcpStream::connect(address).await?;
    configure(&stream)?;
    Ok(Io::Tcp(stream))
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
