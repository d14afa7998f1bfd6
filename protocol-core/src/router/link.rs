//! What handles share of a connection.

use std::net::SocketAddr;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use crate::codec::PeerIdentity;
use crate::connection::{Backlog, Closing, Limits, Outbox};
use crate::error::CloseReason;
use crate::ids::{ConnectionId, PeerId};
use crate::router::Hub;

/// What is done once when a link is gone.
pub(crate) type Farewell = Box<dyn FnOnce() + Send>;

/// One connection, as handles see it: a queue and what never changes.
pub(crate) struct Link {
    pub(crate) outbox: Outbox,
    pub(crate) id: ConnectionId,
    pub(crate) address: Option<SocketAddr>,
    pub(crate) identity: PeerIdentity,
    pub(crate) frame_out: usize,
    pub(crate) request_timeout: Duration,
    pub(crate) confirm_timeout: Duration,
    pub(crate) send_timeout: Duration,
    pub(crate) peer: OnceLock<PeerId>,
    /// Frames that others receive because of this link's peer, not yet counted by the driver.
    deliveries: AtomicUsize,
    /// Whether others can hardly keep up with those.
    crowds: AtomicBool,
    /// What is to be done when the link is gone; none once that was done.
    farewells: Mutex<Option<Vec<Farewell>>>,
    hub: Weak<Hub>,
}

impl Link {
    pub(crate) fn new(
        limits: &Limits,
        id: ConnectionId,
        address: Option<SocketAddr>,
        identity: PeerIdentity,
        hub: Weak<Hub>,
    ) -> Self {
        Self {
            outbox: Outbox::new(limits.outbound_events, limits.outbound_bytes),
            id,
            address,
            identity,
            frame_out: limits.frame_out,
            request_timeout: limits.request_timeout,
            confirm_timeout: limits.confirm_timeout,
            send_timeout: limits.send_timeout,
            peer: OnceLock::new(),
            deliveries: AtomicUsize::new(0),
            crowds: AtomicBool::new(false),
            farewells: Mutex::new(Some(Vec::new())),
            hub,
        }
    }

    /// Takes the link out of its server's at once, and closes it once what is due is written.
    pub(crate) fn close(&self) {
        self.outbox.close(Closing::Leave);
        if let Some(hub) = self.hub() {
            hub.remove(self);
        }
    }

    /// Takes note of frames that others receive because of this link's peer.
    pub(crate) fn charge(&self, deliveries: usize) {
        self.deliveries.fetch_add(deliveries, Ordering::Relaxed);
    }

    /// Takes note that others can hardly keep up with what this link's peer makes them receive.
    pub(crate) fn make_way(&self) {
        self.crowds.store(true, Ordering::Relaxed);
    }

    /// Whether others could hardly keep up since the last time.
    pub(crate) fn take_crowding(&self) -> bool {
        self.crowds.load(Ordering::Relaxed) && self.crowds.swap(false, Ordering::Relaxed)
    }

    /// What was charged since the last time.
    pub(crate) fn take_deliveries(&self) -> usize {
        // Mostly nothing was, and then nothing need be written.
        match self.deliveries.load(Ordering::Relaxed) {
            0 => 0,
            _ => self.deliveries.swap(0, Ordering::Relaxed),
        }
    }

    /// Does `farewell` when the link is gone, at once if it is gone already.
    pub(crate) fn on_leave(&self, farewell: Farewell) {
        let mut farewells = self
            .farewells
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(farewells) = &mut *farewells {
            farewells.push(farewell);
        } else {
            drop(farewells);
            do_once(farewell);
        }
    }

    /// Does what is to be done when the link is gone.
    pub(super) fn say_farewell(&self) {
        let farewells = self
            .farewells
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        farewells.into_iter().flatten().for_each(do_once);
    }

    pub(crate) async fn closed(&self) -> CloseReason {
        self.outbox.closed().await
    }

    pub(crate) async fn left(&self) -> CloseReason {
        self.outbox.left().await
    }

    /// Ends the queue, and takes the link out of its server's.
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

fn do_once(farewell: Farewell) {
    if catch_unwind(AssertUnwindSafe(farewell)).is_err() {
        tracing::error!("what was to be done when a connection is gone panicked");
    }
}
