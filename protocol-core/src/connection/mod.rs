//! The state machine of one link, without I/O: bytes and the time in; events, bytes and the next
//! deadline out.
//!
//! Never reads a clock, a random source or a socket. Its owner calls, in any order: [`received`]
//! with what was read, [`next_event`] until nothing is left, [`answer`] when a handler is done,
//! [`output`] and [`written`] around each write, [`handle_timeout`] at [`next_deadline`].
//!
//! [`received`]: Connection::received
//! [`next_event`]: Connection::next_event
//! [`answer`]: Connection::answer
//! [`output`]: Connection::output
//! [`written`]: Connection::written
//! [`handle_timeout`]: Connection::handle_timeout
//! [`next_deadline`]: Connection::next_deadline

mod core;
mod ids;
mod incoming;
mod input;
mod limits;
mod outbox;
mod pending;

#[cfg(test)]
mod tests;

use std::time::Instant;

use bytes::{Buf, BytesMut};

pub use self::core::{Counters, Notice, Observer};
pub use ids::IdSource;
pub use incoming::{Exchange, Incoming, Mode};
pub use limits::Limits;
pub(crate) use limits::due;
pub use outbox::OutgoingCall;
pub(crate) use outbox::{Backlog, Closing, Outbox, Outgoing, Pushed};
pub use pending::{Expects, Outcome, Waiter};

use self::core::{Core, Phase};
use self::input::{Input, Taken};
use crate::codec::{Codec, PeerIdentity, Progress};
use crate::error::CloseReason;
use crate::wire::{ErrorCode, Frame, WireError};

/// What an idle link may keep for its next answer, in each of two buffers.
const IDLE_OUTPUT_BYTES: usize = 1_024;

/// Which end of a link a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Accepted the link. What the other end writes into `from` is ignored.
    Server,
    /// Opened the link. Trusts the server's `from`.
    Client,
}

/// One link's state: frames in and out, calls in flight, deadlines and limits.
///
/// # Examples
///
/// ```
/// use std::time::Instant;
/// use protocol_core::codec::Plain;
/// use protocol_core::connection::{Connection, IdSource, Role};
/// use protocol_core::Limits;
///
/// let now = Instant::now();
/// let ids = IdSource::new(1, now, 0);
/// let mut server = Connection::new(Role::Server, Limits::server(), Box::new(Plain), ids);
/// server.read_buffer().extend_from_slice(b"{\"type\":\"pass\",\"name\":\"wave\"}\n");
/// server.received();
/// let name = server.next_event(now, |event| Ok(event.name.to_owned()));
/// assert_eq!(name.as_deref(), Some("wave"));
/// ```
pub struct Connection {
    core: Core,
    input: Input,
    codec: Box<dyn Codec>,
    open: bool,
    sealed: BytesMut,
    blocked_since: Option<Instant>,
    handling: usize,
}

impl Connection {
    /// A connection whose link was just made.
    pub fn new(role: Role, limits: Limits, mut codec: Box<dyn Codec>, ids: IdSource) -> Self {
        let mut sealed = BytesMut::new();
        let started = codec.start(&mut sealed);
        let mut connection = Self {
            core: Core::new(role, limits, ids),
            input: Input::default(),
            codec,
            open: matches!(started, Ok(Progress::Open)),
            sealed,
            blocked_since: None,
            handling: 0,
        };
        if let Err(error) = started {
            connection.broken(CloseReason::Codec(error));
            connection.core.phase = Phase::Closed;
        }
        connection
    }

    /// Has `observer` told of everything that is dropped without an answer.
    pub fn observe(&mut self, observer: Observer) {
        self.core.observer = Some(observer);
    }

    pub(crate) fn observer(&self) -> Option<Observer> {
        self.core.observer.clone()
    }

    /// What was dropped so far.
    pub fn counters(&self) -> Counters {
        self.core.counters
    }

    /// The bounds of this connection.
    pub fn limits(&self) -> &Limits {
        &self.core.limits
    }

    /// Who the other end proved to be.
    pub fn peer(&self) -> PeerIdentity {
        self.codec.peer()
    }

    // --- bytes in ---

    /// Whether bytes should be read now: the link is open and what is due to the peer is not piling
    /// up.
    pub fn wants_read(&self) -> bool {
        !self.input.ended
            && match self.core.phase {
                Phase::Open | Phase::Draining { .. } => !self.is_output_full(),
                // What is discarded is read on, so that a peer that is stuck writing gets to read.
                // Before the codec is open, nothing that is due can be written without reading.
                Phase::Finishing => self.core.discards_input() || !self.open,
                Phase::Lingering { .. } => true,
                Phase::Closed => false,
            }
    }

    /// Where to append what was read, before [`received`](Self::received).
    pub fn read_buffer(&mut self) -> &mut BytesMut {
        &mut self.input.wire
    }

    /// Takes note of what was appended to the [`read_buffer`](Self::read_buffer).
    pub fn received(&mut self) {
        if self.core.discards_input() {
            self.input.discard();
            return;
        }
        let Input { wire, plain, .. } = &mut self.input;
        match self.codec.receive(wire, plain, &mut self.sealed) {
            Ok(progress) => self.open = progress == Progress::Open,
            Err(error) => self.violated(WireError::new(ErrorCode::BadFrame, error.to_string())),
        }
    }

    /// Takes note that the other end will send no more. What arrived is still handled and answered;
    /// calls in flight end.
    pub fn input_ended(&mut self) {
        self.input.ended = true;
        self.pause_input();
        self.core.lose(&CloseReason::PeerClosed);
        if let Phase::Lingering { .. } = self.core.phase {
            self.core.phase = Phase::Closed;
        }
    }

    /// Takes note that the link broke. Nothing can be sent any more; what arrived is still handled.
    pub fn broken(&mut self, reason: CloseReason) {
        self.input.ended = true;
        self.core.lose(&reason);
        self.core.muted = true;
        self.core.broken = true;
        self.sealed.clear();
        self.core.out.clear();
        if !matches!(self.core.phase, Phase::Open | Phase::Draining { .. }) {
            self.core.phase = Phase::Closed;
        }
    }

    /// The next event for a handler. Answers complete their calls on the way, in the order of
    /// arrival. `admit` decodes an event or refuses it; a refusal is answered here.
    pub fn next_event<T>(
        &mut self,
        now: Instant,
        mut admit: impl FnMut(&Incoming<'_>) -> Result<T, WireError>,
    ) -> Option<T> {
        loop {
            if self.core.discards_input() || self.is_output_full() {
                self.pause_input();
                return None;
            }
            let (event, consumed) = match self.input.take(self.core.limits.frame_in) {
                Ok(Taken::Nothing) => {
                    self.settle(now);
                    return None;
                }
                Ok(Taken::Aside(line)) => match Frame::parse(&line) {
                    Ok(frame) => {
                        let taken = self.core.takes_set_aside();
                        (self.core.consider(frame, taken, &mut admit), 0)
                    }
                    Err(_) => (None, 0),
                },
                Ok(Taken::Line { content, consumed }) => {
                    match Frame::parse(&self.input.plain[content]) {
                        Ok(frame) => {
                            let taken = self.core.takes_events();
                            (self.core.consider(frame, taken, &mut admit), consumed)
                        }
                        Err(error) => {
                            self.violated(error.into());
                            return None;
                        }
                    }
                }
                Err(error) => {
                    self.violated(WireError::new(ErrorCode::TooLarge, error.to_string()));
                    return None;
                }
            };
            self.input.consume(consumed);
            self.core.drained(consumed);
            if self.core.phase == Phase::Closed {
                return None;
            }
            if event.is_some() {
                self.pause_input();
                return event;
            }
        }
    }

    /// Reads on while a handler is at work: answers complete their calls, events are kept for
    /// later, within [`Limits::queued_events`].
    pub fn set_aside(&mut self, now: Instant) {
        loop {
            if self.core.discards_input() || self.is_output_full() {
                self.pause_input();
                return;
            }
            let (content, consumed) = match self.input.take_line(self.core.limits.frame_in) {
                Ok(Some(line)) => line,
                Ok(None) => {
                    self.settle_partial(now);
                    return;
                }
                Err(error) => {
                    self.violated(WireError::new(ErrorCode::TooLarge, error.to_string()));
                    return;
                }
            };
            let frame = match Frame::parse(&self.input.plain[content.clone()]) {
                Ok(frame) => frame,
                Err(error) => {
                    self.violated(error.into());
                    return;
                }
            };
            if core::is_event(&frame) && self.core.takes_events() {
                let full = self.input.aside.len() >= self.core.limits.queued_events
                    || self.input.aside_bytes >= self.core.limits.queued_bytes;
                if full {
                    self.core.refuse_busy(frame);
                } else {
                    self.input.set_aside(content);
                }
            } else {
                self.core.consider_answer(frame);
            }
            self.input.consume(consumed);
            self.core.drained(consumed);
        }
    }

    /// Nothing whole is left: a frame that has begun is on its clock, and an end that was waiting
    /// for the last event can go on.
    fn settle(&mut self, now: Instant) {
        self.settle_partial(now);
        if self.handling > 0 {
            return;
        }
        match self.core.phase {
            Phase::Open | Phase::Draining { .. } if self.input.ended => self.core.end_of_events(),
            Phase::Draining { read: true, .. } => self.core.close(),
            _ => {}
        }
    }

    /// Takes note that nothing is left to read for now, which is what a drain waits for; returns
    /// whether one did.
    pub fn input_is_drained(&mut self) -> bool {
        self.core.input_is_drained()
    }

    /// Takes note of how many handlers are at work beside [`next_event`](Self::next_event), whose
    /// answers are still due.
    pub fn set_handling(&mut self, handling: usize) {
        self.handling = handling;
    }

    fn settle_partial(&mut self, now: Instant) {
        if self.input.has_partial() && !self.input.ended {
            self.input.frame_since.get_or_insert(now);
        } else {
            self.input.frame_since = None;
        }
    }

    /// Bytes that have arrived and are not handled yet.
    pub fn input_len(&self) -> usize {
        self.input.wire.len() + self.input.plain.len()
    }

    /// Takes note that nothing is read for now. The rest of a frame that has begun may be waiting
    /// in the socket, so its time starts again with the reading.
    pub fn pause_input(&mut self) {
        self.input.frame_since = None;
    }

    // --- frames out ---

    /// Answers an event whose handler is done. A pass gets no answer.
    pub fn answer(&mut self, exchange: &Exchange, result: Result<&[u8], &WireError>) {
        self.core.answer(exchange, result);
    }

    /// Appends a whole frame.
    pub fn send_frame(&mut self, frame: &[u8]) {
        if !self.core.muted {
            self.core.out.extend_from_slice(frame);
        }
    }

    /// Sends a request or a confirmed pass. Its waiter is told exactly once how it ended.
    pub fn send_call(&mut self, now: Instant, call: OutgoingCall) {
        self.core.send_call(now, call);
    }

    /// Whether another call may be in flight.
    pub fn has_room_for_call(&self) -> bool {
        self.core.pending.len() < self.core.limits.open_calls
    }

    /// Whether calls of this end are in flight, so that answers must be read even while a handler
    /// works.
    pub fn has_open_calls(&self) -> bool {
        !self.core.pending.is_empty()
    }

    /// Frees the places of calls whose waiter has left.
    pub fn sweep_abandoned(&mut self) {
        self.core.pending.sweep();
    }

    /// The number of calls that ended since this was last asked.
    pub fn take_completed(&mut self) -> usize {
        std::mem::take(&mut self.core.completed)
    }

    // --- bytes out ---

    /// Bytes that wait to be written.
    pub fn output_len(&self) -> usize {
        self.core.out.len() + self.sealed.len()
    }

    /// Whether so much waits to be written that nothing more is handled or read.
    pub fn is_output_full(&self) -> bool {
        self.output_len() >= self.core.limits.outbound_bytes
    }

    /// The bytes to write next; empty where nothing is due.
    pub fn output(&mut self) -> &[u8] {
        if self.open && !self.core.out.is_empty() {
            let sealed = self.codec.send(&self.core.out, &mut self.sealed);
            self.core.out.clear();
            if let Err(error) = sealed {
                self.broken(CloseReason::Codec(error));
            }
        }
        &self.sealed
    }

    /// Takes note that the first `count` bytes of [`output`](Self::output) were written.
    pub fn written(&mut self, count: usize) {
        self.sealed.advance(count);
        self.blocked_since = None;
    }

    /// Takes note that nothing could be written.
    pub fn blocked(&mut self, now: Instant) {
        self.blocked_since.get_or_insert(now);
    }

    // --- time ---

    /// When [`handle_timeout`](Self::handle_timeout) is due next. May be earlier than needed.
    pub fn next_deadline(&self) -> Option<Instant> {
        let limits = &self.core.limits;
        let linger = match self.core.phase {
            Phase::Lingering { until } => Some(until),
            _ => None,
        };
        [
            self.core.pending.next_deadline(),
            self.input
                .frame_since
                .map(|since| due(since, limits.frame_timeout)),
            self.blocked_since
                .map(|since| due(since, limits.write_stall)),
            linger,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Ends what is due at `now`: calls, a frame that never ends, a write that never gets through,
    /// the wait before closing.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.core.expire(now);
        let limits = &self.core.limits;
        let (frame_timeout, write_stall) = (limits.frame_timeout, limits.write_stall);
        if self
            .input
            .frame_since
            .is_some_and(|since| due(since, frame_timeout) <= now)
        {
            self.violated(WireError::new(
                ErrorCode::Timeout,
                format!("a frame did not end within {frame_timeout:?}"),
            ));
        }
        if self
            .blocked_since
            .is_some_and(|since| due(since, write_stall) <= now)
        {
            self.blocked_since = None;
            self.broken(CloseReason::Stalled { after: write_stall });
        }
        if matches!(self.core.phase, Phase::Lingering { until } if until <= now) {
            self.core.lose(&CloseReason::Closed);
            self.core.phase = Phase::Closed;
        }
    }

    // --- the end ---

    /// The peer broke the protocol: one last word, then the end (`PROTOCOL.md` §5).
    pub fn violated(&mut self, error: WireError) {
        self.input.discard();
        self.input.frame_since = None;
        self.core.violated(error);
    }

    /// Asks for the end: nothing more is handled, what is due is written, answers that arrive
    /// within [`Limits::linger`] still count.
    pub fn close(&mut self) {
        self.core.close();
    }

    /// Asks for the end as a server does: what has arrived is handled and answered, later events
    /// get `shutting_down`, and the end comes once [`input_is_drained`](Self::input_is_drained).
    pub fn drain(&mut self) {
        let arrived = self.input.plain.len();
        self.core.drain(arrived);
    }

    /// Ends the link at once; what is due is not written.
    pub fn abort(&mut self) {
        self.broken(CloseReason::Closed);
        self.core.phase = Phase::Closed;
    }

    /// Whether the link broke, so that only what had arrived is left to handle.
    pub fn is_broken(&self) -> bool {
        self.core.broken
    }

    /// Whether nothing that is sent from now on can reach the other end.
    pub fn is_muted(&self) -> bool {
        self.core.muted
    }

    /// Whether everything due is written and the sending half should be shut.
    pub fn wants_shutdown(&self) -> bool {
        // What is due before the codec opens can be sent only if that is still to happen.
        let never = !self.open && self.core.muted;
        let due = !self.sealed.is_empty() || (!self.core.out.is_empty() && !never);
        self.core.phase == Phase::Finishing && (!due || self.core.broken)
    }

    /// Takes note that the sending half was shut.
    pub fn shut_down(&mut self, now: Instant) {
        self.core.muted = true;
        self.core.phase = if self.input.ended || self.core.broken {
            Phase::Closed
        } else {
            Phase::Lingering {
                until: due(now, self.core.limits.linger),
            }
        };
    }

    /// Whether the link is over: nothing is left to read, write or handle.
    pub fn is_closed(&self) -> bool {
        self.core.phase == Phase::Closed
    }

    /// Why the link ends or ended.
    pub fn close_reason(&self) -> Option<&CloseReason> {
        self.core.reason.as_ref()
    }

    // --- memory ---

    /// The input buffers that are not needed while the link is idle.
    pub fn take_idle_input(&mut self) -> [Option<BytesMut>; 2] {
        self.input.take_idle()
    }

    /// Lends an input buffer, instead of the one that [`read_buffer`](Self::read_buffer) holds.
    pub fn give_input(&mut self, buffer: BytesMut) {
        self.input.wire = buffer;
    }

    /// Whether there is no buffer to read into.
    pub fn needs_input_buffer(&self) -> bool {
        self.input.wire.capacity() == 0
    }

    /// Frees the output buffers of an idle link where they grew large.
    pub fn release_idle_output(&mut self) {
        if self.output_len() == 0 {
            if self.core.out.capacity() > IDLE_OUTPUT_BYTES {
                self.core.out = Vec::new();
            }
            if self.sealed.capacity() > IDLE_OUTPUT_BYTES {
                self.sealed = BytesMut::new();
            }
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("phase", &self.core.phase)
            .field("open_calls", &self.core.pending.len())
            .field("output", &self.output_len())
            .finish_non_exhaustive()
    }
}
