//! What keeps a client's session beyond its link: it greets the server on each new one, shows that the
//! client lives, and says goodbye.

use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use crate::codec::PeerIdentity;
use crate::connection::SessionTerms;
use crate::error::RequestError;
use crate::event::Request;
use crate::protocol::{Protocol, ToServer, Travels};
use crate::router::send::request;
use crate::router::{Call, Link, LinkRef};
use crate::wire::WireError;

/// Keeps a client's session beyond its link. The crate `rendezvous` has one, which logs in.
///
/// Each method gets a [`Lane`]: a way to the server beside what the client's user sends, which waits
/// until the session stands again.
pub trait Keeper<P: Protocol>: Send + Sync + 'static {
    /// Takes the session up again on a new link, or opens another. `received` is how many frames of
    /// the session have arrived.
    fn greet(
        &self,
        lane: Lane<P>,
        received: u64,
    ) -> impl Future<Output = Result<Greeted, Ungreeted>> + Send;

    /// Shows the server that the client lives, and says how many frames of the session have arrived.
    fn beat(&self, lane: Lane<P>, received: u64) -> impl Future<Output = ()> + Send;

    /// Ends the session, since the client is closed.
    fn leave(&self, lane: Lane<P>) -> impl Future<Output = ()> + Send;
}

/// A session that stands again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeted {
    /// Its terms.
    pub terms: SessionTerms,
    /// Whether it is the one that was there before.
    pub resumed: bool,
}

/// Why a session does not stand again.
#[derive(Debug, Clone, PartialEq)]
pub enum Ungreeted {
    /// It is worth trying again on another link.
    Again(String),
    /// The server refuses for good.
    Never(WireError),
}

/// A way to the server for a [`Keeper`].
pub struct Lane<P> {
    link: Arc<Link>,
    protocol: PhantomData<fn() -> P>,
}

impl<P: Protocol> Lane<P> {
    /// Sends a request to the server and waits for its answer.
    ///
    /// # Errors
    ///
    /// See [`RequestError`].
    pub fn request<E, S>(
        &self,
        event: E,
    ) -> Call<'static, Result<E::Response, RequestError<E::Error>>>
    where
        E: Request + Travels<S, P, ToServer>,
    {
        request(LinkRef::Owned(Arc::clone(&self.link)), None, &event)
    }

    /// Who the server proved to be on this link.
    pub fn server_identity(&self) -> PeerIdentity {
        self.link.identity
    }
}

impl<P> std::fmt::Debug for Lane<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lane")
    }
}

/// Work of a keeper, whatever its protocol.
pub(crate) type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A keeper, whatever its protocol.
pub(crate) trait AnyKeeper: Send + Sync {
    fn greet(&self, lane: Arc<Link>, received: u64) -> Work<Result<Greeted, Ungreeted>>;
    fn beat(&self, lane: Arc<Link>, received: u64) -> Work<()>;
    fn leave(&self, lane: Arc<Link>) -> Work<()>;
}

pub(crate) struct Typed<P, K> {
    keeper: Arc<K>,
    protocol: PhantomData<fn() -> P>,
}

impl<P, K> Typed<P, K> {
    pub(crate) fn new(keeper: K) -> Self {
        Self {
            keeper: Arc::new(keeper),
            protocol: PhantomData,
        }
    }
}

fn lane<P>(link: Arc<Link>) -> Lane<P> {
    Lane {
        link,
        protocol: PhantomData,
    }
}

impl<P: Protocol, K: Keeper<P>> AnyKeeper for Typed<P, K> {
    fn greet(&self, link: Arc<Link>, received: u64) -> Work<Result<Greeted, Ungreeted>> {
        let keeper = Arc::clone(&self.keeper);
        Box::pin(async move { keeper.greet(lane(link), received).await })
    }

    fn beat(&self, link: Arc<Link>, received: u64) -> Work<()> {
        let keeper = Arc::clone(&self.keeper);
        Box::pin(async move { keeper.beat(lane(link), received).await })
    }

    fn leave(&self, link: Arc<Link>) -> Work<()> {
        let keeper = Arc::clone(&self.keeper);
        Box::pin(async move { keeper.leave(lane(link)).await })
    }
}

/// What a client says of its session to the driver.
pub(crate) struct Keep {
    pub(crate) terms: SessionTerms,
    pub(crate) keeper: Arc<dyn AnyKeeper>,
}
