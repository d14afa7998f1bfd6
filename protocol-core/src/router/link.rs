//! What handles share of a connection.

use std::any::Any;
use std::net::SocketAddr;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use crate::codec::PeerIdentity;
use crate::connection::{Backlog, Closing, Limits, Outbox, SessionTerms, Transplant};
use crate::error::CloseReason;
use crate::ids::{ConnectionId, PeerId};
use crate::metrics;
use crate::router::{Hub, Keep};
use crate::wire::MAX_SEQ;

/// What is done once when a link is gone.
pub(crate) type Farewell = Box<dyn FnOnce() + Send>;

/// What becomes of a session's link, told to those who asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkStatus {
    /// It is lost. The session goes on for its grace.
    Lost,
    /// There is another one.
    Restored,
    /// Passes for the other end were dropped, since it did not read fast enough or had no link. Told
    /// at most once a second.
    Dropped {
        /// How many since the last time.
        passes: u64,
    },
}

/// Who hears of that.
pub(crate) type StatusWatcher = Box<dyn FnMut(LinkStatus) + Send>;

/// A session as it was opened: its terms, and for how long it goes on without a link.
#[derive(Debug, Clone)]
pub(crate) struct OpenSession {
    pub(crate) terms: Arc<SessionTerms>,
    pub(crate) grace: Duration,
}

/// A link that is handed over to the session that it takes up again.
pub(crate) struct Parcel {
    /// The socket, and the place that it has, of the types that the runtime gave them.
    pub(crate) io: Box<dyn Any + Send>,
    pub(crate) place: Box<dyn Any + Send>,
    pub(crate) address: Option<SocketAddr>,
    pub(crate) link: Transplant,
    /// Frames of the session that the client has.
    pub(crate) received: u64,
}

enum Mailbox {
    Open(Option<Box<Parcel>>),
    Closed,
}

/// One connection, as handles see it: a queue and what never changes.
// In this order in memory, and so are the queue's types: what a push of a frame touches stands together.
#[repr(C)]
pub(crate) struct Link {
    /// The link is lost and the session goes on.
    down: AtomicBool,
    pub(crate) frame_out: usize,
    pub(crate) outbox: Outbox,
    pub(crate) id: ConnectionId,
    address: Mutex<Option<SocketAddr>>,
    pub(crate) identity: PeerIdentity,
    pub(crate) request_timeout: Duration,
    pub(crate) confirm_timeout: Duration,
    pub(crate) send_timeout: Duration,
    pub(crate) peer: OnceLock<PeerId>,
    pub(crate) session: OnceLock<OpenSession>,
    /// Whether the hub knows it, so that others reach it by its name.
    listed: AtomicBool,
    /// Whether the other end shows now and then that it lives.
    pub(crate) beats: AtomicBool,
    /// Frames of the session that the other end has said it has.
    pub(crate) received: AtomicU64,
    /// How many it had when it took the session up again.
    pub(crate) resumed_at: AtomicU64,
    /// Frames that one must have to take the session up again.
    pub(crate) resumable_from: AtomicU64,
    /// Whether something of a session waits for the driver.
    has_mail: AtomicBool,
    /// What keeps a client's session, for the driver to take.
    keep: Mutex<Option<Box<Keep>>>,
    /// Passes for the other end that found no room, and that it was not told of yet.
    dropped: AtomicU64,
    watchers: Mutex<Vec<StatusWatcher>>,
    /// The link that this session goes on with.
    mailbox: Mutex<Mailbox>,
    /// The session that this link is for, and how many of its frames the client has.
    handover: Mutex<Option<(Arc<Link>, u64)>>,
    has_handover: AtomicBool,
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
            outbox: Outbox::new(limits),
            id,
            address: Mutex::new(address),
            identity,
            frame_out: limits.frame_out,
            request_timeout: limits.request_timeout,
            confirm_timeout: limits.confirm_timeout,
            send_timeout: limits.send_timeout,
            peer: OnceLock::new(),
            session: OnceLock::new(),
            listed: AtomicBool::new(false),
            down: AtomicBool::new(false),
            beats: AtomicBool::new(false),
            received: AtomicU64::new(0),
            resumed_at: AtomicU64::new(0),
            resumable_from: AtomicU64::new(0),
            has_mail: AtomicBool::new(false),
            keep: Mutex::default(),
            dropped: AtomicU64::new(0),
            watchers: Mutex::default(),
            mailbox: Mutex::new(Mailbox::Open(None)),
            handover: Mutex::default(),
            has_handover: AtomicBool::new(false),
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

    pub(crate) fn address(&self) -> Option<SocketAddr> {
        *lock(&self.address)
    }

    pub(crate) fn set_address(&self, address: Option<SocketAddr>) {
        *lock(&self.address) = address;
    }

    /// The life of the peer at the other end, if it has declared one.
    pub(crate) fn inc(&self) -> Option<&str> {
        self.session.get()?.terms.far_inc.as_deref()
    }

    /// Takes note whether the hub knows it; said while the hub is locked.
    pub(super) fn set_listed(&self, listed: bool) {
        self.listed.store(listed, Ordering::Release);
    }

    pub(super) fn is_listed(&self) -> bool {
        self.listed.load(Ordering::Acquire)
    }

    pub(crate) fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed)
    }

    /// Takes note that the link is lost and the session goes on, or that there is another.
    pub(crate) fn set_down(&self, down: bool) {
        self.outbox.set_down(down);
        self.down.store(down, Ordering::Relaxed);
    }

    /// Tells those who asked for it what became of the link.
    pub(crate) fn tell(&self, status: LinkStatus) {
        for watcher in &mut *lock(&self.watchers) {
            if catch_unwind(AssertUnwindSafe(|| watcher(status))).is_err() {
                tracing::error!("what was to be done when a link is lost or restored panicked");
            }
        }
    }

    pub(crate) fn watch(&self, watcher: StatusWatcher) {
        let mut watchers = lock(&self.watchers);
        watchers.reserve_exact(1);
        watchers.push(watcher);
    }

    /// Has this link handed over to the session of `target` once its event is answered; whether
    /// that is possible.
    pub(crate) fn hand_over_to(&self, target: Arc<Link>, inc: Option<&str>, received: u64) -> bool {
        let is_whole =
            received <= MAX_SEQ && received >= target.resumable_from.load(Ordering::Relaxed);
        let is_open = matches!(*lock(&target.mailbox), Mailbox::Open(_));
        let is_same =
            target.identity == self.identity && target.id != self.id && target.inc() == inc;
        let may = is_whole && is_open && is_same && target.session.get().is_some();
        if may {
            *lock(&self.handover) = Some((target, received));
            self.has_handover.store(true, Ordering::Release);
        }
        may
    }

    pub(crate) fn has_handover(&self) -> bool {
        self.has_handover.load(Ordering::Acquire)
    }

    pub(crate) fn take_handover(&self) -> Option<(Arc<Link>, u64)> {
        lock(&self.handover).take()
    }

    /// Gives the session another link; an earlier one that it has not begun is dropped.
    pub(crate) fn deliver(&self, parcel: Parcel) {
        if let Mailbox::Open(place) = &mut *lock(&self.mailbox) {
            *place = Some(Box::new(parcel));
            self.has_mail.store(true, Ordering::Release);
        }
        self.outbox.call();
    }

    /// Has the session kept from now on.
    pub(crate) fn keep(&self, keep: Keep) {
        *lock(&self.keep) = Some(Box::new(keep));
        self.has_mail.store(true, Ordering::Release);
        self.outbox.call();
    }

    pub(crate) fn take_keep(&self) -> Option<Box<Keep>> {
        lock(&self.keep).take()
    }

    /// Takes note of a pass for the other end that found no room.
    pub(crate) fn note_dropped(&self, is_pass: bool) {
        if is_pass {
            let reason = if self.is_down() { "no_link" } else { "slow" };
            metrics::count_by(metrics::PASSES_DROPPED, "reason", reason);
        }
        self.dropped
            .fetch_add(u64::from(is_pass), Ordering::Relaxed);
    }

    /// How many passes were dropped since the last time.
    pub(crate) fn take_dropped(&self) -> u64 {
        match self.dropped.load(Ordering::Relaxed) {
            0 => 0,
            _ => self.dropped.swap(0, Ordering::Relaxed),
        }
    }

    /// Whether something of a session waits for the driver.
    pub(crate) fn has_mail(&self) -> bool {
        self.has_mail.load(Ordering::Acquire)
    }

    /// As [`has_mail`](Self::has_mail), and from now on no more.
    pub(crate) fn take_mail(&self) -> bool {
        self.has_mail.load(Ordering::Acquire) && self.has_mail.swap(false, Ordering::AcqRel)
    }

    /// The link that the session goes on with, if one has come.
    pub(crate) fn take_parcel(&self) -> Option<Box<Parcel>> {
        match &mut *lock(&self.mailbox) {
            Mailbox::Open(parcel) => parcel.take(),
            Mailbox::Closed => None,
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
        let mut farewells = lock(&self.farewells);
        if let Some(farewells) = &mut *farewells {
            // There is seldom another.
            farewells.reserve_exact(1);
            farewells.push(farewell);
        } else {
            drop(farewells);
            do_once(farewell);
        }
    }

    /// Does what is to be done when the link is gone.
    pub(super) fn say_farewell(&self) {
        let farewells = lock(&self.farewells).take();
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
        *lock(&self.mailbox) = Mailbox::Closed;
        // What they hold may hold this link.
        lock(&self.watchers).clear();
        self.outbox.end(reason, backlog);
        if let Some(hub) = self.hub() {
            hub.remove(self);
        }
    }

    pub(crate) fn hub(&self) -> Option<Arc<Hub>> {
        self.hub.upgrade()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No invariant spans a panic: each change under these locks is one assignment or push.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
