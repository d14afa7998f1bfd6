//! The bounded queue from handles to the driver of one connection.
//!
//! Its lock is held to push or to swap, never while anything is encoded, awaited or sent.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::limits::due;
use super::pending::{Expects, Outcome, Waiter};
use crate::error::CloseReason;
use crate::ids::PeerId;
use crate::wire::RawData;

/// What a handle asks the driver to send.
pub(crate) enum Outgoing {
    /// A whole frame of this one receiver.
    Frame(Vec<u8>),
    /// A whole frame of many receivers, encoded once.
    Shared(Bytes),
    /// A call: a frame up to its data, which the connection ends with an id.
    Call(OutgoingCall),
}

/// A request or a confirmed pass that is to be sent.
pub struct OutgoingCall {
    /// Its frame from the first byte to the end of `data`; the connection adds the id and the rest.
    pub start: Vec<u8>,
    /// What comes back.
    pub expects: Expects,
    /// The peer whose answer counts; none for the other end itself.
    pub from: Option<PeerId>,
    /// How long the answer is awaited.
    pub timeout: Duration,
    /// Set where the call had to wait for its place, so that its deadline counts from the call.
    pub deadline: Option<Instant>,
    /// Who is told how it ended.
    pub waiter: Arc<dyn Waiter>,
}

impl std::fmt::Debug for OutgoingCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutgoingCall")
            .field("expects", &self.expects)
            .field("from", &self.from)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Outgoing {
    fn len(&self) -> usize {
        match self {
            Self::Frame(frame) => frame.len(),
            Self::Shared(frame) => frame.len(),
            Self::Call(call) => call.start.len(),
        }
    }
}

/// A command that found the queue full. It lives as long as the future that brought it, so what is
/// parked is bounded by what callers hold.
struct Parked {
    outgoing: Outgoing,
    waiter: Arc<dyn Waiter>,
    timeout: Duration,
    deadline: Option<Instant>,
}

/// How the owner of a handle wants the link to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Closing {
    /// Send what is queued, then close.
    Flush,
    /// Handle and answer what has arrived, send what is queued, then close.
    Drain,
    /// Close at once.
    Abort,
}

#[derive(Default)]
struct Queue {
    ready: VecDeque<Outgoing>,
    ready_bytes: usize,
    /// What the driver took but has not sent yet; it counts against the limits.
    taken: usize,
    taken_bytes: usize,
    parked: VecDeque<Parked>,
    abandoned: bool,
    closing: Option<Closing>,
    closed: Option<CloseReason>,
    /// The other end will send no more; what is due to it is still written.
    leaving: Option<CloseReason>,
    driver: Option<Waker>,
    driver_waits: bool,
    watchers: BTreeMap<u64, Waker>,
    next_watcher: u64,
}

impl Queue {
    fn left(&self) -> Option<&CloseReason> {
        self.closed.as_ref().or(self.leaving.as_ref())
    }

    /// Whether the owner wants nothing more sent. In a drain handlers still work and send.
    fn refuses(&self) -> bool {
        matches!(self.closing, Some(Closing::Flush | Closing::Abort))
    }

    fn expire_parked(&mut self, expiry: &mut Expiry) {
        self.parked.retain_mut(|parked| {
            let deadline = *parked
                .deadline
                .get_or_insert(due(expiry.now, parked.timeout));
            expiry.keeps(deadline, &parked.waiter)
        });
    }
}

/// Takes out what waited too long to be sent. A command has its deadline from the first visit that
/// finds it waiting, so that no handle needs a clock.
struct Expiry {
    now: Instant,
    late: Vec<Arc<dyn Waiter>>,
    /// The first deadline of what is kept.
    earliest: Option<Instant>,
}

impl Expiry {
    fn keeps(&mut self, deadline: Instant, waiter: &Arc<dyn Waiter>) -> bool {
        if deadline <= self.now {
            self.late.push(Arc::clone(waiter));
            return false;
        }
        let earliest = self.earliest.unwrap_or(deadline);
        self.earliest = Some(earliest.min(deadline));
        true
    }

    /// Takes calls out of a queue of `bytes`; passes in it count as sent.
    fn expire(&mut self, commands: &mut VecDeque<Outgoing>, bytes: &mut usize) {
        commands.retain_mut(|outgoing| {
            let Outgoing::Call(call) = outgoing else {
                return true;
            };
            let deadline = *call.deadline.get_or_insert(due(self.now, call.timeout));
            let keeps = self.keeps(deadline, &call.waiter);
            if !keeps {
                *bytes -= call.start.len();
            }
            keeps
        });
    }
}

pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    /// Set by handles, so that a driver that looks after each event need not lock.
    attention: AtomicBool,
    max_events: usize,
    max_bytes: usize,
}

/// What became of a push.
pub(crate) enum Pushed {
    Queued,
    Parked,
    Closed(CloseReason),
}

/// What the driver finds at a visit.
pub(crate) struct Visit {
    pub(crate) closing: Option<Closing>,
    /// Some call in flight is awaited by nobody.
    pub(crate) abandoned: bool,
    /// The backlog was filled.
    pub(crate) took: bool,
    /// When the first of the commands that wait gives up; none where none waits.
    pub(crate) waiting_until: Option<Instant>,
}

/// What the driver took from the queue and has not sent yet.
#[derive(Default)]
pub(crate) struct Backlog {
    commands: VecDeque<Outgoing>,
    bytes: usize,
}

impl Backlog {
    pub(crate) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    pub(crate) fn front_is_call(&self) -> bool {
        matches!(self.commands.front(), Some(Outgoing::Call(_)))
    }

    pub(crate) fn pop(&mut self) -> Option<Outgoing> {
        let outgoing = self.commands.pop_front()?;
        self.bytes -= outgoing.len();
        Some(outgoing)
    }
}

impl Outbox {
    pub(crate) fn new(max_events: usize, max_bytes: usize) -> Self {
        Self {
            queue: Mutex::default(),
            attention: AtomicBool::new(false),
            max_events,
            max_bytes,
        }
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
        if let Some(reason) = &queue.closed {
            return Pushed::Closed(reason.clone());
        }
        if queue.refuses() {
            return Pushed::Closed(CloseReason::Closed);
        }
        let pushed = if queue.parked.is_empty() && self.has_room(&queue) {
            queue.ready_bytes += outgoing.len();
            queue.ready.push_back(outgoing);
            Pushed::Queued
        } else {
            queue.parked.push_back(Parked {
                outgoing,
                waiter: waiter(),
                timeout,
                deadline: None,
            });
            Pushed::Parked
        };
        self.call_driver(queue);
        pushed
    }

    /// Queues a frame that nobody awaits; `false` where the queue is full or the link has ended.
    pub(crate) fn try_push(&self, frame: Bytes) -> bool {
        let mut queue = self.lock();
        if queue.closed.is_some()
            || queue.refuses()
            || !queue.parked.is_empty()
            || !self.has_room(&queue)
        {
            return false;
        }
        queue.ready_bytes += frame.len();
        queue.ready.push_back(Outgoing::Shared(frame));
        self.call_driver(queue);
        true
    }

    /// Wakes the driver, once for all that is pushed until its next visit.
    fn call_driver(&self, mut queue: MutexGuard<'_, Queue>) {
        self.attention.store(true, Ordering::Release);
        if mem::take(&mut queue.driver_waits) {
            let driver = queue.driver.clone();
            drop(queue);
            if let Some(driver) = driver {
                driver.wake();
            }
        }
    }

    fn has_room(&self, queue: &Queue) -> bool {
        queue.ready.len() + queue.taken < self.max_events
            && queue.ready_bytes + queue.taken_bytes < self.max_bytes
    }

    /// Takes a parked command back, or tells the driver that a call's place is free.
    ///
    /// `waiter` is the address of the call's waiter.
    pub(crate) fn abandon(&self, waiter: *const ()) {
        let mut queue = self.lock();
        let before = queue.parked.len();
        queue
            .parked
            .retain(|parked| Arc::as_ptr(&parked.waiter).cast() != waiter);
        if queue.parked.len() == before {
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
        self.lock().closed.clone()
    }

    /// Why the link has ended, or why it is about to: the other end has left.
    pub(crate) fn leave_reason(&self) -> Option<CloseReason> {
        self.lock().left().cloned()
    }

    /// Takes note that the other end has left: it will send no more.
    pub(crate) fn peer_left(&self, reason: &CloseReason) {
        let mut queue = self.lock();
        queue.leaving.get_or_insert_with(|| reason.clone());
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

    /// Whether something was pushed or asked since the driver's last visit.
    pub(crate) fn calls_for_attention(&self) -> bool {
        self.attention.load(Ordering::Acquire)
    }

    /// The driver's visit: counts what the driver holds against the limits, lets parked commands in
    /// as far as there is room, and moves what is ready into `backlog` where that is empty.
    pub(crate) fn visit(
        &self,
        backlog: &mut Backlog,
        outbound_bytes: usize,
        now: Instant,
    ) -> Visit {
        self.attention.store(false, Ordering::Release);
        let mut queue = self.lock();
        queue.driver_waits = false;
        let mut expiry = Expiry {
            now,
            late: Vec::new(),
            earliest: None,
        };
        // What stands behind an empty backlog is taken now and waits for nothing.
        if !backlog.is_empty() {
            let Queue {
                ready, ready_bytes, ..
            } = &mut *queue;
            expiry.expire(&mut backlog.commands, &mut backlog.bytes);
            expiry.expire(ready, ready_bytes);
        }
        queue.taken = backlog.commands.len();
        queue.taken_bytes = backlog.bytes + outbound_bytes;
        let admitted = self.admit_parked(&mut queue);
        let took = backlog.commands.is_empty() && !queue.ready.is_empty();
        if took {
            mem::swap(&mut queue.ready, &mut backlog.commands);
            backlog.bytes = mem::take(&mut queue.ready_bytes);
            queue.taken = backlog.commands.len();
            queue.taken_bytes = backlog.bytes + outbound_bytes;
        }
        queue.expire_parked(&mut expiry);
        let visit = Visit {
            closing: queue.closing,
            abandoned: mem::take(&mut queue.abandoned),
            took,
            waiting_until: expiry.earliest,
        };
        drop(queue);
        for waiter in admitted {
            waiter.complete(Outcome::Done(RawData::NULL));
        }
        for waiter in expiry.late {
            waiter.complete(Outcome::NotSentInTime);
        }
        visit
    }

    /// Moves parked commands into the queue as far as there is room; a pass is sent with that.
    fn admit_parked(&self, queue: &mut Queue) -> Vec<Arc<dyn Waiter>> {
        let mut admitted = Vec::new();
        while self.has_room(queue) {
            let Some(mut parked) = queue.parked.pop_front() else {
                break;
            };
            match &mut parked.outgoing {
                Outgoing::Call(call) => call.deadline = parked.deadline,
                Outgoing::Frame(_) | Outgoing::Shared(_) => admitted.push(parked.waiter),
            }
            queue.ready_bytes += parked.outgoing.len();
            queue.ready.push_back(parked.outgoing);
        }
        admitted
    }

    /// Keeps the driver's waker; `false` where something arrived since its visit.
    pub(crate) fn wait(&self, waker: &Waker, backlog: &Backlog, seen: Option<Closing>) -> bool {
        let mut queue = self.lock();
        // Whatever was pushed meanwhile found nobody to wake; even where the backlog holds it up, a
        // parked command must get its deadline.
        let arrived = backlog.is_empty() && !queue.ready.is_empty();
        if arrived || self.calls_for_attention() || queue.closing != seen {
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
        queue.closed.get_or_insert_with(|| reason.clone());
        queue.driver = None;
        let ready = mem::take(&mut queue.ready);
        let parked = mem::take(&mut queue.parked);
        let watchers = mem::take(&mut queue.watchers);
        drop(queue);
        let unsent = backlog.commands.into_iter().chain(ready);
        for waiter in unsent.filter_map(Outgoing::into_waiter) {
            waiter.complete(Outcome::NotSent(reason));
        }
        for parked in parked {
            parked.waiter.complete(Outcome::NotSent(reason));
        }
        for watcher in watchers.into_values() {
            watcher.wake();
        }
    }
}

/// The reason of the link's end, once it has come. It stands in the list of watchers once, however
/// often it is polled, and leaves it when dropped.
pub(crate) struct Closed<'a> {
    outbox: &'a Outbox,
    watcher: Option<u64>,
    /// Whether the other end's leave ends the wait.
    at_leave: bool,
}

impl Future for Closed<'_> {
    type Output = CloseReason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CloseReason> {
        let mut queue = self.outbox.lock();
        let reason = if self.at_leave {
            queue.left()
        } else {
            queue.closed.as_ref()
        };
        if let Some(reason) = reason {
            return Poll::Ready(reason.clone());
        }
        let watcher = self.watcher.unwrap_or_else(|| {
            queue.next_watcher += 1;
            queue.next_watcher
        });
        queue.watchers.insert(watcher, cx.waker().clone());
        if self.watcher.replace(watcher).is_some() {
            return Poll::Pending;
        }
        // A driver that reads nothing for now has to look for the end.
        let outbox = self.outbox;
        outbox.call_driver(queue);
        Poll::Pending
    }
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        if let Some(watcher) = self.watcher {
            self.outbox.lock().watchers.remove(&watcher);
        }
    }
}

impl Outgoing {
    fn into_waiter(self) -> Option<Arc<dyn Waiter>> {
        match self {
            Self::Call(call) => Some(call.waiter),
            Self::Frame(_) | Self::Shared(_) => None,
        }
    }
}
