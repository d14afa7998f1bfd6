//! A server's way to its clients from outside handlers: one, many, all.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::connection::Closing;
use crate::error::{RequestError, SendError};
use crate::event::{Pass, Request};
use crate::ids::{ConnectionId, PeerId};
use crate::protocol::{Protocol, ToClient, Travels};
use crate::router::Call;
use crate::router::send::{self, encode_shared};
use crate::router::{Hub, Link, LinkRef};

/// Whom a server sends to: a peer by its id, or a connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Recipient {
    /// The connection that speaks for this peer.
    Peer(PeerId),
    /// This connection, whoever it speaks for.
    Connection(ConnectionId),
}

impl From<PeerId> for Recipient {
    fn from(peer: PeerId) -> Self {
        Self::Peer(peer)
    }
}

impl From<&PeerId> for Recipient {
    fn from(peer: &PeerId) -> Self {
        Self::Peer(peer.clone())
    }
}

impl From<ConnectionId> for Recipient {
    fn from(connection: ConnectionId) -> Self {
        Self::Connection(connection)
    }
}

impl From<&ConnectionId> for Recipient {
    fn from(connection: &ConnectionId) -> Self {
        Self::Connection(*connection)
    }
}

impl std::fmt::Display for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Peer(peer) => peer.fmt(f),
            Self::Connection(connection) => write!(f, "connection {connection}"),
        }
    }
}

fn find(hub: Option<&Hub>, recipient: &Recipient) -> Option<Arc<Link>> {
    match recipient {
        Recipient::Peer(peer) => hub?.of_peer(peer),
        Recipient::Connection(id) => hub?.of_connection(*id),
    }
}

/// One client of a server; from `server.to(&peer)`.
pub struct Remote<P> {
    link: Result<Arc<Link>, Recipient>,
    protocol: PhantomData<fn() -> P>,
}

impl<P> Remote<P> {
    /// The connection, if there is one.
    pub fn connection(&self) -> Option<ConnectionId> {
        self.link.as_ref().ok().map(|link| link.id)
    }

    /// Closes the connection. Its peer's name is free at once; what was sent to it is still written.
    /// Returns `false` where there is none.
    pub fn close(self) -> bool {
        match self.link {
            Ok(link) => link.close(),
            Err(_) => return false,
        }
        true
    }
}

impl<P> Remote<P> {
    /// Ends the connection at once, also where its client reads nothing, and waits for that: what was
    /// sent to it is written only as far as that takes no time. Its peer's name is free then, and what
    /// was processed of its events is known to the next session of the same life. Returns `false` where
    /// there is none.
    pub async fn replace(self) -> bool {
        let Ok(link) = self.link else {
            return false;
        };
        link.outbox.close(Closing::Replace);
        link.closed().await;
        // Its driver, on another thread, may be about to.
        if let Some(hub) = link.hub() {
            hub.remove(&link);
        }
        true
    }
}

impl<P: Protocol> Remote<P> {
    pub(crate) fn find(hub: Option<&Hub>, recipient: Recipient) -> Self {
        Self {
            link: find(hub, &recipient).ok_or(recipient),
            protocol: PhantomData,
        }
    }

    /// Sends a pass of a `to_client` set.
    ///
    /// # Errors
    ///
    /// Where it never left the server; see [`SendError`].
    pub fn send<E, S>(self, event: E) -> Call<'static, Result<(), SendError>>
    where
        E: Pass + Travels<S, P, ToClient>,
    {
        match self.link {
            Ok(link) => send::send(LinkRef::Owned(link), None, &event),
            Err(recipient) => Call::ready(Err(absent(&recipient))),
        }
    }

    /// Sends a pass of a `to_client` set and waits until the client's handler has processed it.
    ///
    /// # Errors
    ///
    /// See [`RequestError`].
    pub fn confirm<E, S>(self, event: E) -> Call<'static, Result<(), RequestError<E::Error>>>
    where
        E: Pass + Travels<S, P, ToClient>,
    {
        match self.link {
            Ok(link) => send::confirm(LinkRef::Owned(link), None, &event),
            Err(recipient) => Call::ready(Err(RequestError::NotSent(absent(&recipient)))),
        }
    }

    /// Sends a request of a `to_client` set and waits for the client's answer.
    ///
    /// # Errors
    ///
    /// See [`RequestError`].
    pub fn request<E, S>(
        self,
        event: E,
    ) -> Call<'static, Result<E::Response, RequestError<E::Error>>>
    where
        E: Request + Travels<S, P, ToClient>,
    {
        match self.link {
            Ok(link) => send::request(LinkRef::Owned(link), None, &event),
            Err(recipient) => Call::ready(Err(RequestError::NotSent(absent(&recipient)))),
        }
    }
}

fn absent(recipient: &Recipient) -> SendError {
    SendError::NoSuchPeer(recipient.to_string())
}

impl<P> std::fmt::Debug for Remote<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = self.link.as_ref().map(|link| link.id);
        f.debug_tuple("Remote").field(&id).finish()
    }
}

/// Many clients of a server; from `server.to_many(&peers)` and `server.to_all()`.
pub struct Remotes<P> {
    links: Vec<Arc<Link>>,
    protocol: PhantomData<fn() -> P>,
}

impl<P: Protocol> Remotes<P> {
    pub(crate) fn find<R: Into<Recipient>>(
        hub: &Hub,
        recipients: impl IntoIterator<Item = R>,
    ) -> Self {
        let links = recipients
            .into_iter()
            .filter_map(|to| find(Some(hub), &to.into()));
        Self::new(links.collect())
    }

    pub(crate) fn new(links: Vec<Arc<Link>>) -> Self {
        Self {
            links,
            protocol: PhantomData,
        }
    }

    /// Closes each connection, as [`Remote::close`] does; returns how many.
    pub fn close(self) -> usize {
        self.links.iter().for_each(|link| link.close());
        self.links.len()
    }

    /// Sends a pass of a `to_client` set to each of them, encoded once. Returns how many got it
    /// into their queue: a client that is gone or whose queue is full is left out, since nobody
    /// waits for another's queue.
    ///
    /// # Errors
    ///
    /// Where the event cannot be encoded or is too large; then nobody got it.
    pub fn send<E, S>(self, event: E) -> Call<'static, Result<usize, SendError>>
    where
        E: Pass + Travels<S, P, ToClient>,
    {
        let limit = self.links.iter().map(|link| link.frame_out).min();
        match encode_shared(&event, limit.unwrap_or(usize::MAX)) {
            Ok(frame) => Call::many(self.links, frame, Ok),
            Err(error) => Call::ready(Err(error)),
        }
    }
}

impl<P> Clone for Remotes<P> {
    fn clone(&self) -> Self {
        Self {
            links: self.links.clone(),
            protocol: PhantomData,
        }
    }
}

impl<P> std::fmt::Debug for Remotes<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Remotes({})", self.links.len())
    }
}
