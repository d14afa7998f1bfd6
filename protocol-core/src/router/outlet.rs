//! Ways to clients that state keeps: typed by what is sent, whatever the protocol.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::connection::{Outgoing, Put, RateLimits};
use crate::error::SendError;
use crate::event::Pass;
use crate::ids::ConnectionId;
use crate::protocol::{Includes, Travels};
use crate::router::Link;
use crate::router::send::encode_shared;

/// A way to one client of a server for the passes of set `S`, from
/// [`Context::outlet`](crate::Context::outlet).
///
/// State that serves any protocol keeps it with whoever has to hear of a change, and puts news into
/// it while it holds its own lock: nothing here waits. So every client hears of changes in the order
/// in which they were made.
///
/// # Examples
///
/// ```
/// use std::sync::Mutex;
/// use protocol_core::{Context, Encoded, Event, EventSet, Outlet, Protocol};
///
/// #[derive(Debug, Event)]
/// #[event(request, response = Total)]
/// struct Add { points: u32 }
///
/// #[derive(Debug, Event)]
/// #[event(response)]
/// struct Total { points: u32 }
///
/// #[derive(Debug, Event)]
/// #[event(pass)]
/// struct Score { points: u32 }
///
/// #[derive(Debug, EventSet)]
/// enum Scoring { Add(Add) }
///
/// #[derive(Debug, EventSet)]
/// enum ScoreNews { Score(Score) }
///
/// #[derive(Debug, Protocol)]
/// #[protocol(version = "1", to_server = Scoring, to_client = ScoreNews)]
/// struct Game;
///
/// #[derive(Default)]
/// struct Board(Mutex<(u32, Vec<Outlet<ScoreNews>>)>);
///
/// impl ScoringHandler<Game> for Board {
///     async fn on_add(&self, cx: &Context<Game>, event: Add) -> Total {
///         let mut board = self.0.lock().unwrap();
///         let (points, watchers) = &mut *board;
///         *points += event.points;
///         if let Ok(score) = Encoded::new(&Score { points: *points }) {
///             watchers.retain(|watcher| watcher.put(&score).is_queued());
///         }
///         watchers.push(cx.outlet());
///         Total { points: *points }
///     }
/// }
/// ```
pub struct Outlet<S> {
    pub(super) link: Arc<Link>,
    set: PhantomData<fn() -> S>,
}

impl<S> Outlet<S> {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self {
            link,
            set: PhantomData,
        }
    }

    /// Queues an event that the client must not miss, without waiting. Where its queue is full to four
    /// times its limits, or the event longer than it accepts, its link ends.
    pub fn put(&self, event: &Encoded<S>) -> Put {
        if event.frame.len() - 1 > self.link.frame_out {
            self.link.outbox.break_off();
            return Put::Ended;
        }
        let frame = Outgoing::Held(event.frame.clone());
        self.link.outbox.push_or_break(frame)
    }

    /// Ends the client's link, which would be out of step: there is something that it must not miss
    /// and cannot be told.
    pub fn break_off(&self) {
        self.link.outbox.break_off();
    }

    /// The connection that it leads to.
    pub fn connection(&self) -> ConnectionId {
        self.link.id
    }
}

impl<S> Clone for Outlet<S> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.link))
    }
}

impl<S> std::fmt::Debug for Outlet<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Outlet").field(&self.link.id).finish()
    }
}

/// A pass of set `S`, encoded once for any number of [`Outlet`]s.
pub struct Encoded<S> {
    frame: Arc<[u8]>,
    set: PhantomData<fn() -> S>,
}

impl<S> Encoded<S> {
    /// Encodes an event.
    ///
    /// # Errors
    ///
    /// Where it cannot be written as JSON or is longer than its `max_size`.
    pub fn new<E>(event: &E) -> Result<Self, SendError>
    where
        E: Pass + Travels<S, Anywhere<S>, Anyway>,
    {
        Ok(Self {
            frame: encode_shared(event, usize::MAX)?,
            set: PhantomData,
        })
    }
}

impl<S> Encoded<S> {
    /// As how many deliveries it counts for each client that gets it; see
    /// [`RateLimits::DELIVERY_BYTES`](crate::RateLimits::DELIVERY_BYTES).
    pub fn deliveries(&self) -> usize {
        deliveries(&self.frame)
    }
}

pub(super) fn deliveries(frame: &Arc<[u8]>) -> usize {
    frame.len().div_ceil(RateLimits::DELIVERY_BYTES)
}

impl<S> std::fmt::Debug for Encoded<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Encoded({} bytes)", self.frame.len())
    }
}

/// A protocol that has set `S`, whichever.
#[doc(hidden)]
pub struct Anywhere<S>(PhantomData<fn() -> S>);

/// A direction, whichever.
#[doc(hidden)]
pub struct Anyway;

impl<S> Includes<Anyway, S> for Anywhere<S> {}
