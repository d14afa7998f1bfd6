//! What handles share of a connection, and the connections of one server.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use crate::connection::{Backlog, Limits, Outbox};
use crate::error::CloseReason;
use crate::ids::{ConnectionId, PeerId};

/// One connection, as handles see it: a queue and what never changes.
pub(crate) struct Link {
    pub(crate) outbox: Outbox,
    pub(crate) id: ConnectionId,
    pub(crate) address: Option<SocketAddr>,
    pub(crate) frame_out: usize,
    pub(crate) request_timeout: Duration,
    pub(crate) confirm_timeout: Duration,
    pub(crate) send_timeout: Duration,
    pub(crate) peer: OnceLock<PeerId>,
    hub: Weak<Hub>,
}

impl Link {
    pub(crate) fn new(
        limits: &Limits,
        id: ConnectionId,
        address: Option<SocketAddr>,
        hub: Weak<Hub>,
    ) -> Self {
        Self {
            outbox: Outbox::new(limits.outbound_events, limits.outbound_bytes),
            id,
            address,
            frame_out: limits.frame_out,
            request_timeout: limits.request_timeout,
            confirm_timeout: limits.confirm_timeout,
            send_timeout: limits.send_timeout,
            peer: OnceLock::new(),
            hub,
        }
    }

    pub(crate) async fn closed(&self) -> CloseReason {
        self.outbox.closed().await
    }

    pub(crate) async fn left(&self) -> CloseReason {
        self.outbox.left().await
    }

    /// Ends the queue, and frees the peer's name for another connection.
    pub(crate) fn end(&self, reason: &CloseReason, backlog: Backlog) {
        self.outbox.end(reason, backlog);
        if let Some(hub) = self.hub() {
            hub.remove(self);
        }
    }

    pub(crate) fn hub(&self) -> Option<Arc<Hub>> {
        self.hub.upgrade()
    }
}

/// A link by reference or owned, so that a call can outlive the handle that looked the link up.
pub(crate) enum LinkRef<'a> {
    Borrowed(&'a Arc<Link>),
    Owned(Arc<Link>),
}

impl Deref for LinkRef<'_> {
    type Target = Link;

    fn deref(&self) -> &Link {
        match self {
            Self::Borrowed(link) => link,
            Self::Owned(link) => link,
        }
    }
}

/// The connections of one server, by id and by the peer they speak for.
#[derive(Default)]
pub(crate) struct Hub {
    links: Mutex<Links>,
    next: AtomicU64,
}

#[derive(Default)]
struct Links {
    by_id: HashMap<ConnectionId, Arc<Link>>,
    by_peer: HashMap<PeerId, ConnectionId>,
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, Links> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn next_id(&self) -> ConnectionId {
        ConnectionId(self.next.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn add(&self, link: &Arc<Link>) {
        self.lock().by_id.insert(link.id, Arc::clone(link));
    }

    pub(crate) fn remove(&self, link: &Link) {
        let mut links = self.lock();
        links.by_id.remove(&link.id);
        if let Some(peer) = link.peer.get()
            && links.by_peer.get(peer) == Some(&link.id)
        {
            links.by_peer.remove(peer);
        }
    }

    /// Gives a link its peer's name; `false` where another link has it, or this one has another.
    pub(crate) fn identify(&self, link: &Link, peer: PeerId) -> bool {
        let mut links = self.lock();
        if !links.by_id.contains_key(&link.id) {
            return false;
        }
        if let Some(owner) = links.by_peer.get(&peer) {
            return *owner == link.id;
        }
        let named = link.peer.set(peer.clone()).is_ok();
        if named {
            links.by_peer.insert(peer, link.id);
        }
        named
    }

    pub(crate) fn of_peer(&self, peer: &PeerId) -> Option<Arc<Link>> {
        let links = self.lock();
        links
            .by_peer
            .get(peer)
            .and_then(|id| links.by_id.get(id))
            .cloned()
    }

    pub(crate) fn of_connection(&self, id: ConnectionId) -> Option<Arc<Link>> {
        self.lock().by_id.get(&id).cloned()
    }

    /// All links, in the order in which they were accepted.
    pub(crate) fn all(&self) -> Vec<Arc<Link>> {
        let mut links: Vec<_> = self.lock().by_id.values().cloned().collect();
        links.sort_by_key(|link| link.id);
        links
    }
}
