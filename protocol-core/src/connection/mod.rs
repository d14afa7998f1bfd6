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

mod answers;
mod core;
mod ending;
mod ids;
mod incoming;
mod input;
mod limits;
mod outbox;
mod output;
mod pace;
mod pending;
mod relayed;
mod strangers;
mod transit;

#[cfg(test)]
mod tests;

use std::time::Instant;

use bytes::BytesMut;

pub use self::core::{Counters, Notice, Observer};
pub use ids::IdSource;
pub use incoming::{Exchange, Incoming, Mode};
pub(crate) use limits::due;
pub use limits::{Limits, RateLimits, StrangerLimits};
pub(crate) use outbox::{Backlog, Closing, Outbox, Outgoing, Pushed, Share, Tried};
pub use outbox::{OutgoingCall, Put};
pub use pending::{Expects, Outcome, Waiter};
pub(crate) use relayed::CallKey;
pub use relayed::{RelayedAnswer, RelayedCall};

use self::core::{Core, Phase};
use self::input::{Input, Taken};
use self::pace::Pace;
use self::strangers::Stranger;
use crate::codec::{Codec, CodecError, PeerIdentity};
use crate::error::{CloseReason, refusal};
use crate::wire::{ErrorCode, Frame, WireError};

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
    sealed: BytesMut,
    /// Why the codec reads no more, until what it has read before is handled.
    unreadable: Option<CodecError>,
    /// Whether the other end was told that nothing follows.
    finished: bool,
    blocked_since: Option<Instant>,
    handling: usize,
    /// The owner wants no further event.
    closing: bool,
    pace: Pace,
    stranger: Option<Stranger>,
    /// Bytes of answers that wait outside, behind what their handlers sent.
    held_back: usize,
}

impl Connection {
    /// A connection whose link was just made. Its codec is open: what a handshake takes is done
    /// before.
    pub fn new(role: Role, limits: Limits, codec: Box<dyn Codec>, ids: IdSource) -> Self {
        let pace = Pace::new(limits.rate_in);
        let stranger = limits.stranger.map(Stranger::new);
        Self {
            core: Core::new(role, limits, ids),
            input: Input::default(),
            codec,
            sealed: BytesMut::new(),
            unreadable: None,
            finished: false,
            blocked_since: None,
            handling: 0,
            closing: false,
            pace,
            stranger,
            held_back: 0,
        }
    }

    /// Takes over what arrived while the codec opened: bytes of the wire, and of frames.
    pub fn take_over(&mut self, wire: BytesMut, plain: BytesMut) {
        // Small buffers that hold nothing would keep the large ones from being lent.
        if !wire.is_empty() {
            self.input.wire = wire;
        }
        if !plain.is_empty() {
            self.input.plain = plain;
        }
        self.received();
    }

    /// Has `observer` told of everything that is dropped without an answer.
    pub fn observe(&mut self, observer: Observer) {
        self.core.observer = Some(observer);
    }

    pub(crate) fn notice(&self, notice: &Notice<'_>) {
        self.core.notice(notice);
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

    /// Whether bytes should be read now: the link is open and what is due to the peer is not piling
    /// up.
    pub fn wants_read(&self) -> bool {
        !self.input.ended
            && self.unreadable.is_none()
            && match self.core.phase {
                Phase::Open => !self.is_output_full() && !self.pace.is_paused(),
                Phase::Draining { .. } => !self.is_output_full(),
                // Reading goes on, so that a peer that is stuck writing gets to read what is due.
                Phase::Finishing | Phase::Lingering { .. } => true,
                Phase::Closed => false,
            }
    }

    /// Whether the other end went beyond its rate, so that nothing is taken for a while.
    pub fn is_paused(&self) -> bool {
        self.core.phase == Phase::Open && self.pace.is_paused()
    }

    /// Takes note of frames that others receive because of what this end sent.
    pub(crate) fn charge_deliveries(&mut self, now: Instant, deliveries: usize) {
        self.pace.charge_deliveries(now, deliveries);
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
        if self.unreadable.is_some() {
            self.input.wire.clear();
            return;
        }
        let arrived = self.input_len();
        let Input { wire, plain, .. } = &mut self.input;
        let received = self.codec.receive(wire, plain, &mut self.sealed);
        self.input
            .note_overhead(arrived.saturating_sub(self.input_len()));
        if let Err(error) = received {
            self.input.wire.clear();
            self.unreadable = Some(error);
        }
    }

    /// Nothing whole is left of what arrived; whether the codec could read no more of it.
    fn is_unreadable(&mut self) -> bool {
        if let Some(error) = self.unreadable.take() {
            let word = refusal(&error);
            self.violated_as(CloseReason::Codec(error), &word);
            return true;
        }
        false
    }

    /// Takes note that the other end will send no more. What arrived is still handled and answered;
    /// calls in flight end.
    pub fn input_ended(&mut self) {
        self.input.ended = true;
        self.pause_input();
        let reason = if self.codec.may_end() {
            CloseReason::PeerClosed
        } else {
            CloseReason::CutOff
        };
        self.core.lose(&reason);
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
        self.core.end_relayed_calls();
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
        self.meet(now);
        loop {
            if self.core.discards_input() || self.holds_input() {
                self.pause_input();
                return None;
            }
            self.core.room = self.room();
            let (event, consumed) = match self.input.take(self.frame_limit()) {
                Ok(Taken::Nothing) => {
                    if !self.is_unreadable() && !self.has_too_much_unread() {
                        self.settle(now);
                    }
                    return None;
                }
                Ok(Taken::Aside(line)) => match Frame::parse(&line) {
                    Ok(frame) => {
                        let transit = usize::from(self.core.is_transit(&frame));
                        self.input.aside_transit -= transit;
                        let taken = !self.closing && self.core.takes_set_aside();
                        (self.core.consider(frame, taken, &mut admit), 0)
                    }
                    Err(_) => (None, 0),
                },
                Ok(Taken::Line { content, consumed }) => {
                    if !self.admits_line(now, content.is_empty(), consumed) {
                        return None;
                    }
                    if content.is_empty() {
                        self.input.consume(consumed);
                        self.core.drained(consumed);
                        continue;
                    }
                    match Frame::parse(&self.input.plain[content]) {
                        Ok(frame) => {
                            let taken = !self.closing && self.core.takes_events();
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

    /// Reads on while a handler is at work: answers complete their calls, those for other peers go
    /// through `relay` at once, events are kept for later, within [`Limits::queued_events`].
    pub fn set_aside(
        &mut self,
        now: Instant,
        mut relay: impl FnMut(&Incoming<'_>) -> Result<(), WireError>,
    ) {
        self.meet(now);
        loop {
            if self.core.discards_input() || self.holds_input() {
                self.pause_input();
                return;
            }
            self.core.room = self.room();
            let (content, consumed) = match self.input.take_line(self.frame_limit()) {
                Ok(Some(line)) => line,
                Ok(None) => {
                    if !self.is_unreadable() && !self.has_too_much_unread() {
                        self.settle_partial(now);
                    }
                    return;
                }
                Err(error) => {
                    self.violated(WireError::new(ErrorCode::TooLarge, error.to_string()));
                    return;
                }
            };
            if !self.admits_line(now, content.is_empty(), consumed) {
                return;
            }
            if content.is_empty() {
                self.input.consume(consumed);
                self.core.drained(consumed);
                continue;
            }
            let frame = match Frame::parse(&self.input.plain[content.clone()]) {
                Ok(frame) => frame,
                Err(error) => {
                    self.violated(error.into());
                    return;
                }
            };
            let full = self.input.aside.len() >= self.core.limits.queued_events
                || self.input.aside_bytes >= self.core.limits.queued_bytes;
            let transit = self.core.is_transit(&frame);
            let taken = !self.closing && self.core.takes_events();
            if self.core.is_reply(&frame) {
                // It may overtake events for this end, but none for peers, unless it were lost.
                if self.input.aside_transit == 0 || full {
                    let _ = self.core.consider(frame, true, &mut relay);
                } else {
                    self.input.set_aside(content, transit);
                }
            } else if !(self.core.is_event(&frame) && taken) {
                self.core.consider_answer(frame);
            } else if full {
                self.core.refuse_busy(frame);
            } else {
                self.input.set_aside(content, transit);
            }
            self.input.consume(consumed);
            self.core.drained(consumed);
        }
    }

    /// Whether the peer gets nothing more handled before it reads what is due to it, or before its
    /// rate allows, which holds up no drain. Near the end nothing is handled, only refused.
    fn holds_input(&self) -> bool {
        match self.core.phase {
            Phase::Open => self.is_output_full() || self.pace.is_paused(),
            Phase::Draining { .. } => self.is_output_full(),
            _ => false,
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
            // What the other end has asked its peers may still be answered, but not for long: so
            // long its name is taken.
            Phase::Open if self.input.ended && self.core.relayed.len() > 0 => {
                let until = due(now, self.core.limits.linger);
                self.core.relayed.give_up_at(until);
            }
            Phase::Open | Phase::Draining { .. } if self.input.ended => {
                self.core.end_relayed_calls();
                self.core.end_of_events();
            }
            Phase::Draining { read: true, .. } => {
                self.core.end_relayed_calls();
                self.core.close();
            }
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
