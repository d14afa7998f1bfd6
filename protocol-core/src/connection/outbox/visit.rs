//! The driver's side of the queue: it visits, waits, and ends it.

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};
use std::task::Waker;
use std::time::Instant;

use super::queue::Queue;
use super::ready::Frame;
use super::{Backlog, Closing, Outbox, Outgoing};
use crate::connection::pending::{Outcome, Waiter};
use crate::error::CloseReason;
use crate::metrics;
use crate::wire::RawData;

/// What the driver finds at a visit.
pub(crate) struct Visit {
    pub(crate) closing: Option<Closing>,
    /// Some call in flight is awaited by nobody.
    pub(crate) abandoned: bool,
    /// The backlog was filled.
    pub(crate) took: bool,
    /// Others find no room, so that they have to be told when there is some again.
    pub(crate) crowded: bool,
    /// When the first of the commands that wait gives up; none where none waits.
    pub(crate) waiting_until: Option<Instant>,
}

impl Outbox {
    /// Whether something was pushed or asked since the driver's last visit.
    pub(crate) fn calls_for_attention(&self) -> bool {
        self.attention.load(Ordering::Acquire)
    }

    /// Frees what a burst took, once the driver has taken all.
    pub(crate) fn release_idle(&self) {
        self.lock().ready.release_idle();
    }

    /// The driver's visit: moves what is ready into `backlog`, counts what the driver holds against
    /// the limits, lets parked commands in as far as there is room, and ends what waited too long.
    pub(crate) fn visit(
        &self,
        backlog: &mut Backlog,
        outbound_bytes: usize,
        now: Instant,
    ) -> Visit {
        self.attention.store(false, Ordering::Release);
        let mut late = Vec::new();
        let mut admitted = Vec::new();
        let mut queue = self.lock();
        queue.driver_waits = false;
        queue.asks = false;
        let mut took = !queue.ready.is_empty();
        backlog.take_in(&mut queue.ready, now);
        let waits = backlog.expire(now, &mut late);
        queue.taken = backlog.len();
        queue.taken_bytes = backlog.bytes() + outbound_bytes;
        self.admit_parked(&mut queue, &mut admitted);
        if !queue.ready.is_empty() {
            took = true;
            backlog.take_in(&mut queue.ready, now);
            queue.taken = backlog.len();
            queue.taken_bytes = backlog.bytes() + outbound_bytes;
        }
        let parked = queue.expire_parked(now, &mut late);
        let visit = Visit {
            closing: queue.closing,
            abandoned: mem::take(&mut queue.abandoned),
            took,
            crowded: !self.has_room_in_half(&queue),
            waiting_until: [waits, parked].into_iter().flatten().min(),
        };
        drop(queue);
        for waiter in admitted {
            waiter.complete(Outcome::Done(RawData::NULL));
        }
        metrics::count_all(metrics::SENDS_TIMED_OUT, late.len());
        for waiter in late {
            waiter.complete(Outcome::NotSentInTime);
        }
        visit
    }

    /// The short visit of a driver that holds nothing: takes what is ready, where that is frames of at
    /// most so many bytes and nothing else is asked of the driver. Else it changes nothing.
    pub(crate) fn take_frames(&self, most_bytes: usize) -> Option<VecDeque<Frame>> {
        let mut queue = self.lock();
        if queue.asks {
            return None;
        }
        let bytes = queue.ready.bytes;
        let frames = queue.ready.take_frames(most_bytes)?;
        self.attention.store(false, Ordering::Release);
        queue.driver_waits = false;
        // As a whole visit counts what is about to be written.
        (queue.taken, queue.taken_bytes) = (0, bytes);
        Some(frames)
    }

    /// Moves parked commands into the queue as far as there is room; a pass is sent with that.
    fn admit_parked(&self, queue: &mut Queue, admitted: &mut Vec<Arc<dyn Waiter>>) {
        while self.has_room(queue) {
            let Some((_, mut parked)) = queue.parked.pop_first() else {
                return;
            };
            match &mut parked.outgoing {
                Outgoing::Call(call) => call.deadline = parked.deadline,
                _ => admitted.push(parked.waiter),
            }
            queue.make_way(parked.outgoing.len());
            queue.ready.push(parked.outgoing);
        }
    }

    /// Keeps the driver's waker; `false` where something arrived since its visit.
    pub(crate) fn wait(&self, waker: &Waker) -> bool {
        self.wait_in(self.lock(), waker)
    }

    /// As [`wait`](Self::wait), of a driver that has written all that it took; it leaves the places of
    /// that to the queue.
    pub(crate) fn wait_after(&self, mut frames: VecDeque<Frame>, waker: &Waker) -> bool {
        frames.clear();
        let mut queue = self.lock();
        if !self.has_room_in_half(&queue) {
            queue.taken_bytes = 0;
        }
        queue.ready.give_back(frames);
        self.wait_in(queue, waker)
    }

    fn wait_in(&self, mut queue: MutexGuard<'_, Queue>, waker: &Waker) -> bool {
        // Whatever came meanwhile found nobody to wake.
        if self.calls_for_attention() {
            return false;
        }
        if !queue
            .driver
            .as_ref()
            .is_some_and(|kept| kept.will_wake(waker))
        {
            queue.driver = Some(waker.clone());
        }
        queue.driver_waits = true;
        true
    }

    /// Ends the queue: everything in it and everything pushed from now on fails with `reason`.
    pub(crate) fn end(&self, reason: &CloseReason, backlog: Backlog) {
        let mut queue = self.lock();
        let closed = || Box::new(reason.clone());
        queue.closed.get_or_insert_with(closed);
        queue.driver = None;
        let ready = mem::take(&mut queue.ready);
        let parked = mem::take(&mut queue.parked);
        let watchers = mem::take(&mut queue.watchers);
        drop(queue);
        for waiter in backlog.into_waiters().chain(ready.into_waiters()) {
            waiter.complete(Outcome::NotSent(reason));
        }
        for parked in parked.into_values() {
            parked.waiter.complete(Outcome::NotSent(reason));
        }
        for watcher in watchers.into_values() {
            watcher.wake();
        }
    }
}
