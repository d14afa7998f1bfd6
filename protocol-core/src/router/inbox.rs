//! A handler that queues what arrives, for programs that look for events in a loop of their own.

use std::collections::{BTreeMap, VecDeque};
use std::convert::identity;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::connection::wakes;
use crate::ids::{PeerId, RoomId};
use crate::protocol::PassSet;

/// Makes a handler for the set `S` and the inbox that it fills, of at most `capacity` events.
///
/// Where the inbox is full, the handler waits, and with it the link's reader: the sender is held
/// back. An event that finds no room within [`Limits::handler_timeout`](crate::Limits::handler_timeout)
/// is dropped, its confirmation is `internal`. A confirmed pass is confirmed once it is in the inbox. A set with
/// requests is refused by the compiler, since nobody would answer.
///
/// # Examples
///
/// ```
/// # use protocol_core::{Event, EventSet};
/// # #[derive(Debug, Event)] #[event(pass)] struct Dealt { card: u8 }
/// # #[derive(Debug, EventSet)] enum FromTable { Dealt(Dealt) }
/// use protocol_core::{Received, inbox};
///
/// // `ui` goes to `Client::connect(addr).handle(ui)`.
/// let (ui, mut inbox) = inbox::<FromTable>(256);
/// while let Some(Received { event, .. }) = inbox.try_next() {
///     match event {
///         FromTable::Dealt(dealt) => println!("a {}", dealt.card),
///     }
/// }
/// ```
///
/// A capacity of 0 counts as 1.
pub fn inbox<S: PassSet<()>>(capacity: usize) -> (InboxHandler<S>, Inbox<S>) {
    let (queue, inbox) = queue(capacity);
    (queue.of(identity), inbox)
}

/// Makes a queue for the events of several sets and the inbox that it fills, of at most `capacity`
/// events: so a loop sees all of them in the order in which they came. `T` is what the loop reads, an
/// enum with a variant for each set. All else is as with [`inbox`].
///
/// # Examples
///
/// ```
/// # use protocol_core::{Event, EventSet};
/// # #[derive(Debug, Event)] #[event(pass)] struct Dealt { card: u8 }
/// # #[derive(Debug, Event)] #[event(pass)] struct Wave;
/// # #[derive(Debug, EventSet)] enum FromTable { Dealt(Dealt) }
/// # #[derive(Debug, EventSet)] enum BetweenPlayers { Wave(Wave) }
/// use protocol_core::{Received, queue};
///
/// enum Heard {
///     Table(FromTable),
///     Player(BetweenPlayers),
/// }
///
/// let (queue, mut inbox) = queue(256);
/// // Goes to `Client::connect(addr).handle(…)`.
/// let handlers = (queue.of(Heard::Table), queue.of(Heard::Player));
/// while let Some(Received { event, from, .. }) = inbox.try_next() {
///     match event {
///         Heard::Table(FromTable::Dealt(dealt)) => println!("a {}", dealt.card),
///         Heard::Player(BetweenPlayers::Wave(_)) => println!("{from:?} waves"),
///     }
/// }
/// ```
pub fn queue<T>(capacity: usize) -> (Queue<T>, Inbox<T>) {
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            events: VecDeque::new(),
            open: true,
            handlers: 0,
            may_begin: true,
            reader: None,
            writers: BTreeMap::new(),
            next_ticket: 0,
        }),
        capacity: capacity.max(1),
    });
    let queue = Queue {
        shared: Arc::clone(&shared),
    };
    (queue, Inbox { shared })
}

/// An event of an [`Inbox`], and who sent it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Received<S> {
    /// The peer that sent it; none where the server did.
    pub from: Option<PeerId>,
    /// The room that the peer sent it to; none where it was sent to this client alone.
    pub room: Option<RoomId>,
    /// The event.
    pub event: S,
}

/// The reading end of [`inbox`] and [`queue`].
#[derive(Debug)]
pub struct Inbox<S> {
    shared: Arc<Shared<S>>,
}

/// Makes the handlers that fill an [`Inbox`]; from [`queue`].
#[derive(Debug)]
pub struct Queue<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Queue<T> {
    /// A handler for the set `S`, whose events become what the loop reads by `wrap`, such as the
    /// variant of an enum.
    pub fn of<S: PassSet<()>>(&self, wrap: fn(S) -> T) -> InboxHandler<S, T> {
        let mut state = self.shared.lock();
        state.may_begin = false;
        state.handlers += 1;
        drop(state);
        InboxHandler {
            shared: Arc::clone(&self.shared),
            wrap,
        }
    }
}

/// A queue that no handler came of leaves nothing to wait for.
impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.may_begin = false;
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            wakes::wake_reader(reader);
        }
    }
}

/// A handler of set `S` that queues its events, as `T`; from [`inbox`] and [`queue`].
#[derive(Debug)]
pub struct InboxHandler<S, T = S> {
    shared: Arc<Shared<T>>,
    wrap: fn(S) -> T,
}

#[derive(Debug)]
struct Shared<S> {
    state: Mutex<State<S>>,
    capacity: usize,
}

#[derive(Debug)]
struct State<S> {
    events: VecDeque<Received<S>>,
    /// Whether the inbox is still there to be read.
    open: bool,
    handlers: usize,
    /// Whether there was no handler yet and may still be one.
    may_begin: bool,
    reader: Option<Waker>,
    /// Handlers that wait for room, by ticket: each stands once, however often it is polled, and
    /// the one that came first gets the next place.
    writers: BTreeMap<u64, Waker>,
    next_ticket: u64,
}

impl<S> State<S> {
    /// Whom to wake for a free place; each that takes one wakes the next.
    fn first_writer(&self, capacity: usize) -> Option<Waker> {
        let (_, writer) = self.writers.first_key_value()?;
        (self.events.len() < capacity).then(|| writer.clone())
    }
}

impl<S> Shared<S> {
    fn lock(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Inbox<S> {
    /// The next event, if one has arrived.
    pub fn try_next(&mut self) -> Option<Received<S>> {
        let mut state = self.shared.lock();
        let received = state.events.pop_front()?;
        let writer = state.first_writer(self.shared.capacity);
        drop(state);
        if let Some(writer) = writer {
            writer.wake();
        }
        Some(received)
    }

    /// Waits for the next event; none once all was read and every handler is gone, which at a client
    /// is so when the link has ended.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Received<S>> {
        poll_fn(|cx| {
            if let Some(received) = self.try_next() {
                return Poll::Ready(Some(received));
            }
            let mut state = self.shared.lock();
            if !state.events.is_empty() {
                cx.waker().wake_by_ref();
            } else if state.handlers == 0 && !state.may_begin {
                return Poll::Ready(None);
            }
            state.reader = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }
}

impl<S> Drop for Inbox<S> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.open = false;
        let writers = std::mem::take(&mut state.writers);
        drop(state);
        for writer in writers.into_values() {
            writer.wake();
        }
    }
}

impl<S, T> InboxHandler<S, T> {
    /// Queues an event once there is room; `false` where the inbox was dropped.
    pub(crate) async fn put(&self, from: Option<PeerId>, room: Option<RoomId>, event: S) -> bool {
        let event = (self.wrap)(event);
        let mut received = Some(Received { from, room, event });
        let mut place = Place {
            shared: &self.shared,
            ticket: None,
        };
        poll_fn(|cx| place.poll_put(cx.waker(), &mut received)).await
    }
}

/// A handler's claim to a place, given up when dropped.
struct Place<'a, S> {
    shared: &'a Shared<S>,
    ticket: Option<u64>,
}

impl<S> Place<'_, S> {
    fn poll_put(&mut self, waker: &Waker, received: &mut Option<Received<S>>) -> Poll<bool> {
        let mut state = self.shared.lock();
        if !state.open {
            return Poll::Ready(false);
        }
        let first = state.writers.keys().next().copied();
        let is_next = first.is_none_or(|first| self.ticket == Some(first));
        if !is_next || state.events.len() >= self.shared.capacity {
            let ticket = *self.ticket.get_or_insert_with(|| {
                state.next_ticket += 1;
                state.next_ticket
            });
            state.writers.insert(ticket, waker.clone());
            return Poll::Pending;
        }
        state.events.extend(received.take());
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            wakes::wake_reader(reader);
        }
        Poll::Ready(true)
    }
}

impl<S> Drop for Place<'_, S> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut state = self.shared.lock();
        state.writers.remove(&ticket);
        let next = state.first_writer(self.shared.capacity);
        drop(state);
        if let Some(next) = next {
            next.wake();
        }
    }
}

impl<S, T> Clone for InboxHandler<S, T> {
    fn clone(&self) -> Self {
        self.shared.lock().handlers += 1;
        Self {
            shared: Arc::clone(&self.shared),
            wrap: self.wrap,
        }
    }
}

impl<S, T> Drop for InboxHandler<S, T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.handlers -= 1;
        let reader = if state.handlers == 0 {
            state.reader.take()
        } else {
            None
        };
        drop(state);
        if let Some(reader) = reader {
            wakes::wake_reader(reader);
        }
    }
}
