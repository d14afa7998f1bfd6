//! What handles share of a connection.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use crate::connection::{Backlog, Closing, Limits, Outbox};
use crate::error::CloseReason;
use crate::ids::{ConnectionId, PeerId};
use crate::router::Hub;

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
    /// Set by the hub when it remembers many peers that were asked.
    pub(crate) asked_many: AtomicBool,
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
            asked_many: AtomicBool::new(false),
            hub,
        }
    }

    /// Takes the link out of its server's at once, and closes it once what is due is written.
    pub(crate) fn close(&self) {
        self.outbox.close(Closing::Flush);
        if let Some(hub) = self.hub() {
            hub.remove(self);
        }
    }

    /// Has the hub forget those who were asked and owe nothing, if they have become many.
    pub(crate) fn forget_settled(&self, owing: impl FnOnce() -> HashSet<ConnectionId>) {
        if self.asked_many.load(Ordering::Relaxed)
            && self.asked_many.swap(false, Ordering::Relaxed)
            && let Some(hub) = self.hub()
        {
            hub.keep_asked(self.id, &owing());
        }
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
