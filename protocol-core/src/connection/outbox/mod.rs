//! The bounded queue from handles to the driver of one connection.
//!
//! Its lock is held to push or to swap, never while anything is encoded, awaited or sent.

mod closed;
mod queue;
mod ready;
mod visit;

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(crate) use closed::Closed;
pub use queue::OutgoingCall;
pub(crate) use queue::{Backlog, Closing, Outgoing};

use self::queue::{Parked, Queue};
use super::pending::Waiter;
use super::relayed::RelayedAnswer;
use super::{Limits, wakes};
use crate::error::CloseReason;
use crate::ids::ConnectionId;
use crate::metrics;

/// How many times its limits a queue may hold of what must not be missed. A burst of it that is
/// queued before the driver had a turn is no sign of a slow reader.
const RESERVE: usize = 4;

#[repr(C)]
pub(crate) struct Outbox {
    max_events: usize,
    max_bytes: usize,
    /// Set by handles, so that a driver that looks after each event need not lock.
    attention: AtomicBool,
    queue: Mutex<Queue>,
    /// Of what must not be missed, while the link is lost.
    held_events: usize,
    held_bytes: usize,
}

/// What became of a push.
pub(crate) enum Pushed {
    Queued,
    /// With the ticket to take it back by.
    Parked(u64),
    Closed(CloseReason),
}

/// How much of a queue may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    Whole,
    /// Events of other peers, so that they never keep out answers and what the server says.
    Half,
}

/// What became of something that nobody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tried {
    Queued,
    Full,
    Closed,
}

/// What became of an event that a client must not miss; see [`Outlet::put`](crate::Outlet::put).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Put {
    /// It is queued.
    Queued,
    /// It is queued beyond the limits that hold for all else. A handler that makes more of them should
    /// [make way](crate::Context::make_way), so that the client can be written to.
    Crowded,
    /// The client will not get it: its link has ended, or ends now.
    Ended,
}

impl Put {
    /// Whether the client will get it, if its link holds.
    pub fn is_queued(self) -> bool {
        self != Self::Ended
    }
}

impl Outbox {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            queue: Mutex::default(),
            attention: AtomicBool::new(false),
            max_events: limits.outbound_events.max(1),
            max_bytes: limits.outbound_bytes.max(1),
            held_events: limits.delivery.held_events,
            held_bytes: limits.delivery.held_bytes,
        }
    }

    /// Takes note that the link is lost and the session goes on, or that it has a link again.
    pub(crate) fn set_down(&self, down: bool) {
        let mut queue = self.lock();
        let waiting = (
            queue.ready.len() + queue.taken,
            queue.ready.bytes + queue.taken_bytes,
        );
        queue.down = down.then_some(waiting);
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // No invariant spans a panic: every change under the lock is a push, a swap or a flag.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues `outgoing`, or parks it with `waiter` where the queue is full.
    pub(crate) fn push(
        &self,
        outgoing: Outgoing,
        timeout: Duration,
        waiter: impl FnOnce() -> Arc<dyn Waiter>,
    ) -> Pushed {
        let mut queue = self.lock();
        if let Some(reason) = queue.closed.as_deref() {
            return Pushed::Closed(reason.clone());
        }
        if queue.refuses() {
            return Pushed::Closed(CloseReason::Closed);
        }
        let pushed = if queue.parked.is_empty() && self.has_room(&queue) {
            queue.make_way(outgoing.len());
            queue.ready.push(outgoing);
            Pushed::Queued
        } else {
            metrics::count(metrics::SENDERS_PARKED);
            queue.asks = true;
            Pushed::Parked(queue.park(Parked {
                outgoing,
                waiter: waiter(),
                timeout,
                deadline: None,
            }))
        };
        self.wake_driver(queue);
        pushed
    }

    /// Queues what nobody waits for, within its share of the queue.
    pub(crate) fn try_push(&self, outgoing: Outgoing, share: Share) -> Tried {
        let mut queue = self.lock();
        if queue.closed.is_some() || queue.refuses() {
            return Tried::Closed;
        }
        let has_room = match share {
            Share::Whole => self.has_room(&queue),
            Share::Half => self.has_room_in_half(&queue),
        };
        // What may be missed does not take the place of what must not.
        if !has_room || !queue.parked.is_empty() || queue.down.is_some() {
            // At its next visit the driver tells whoever wants to know that something was dropped.
            queue.asks = true;
            return Tried::Full;
        }
        queue.ready.push(outgoing);
        self.wake_driver(queue);
        Tried::Queued
    }

    /// Queues what the other end must not miss: where there is no room for it even beyond the limits
    /// of all else, the link breaks off.
    pub(crate) fn push_or_break(&self, outgoing: Outgoing) -> Put {
        let mut queue = self.lock();
        if queue.closed.is_some() || queue.refuses() {
            return Put::Ended;
        }
        let has_reserve = self.has_reserve(&queue);
        let has_room = match queue.down {
            // Without a link nothing is read meanwhile, so all that can be kept is room.
            Some(_) => has_reserve,
            None => self.has_room(&queue),
        };
        let put = if has_room {
            Put::Queued
        } else if has_reserve {
            Put::Crowded
        } else {
            Put::Ended
        };
        if put == Put::Ended {
            queue.closing = Some(Closing::Overflow);
        } else {
            queue.ready.push(outgoing);
        }
        self.call_driver(queue);
        put
    }

    /// Breaks the link off.
    pub(crate) fn break_off(&self) {
        self.close(Closing::Overflow);
    }

    /// Queues an answer to a relayed call. There is always room for the word that it came.
    pub(crate) fn push_answer(&self, answer: RelayedAnswer) {
        let mut queue = self.lock();
        if queue.closed.is_none() {
            let fits = queue.parked.is_empty() && self.has_room(&queue);
            let answer = if fits { answer } else { answer.without_frame() };
            queue.make_way(answer.len());
            queue.ready.push(Outgoing::Relayed(answer));
            self.call_driver(queue);
        }
    }

    /// Says that a peer is gone, behind all that came from it. There is always room for that: it is
    /// said once for each peer that was asked.
    pub(crate) fn peer_gone(&self, via: ConnectionId) {
        let mut queue = self.lock();
        if queue.closed.is_none() {
            queue.make_way(0);
            queue.ready.push(Outgoing::PeerGone(via));
            self.call_driver(queue);
        }
    }

    /// Has the driver look for something that is not in the queue.
    pub(crate) fn call(&self) {
        let queue = self.lock();
        self.call_driver(queue);
    }

    /// Has the driver look after all that may be asked of it.
    fn call_driver(&self, mut queue: MutexGuard<'_, Queue>) {
        queue.asks = true;
        self.wake_driver(queue);
    }

    /// Wakes the driver, once for all that is pushed until its next visit.
    fn wake_driver(&self, mut queue: MutexGuard<'_, Queue>) {
        self.attention.store(true, Ordering::Release);
        if mem::take(&mut queue.driver_waits) {
            let driver = queue.driver.take();
            drop(queue);
            if let Some(driver) = driver {
                wakes::wake_reader(driver);
            }
        }
    }

    fn has_room(&self, queue: &Queue) -> bool {
        queue.ready.len() + queue.taken < self.max_events
            && queue.ready.bytes + queue.taken_bytes < self.max_bytes
    }

    fn has_reserve(&self, queue: &Queue) -> bool {
        if let Some((events, bytes)) = queue.down {
            return queue.ready.len() + queue.taken < events + self.held_events
                && queue.ready.bytes + queue.taken_bytes < bytes + self.held_bytes;
        }
        queue.ready.len() + queue.taken < RESERVE * self.max_events
            && queue.ready.bytes + queue.taken_bytes < RESERVE * self.max_bytes
    }

    fn has_room_in_half(&self, queue: &Queue) -> bool {
        (queue.ready.len() + queue.taken) * 2 < self.max_events
            && (queue.ready.bytes + queue.taken_bytes) * 2 < self.max_bytes
    }

    /// Takes back the parked command with this `ticket`; of any other call it tells the driver that
    /// nobody waits for it.
    pub(crate) fn abandon(&self, ticket: Option<u64>) {
        let mut queue = self.lock();
        let parked = ticket.and_then(|ticket| queue.parked.remove(&ticket));
        if parked.is_none() {
            queue.abandoned = true;
            self.call_driver(queue);
        }
    }

    /// Asks the driver to end the link; the strictest wish wins.
    pub(crate) fn close(&self, how: Closing) {
        let mut queue = self.lock();
        queue.closing = queue.closing.max(Some(how));
        self.call_driver(queue);
    }

    pub(crate) fn close_reason(&self) -> Option<CloseReason> {
        self.lock().closed.as_deref().cloned()
    }

    /// Why the link has ended, or why it is about to: the other end has left.
    pub(crate) fn leave_reason(&self) -> Option<CloseReason> {
        self.lock().left().cloned()
    }

    /// Takes note that the other end has left: it will send no more.
    pub(crate) fn peer_left(&self, reason: &CloseReason) {
        let mut queue = self.lock();
        let leaving = || Box::new(reason.clone());
        queue.leaving.get_or_insert_with(leaving);
        let watchers = mem::take(&mut queue.watchers);
        drop(queue);
        for watcher in watchers.into_values() {
            watcher.wake();
        }
    }

    /// Whether somebody waits for the link's end.
    pub(crate) fn is_watched(&self) -> bool {
        !self.lock().watchers.is_empty()
    }

    /// Waits for the link's end.
    pub(crate) fn closed(&self) -> Closed<'_> {
        Closed {
            outbox: self,
            watcher: None,
            at_leave: false,
        }
    }

    /// Waits for the link's end, or for the other end to leave, which comes first.
    pub(crate) fn left(&self) -> Closed<'_> {
        Closed {
            at_leave: true,
            ..self.closed()
        }
    }

    /// How many wait for the link's end.
    #[cfg(test)]
    pub(crate) fn watchers(&self) -> usize {
        self.lock().watchers.len()
    }
}
