//! The task that owns one connection and one socket: reads, handles, answers, writes.
//!
//! One write for all that a drained input caused, or for each [`FLUSH_BYTES`] of it; nothing is
//! spawned for a handler that is ready at once.

mod aside;
mod batch;
mod calm;
mod concurrent;
mod failure;
mod reconnect;
mod serve;
mod session;
mod tidy;
mod writing;

use std::any::Any;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Instant;

use tokio::time::Sleep;

use self::batch::Batched;
use self::concurrent::Concurrent;
use self::failure::Failure;
use self::session::Life;
pub(super) use self::session::Tending;
use self::tidy::BUSY_EVENTS;
use super::transport::Io;
use super::{guard, now};
use crate::connection::{Backlog, Closing, Connection, Exchange, Incoming, due};
use crate::error::CloseReason;
use crate::ids::PeerId;
use crate::router::{Admission, Hub, Link, ReplyBuffer, Service};
use crate::wire::{ErrorCode, WireError};

/// Output is written once it has this size even if more input waits, so that both ends work at the
/// same time.
const FLUSH_BYTES: usize = 8 * 1024;

/// As how many frames one counts that fills the queue of somebody who may well keep up. So if many
/// make one of them receive, each passes on little before that one has its turn to write.
const CROWDING: usize = 8;

/// What a driver is given.
pub(super) struct Setup {
    pub(super) io: Io,
    pub(super) connection: Connection,
    pub(super) link: Arc<Link>,
    /// The place that the link has; given back with it.
    pub(super) place: Box<dyn Any + Send>,
    /// What a client has beyond one link.
    pub(super) tending: Option<Tending>,
}

/// Runs a connection to its end. Every call and queue of it has ended by then; a handler that had
/// begun has run to its end.
///
/// `listed` is given back once the connection is gone; it is in this future, since one around it
/// would hold the driver twice.
///
/// The driver stands before the first poll: where the task is never polled, its calls end all the
/// same.
pub(super) fn drive<S, K>(setup: Setup, service: Arc<S>, listed: K) -> impl Future<Output = ()>
where
    S: Service,
{
    let Setup {
        io,
        connection,
        link,
        place,
        tending,
    } = setup;
    let mut driver = Driver {
        io: Some(io),
        place,
        connection,
        link,
        backlog: Backlog::default(),
        closing: None,
        now: now(),
        timer: None,
        timer_at: None,
        waiting_until: None,
        tidy_at: None,
        active: false,
        reads_on: false,
        is_calm: false,
        handled: 0,
        crowded: false,
        calls: 0,
        expected: 0,
        reads: 0,
        relays: (0, 0),
        concurrent: None,
        life: Life::new(tending),
    };
    let work = async move {
        driver.run(&service).await;
        driver.end_calls();
        if let Some(concurrent) = &mut driver.concurrent {
            while concurrent.tasks.join_next().await.is_some() {}
        }
        drop(driver);
        drop(listed);
    };
    Batched { work }
}

// In this order in memory: what a short visit touches stands together.
#[repr(C)]
struct Driver {
    /// None while the session goes on without a link.
    io: Option<Io>,
    link: Arc<Link>,
    /// The time of the current visit; the clock is read once a visit, and where handles call.
    now: Instant,
    timer_at: Option<Instant>,
    /// How many tasks whose calls ended may still add their next ones to the next write.
    expected: usize,
    /// Whether something was handled or sent since it was last looked what is still needed.
    active: bool,
    /// Whether what arrives wakes this task, since a read had to wait for it.
    reads_on: bool,
    /// Whether the next visit may be a short one.
    is_calm: bool,
    /// Others find no room in the queue until the next visit.
    crowded: bool,
    /// What the owner of the handle last asked for.
    closing: Option<Closing>,
    backlog: Backlog,
    connection: Connection,
    place: Box<dyn Any + Send>,
    timer: Option<Pin<Box<Sleep>>>,
    waiting_until: Option<Instant>,
    /// When to look whether what a busy link holds is still needed; none where it holds nothing.
    tidy_at: Option<Instant>,
    /// How many events were handled since.
    handled: usize,
    /// Calls that were taken to be written.
    calls: usize,
    reads: usize,
    /// Frames, and their bytes, passed on since others had their turn.
    relays: (usize, usize),
    /// Handlers of `concurrent` requests that were not ready at once.
    concurrent: Option<Box<Concurrent>>,
    life: Life,
}

/// What became of an event that was taken from the input.
enum Next<F> {
    /// It was passed on, or was an answer to another peer.
    Relayed,
    /// Its handler is to be polled in place.
    Handle,
    /// Its handler is to be polled beside later ones.
    Start(Pin<Box<F>>),
}

/// A driver that is dropped at work, as when its runtime ends, leaves no call waiting.
impl Drop for Driver {
    fn drop(&mut self) {
        self.connection.abort();
        self.end_calls();
    }
}

impl Driver {
    /// Lifts the bounds for strangers once it is known whom the connection speaks for.
    fn note_identity(&mut self) {
        if self.connection.is_stranger() && self.link.peer.get().is_some() {
            self.connection.identified();
        }
        if !self.connection.has_session()
            && let Some(session) = self.link.session.get()
        {
            let terms = Arc::clone(&session.terms);
            let memory = self.whose().and_then(|(hub, peer)| {
                let whose = (peer, terms.far_inc.as_deref());
                hub.take_memory(self.now, &self.connection.limits().delivery, whose)
            });
            self.connection.begin_session(self.now, terms, memory);
        }
        if self.link.beats.load(Ordering::Relaxed) {
            self.connection.expect_heartbeats(self.now);
            let received = self.link.received.load(Ordering::Relaxed);
            self.connection.note_received(received);
        }
    }

    /// Whose this connection is, at a server.
    fn whose(&self) -> Option<(Arc<Hub>, PeerId)> {
        Some((self.link.hub()?, self.link.peer.get()?.clone()))
    }

    /// Slows a peer down that makes others receive more than it may; whether it made them receive
    /// anything.
    fn note_deliveries(&mut self) -> bool {
        let deliveries = self.link.take_deliveries();
        if deliveries > 0 {
            self.connection.charge_deliveries(self.now, deliveries);
        }
        deliveries > 0
    }

    /// Tells the hub which relayed calls have ended without an answer.
    fn settle(&mut self) {
        let unanswered = self.connection.take_unanswered();
        if !unanswered.is_empty()
            && let Some(hub) = self.link.hub()
        {
            for (via, call) in unanswered {
                hub.settle(self.link.id, via, call);
            }
        }
    }

    fn end_calls(&mut self) {
        let reason = self
            .connection
            .close_reason()
            .cloned()
            .unwrap_or(CloseReason::Closed);
        // Before the name is free: whoever has it next may be the same life of the same peer.
        if let Some((hub, peer)) = self.whose()
            && let Some(memory) = self.connection.take_memory()
        {
            let whose = (peer, self.link.inc());
            hub.keep_memory(self.now, &self.connection.limits().delivery, whose, memory);
        }
        self.tell_end(&reason);
        self.link.end(&reason, mem::take(&mut self.backlog));
        self.connection.set_held_back(0);
    }
}

impl Driver {
    async fn run<S: Service>(&mut self, service: &Arc<S>) {
        let mut worked = false;
        // Apart from the task, so that an idle link does not hold the place of the largest handler.
        let mut handler = None;
        // What an event leaves behind is put in its place at once, so that it is moved once.
        let (mut exchange, mut call) = (None, None);
        loop {
            self.note_identity();
            if self.note_deliveries() {
                let weight = if self.link.take_crowding() {
                    CROWDING
                } else {
                    1
                };
                self.give_turn(weight, 0).await;
            }
            let waiting = self.connection.input_len();
            let next = self.next_event(|incoming| {
                Ok(match admit(&**service, incoming)? {
                    Admission::Relayed(relayed) => {
                        call = relayed;
                        Next::Relayed
                    }
                    Admission::Handle(admitted) => {
                        exchange = Some(admitted.exchange);
                        let (event, reply) = (admitted.event, ReplyBuffer::default());
                        if admitted.concurrent {
                            let service = Arc::clone(service);
                            Next::Start(Box::pin(async move { service.serve(event, reply).await }))
                        } else {
                            let handler = handler.get_or_insert_with(|| Box::pin(None));
                            handler.set(Some(service.serve(event, reply)));
                            Next::Handle
                        }
                    }
                })
            });
            match next {
                Some(Next::Relayed) => {
                    if let Some(call) = call.take() {
                        self.connection.relayed(self.now, call);
                        self.settle();
                    }
                    let bytes = waiting.saturating_sub(self.connection.input_len());
                    self.note_deliveries();
                    self.give_turn(1, bytes).await;
                }
                Some(Next::Start(handler)) => {
                    worked = true;
                    if let Some(exchange) = exchange.take() {
                        self.start(handler, exchange).await;
                    }
                }
                Some(Next::Handle) => {
                    worked = true;
                    self.handled += 1;
                    if let (Some(handler), Some(exchange)) = (&mut handler, &exchange) {
                        self.handle(service, handler.as_mut(), exchange).await;
                    }
                }
                None if self.hand_over() => return,
                None if self.connection.is_closed() => return,
                None if mem::take(&mut worked) && self.connection.input_len() > 0 => {
                    // A frame that has begun has its whole time from now, not from before the
                    // handlers' work.
                    self.now = now();
                    self.connection.pause_input();
                }
                None => {
                    if self.handled < BUSY_EVENTS {
                        handler = None;
                    }
                    poll_fn(|cx| self.poll_link(cx, &**service, None)).await;
                    if self.tidy() {
                        handler = None;
                    }
                }
            }
            if self.connection.output_len() >= FLUSH_BYTES {
                self.flush_now().await;
            }
        }
    }

    /// The next event, unless none is to be handled now.
    fn next_event<T>(
        &mut self,
        admit: impl FnMut(&Incoming<'_>) -> Result<T, WireError>,
    ) -> Option<T> {
        if self.is_crowded() || self.life.is_greeting() {
            return None;
        }
        let next = self.connection.next_event(self.now, admit);
        self.active |= next.is_some();
        next
    }

    /// Handles one event in place; the link is served beside it where the handler has to wait.
    async fn handle<S: Service>(
        &mut self,
        service: &Arc<S>,
        mut handler: Pin<&mut Option<impl Future<Output = ReplyBuffer>>>,
        exchange: &Exchange,
    ) {
        let mut deadline = None;
        let limit = self.connection.limits().handler_timeout;
        let outcome = poll_fn(|cx| {
            if let Some(handler) = handler.as_mut().as_pin_mut()
                && let Poll::Ready(outcome) = guard::poll(handler, cx)
            {
                return Poll::Ready(outcome.map_err(Failure::from));
            }
            let deadline = *deadline.get_or_insert_with(|| due(self.now, limit));
            self.poll_link(cx, &**service, Some(deadline))
                .map(|()| Err(Failure::TooSlow { limit }))
        })
        .await;
        if guard::call(|| handler.set(None)).is_err() {
            tracing::error!(event = exchange.name, "dropping a handler panicked");
        }
        self.finish(exchange, outcome);
    }

    /// Answers an event with its handler's reply, or with why there is none.
    fn finish(&mut self, exchange: &Exchange, outcome: Result<ReplyBuffer, Failure>) {
        self.collect();
        let reply = outcome.unwrap_or_else(|failure| {
            if let Some(notice) = failure.notice(exchange.name) {
                self.connection.notice(&notice);
            }
            failure.reply()
        });
        let before = self.connection.frames_len();
        self.connection.answer(exchange, reply.result());
        // What the handler sent goes before its answer, also where it still has to wait.
        if self.backlog.has_frames() {
            let answer = self.connection.take_back(before);
            if !answer.is_empty() {
                self.backlog.push_answer(answer);
            }
            self.connection.set_held_back(self.backlog.answer_bytes());
        }
    }
}

/// Asks the service. A gate, a relay and a `Deserialize` are user code too; their panic is this
/// event's failure.
fn admit<S: Service>(
    service: &S,
    incoming: &Incoming<'_>,
) -> Result<Admission<S::Event>, WireError> {
    guard::call(|| service.admit(incoming)).unwrap_or_else(|guard::Panicked| {
        let text = "admitting the event panicked";
        Err(WireError::new(ErrorCode::Internal, text))
    })
}
