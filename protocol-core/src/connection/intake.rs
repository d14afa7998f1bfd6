//! What comes of the bytes that arrive: frames through the codec, then events one at a time, or set
//! aside while a handler is at work.

use std::time::Instant;

use bytes::BytesMut;

use super::core::Phase;
use super::input::{Input, Taken};
use super::{Connection, Incoming, due};
use crate::error::{CloseReason, refusal};
use crate::metrics;
use crate::wire::{ErrorCode, Frame, TooLong, WireError};

impl Connection {
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
        let received = self.codec.receive(wire, plain, &mut self.core.sealed);
        self.input
            .note_overhead(arrived.saturating_sub(self.input_len()));
        if let Err(error) = received {
            self.input.wire.clear();
            self.unreadable = Some(Box::new(error));
        }
    }

    /// Nothing whole is left of what arrived; whether the codec could read no more of it.
    fn is_unreadable(&mut self) -> bool {
        if let Some(error) = self.unreadable.take() {
            let word = refusal(&error);
            self.violated_as(CloseReason::Codec(*error), &word);
            return true;
        }
        false
    }

    /// Takes note that the other end will send no more. What arrived is still handled and answered;
    /// calls in flight end.
    pub fn input_ended(&mut self) {
        self.input.ended = true;
        self.pause_input();
        let reason = self.end_of_input();
        self.core.lose(&reason);
        if let Phase::Lingering { .. } = self.core.phase {
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
        self.core.now = now;
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
                        (self.core.consider(&frame, taken, &mut admit), 0)
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
                    self.received_on_link += 1;
                    match Frame::parse(&self.input.plain[content]) {
                        Ok(frame) => {
                            let taken = !self.closing && self.core.takes_events();
                            (self.core.consider(&frame, taken, &mut admit), consumed)
                        }
                        Err(error) => {
                            self.violated(error.into());
                            return None;
                        }
                    }
                }
                Err(error) => {
                    self.too_large(error);
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
    /// through `relay` at once, events are kept for later, within
    /// [`Limits::queued_events`](crate::Limits::queued_events).
    pub fn set_aside(
        &mut self,
        now: Instant,
        mut relay: impl FnMut(&Incoming<'_>) -> Result<(), WireError>,
    ) {
        self.meet(now);
        self.core.now = now;
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
                    self.too_large(error);
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
            self.received_on_link += 1;
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
                    let _ = self.core.consider(&frame, true, &mut relay);
                } else {
                    self.input.set_aside(content, transit);
                }
            } else if !(self.core.is_event(&frame) && taken) {
                self.core.consider_answer(&frame);
                if self.core.down {
                    // By what answers the greeting the session may stand, and what follows is its own.
                    self.input.consume(consumed);
                    return;
                }
            } else if full {
                self.core.refuse_busy(&frame);
            } else {
                self.input.set_aside(content, transit);
            }
            self.input.consume(consumed);
            self.core.drained(consumed);
        }
    }

    fn too_large(&mut self, error: TooLong) {
        metrics::count_by(metrics::FRAMES_TOO_LARGE, "direction", "in");
        self.violated(WireError::new(ErrorCode::TooLarge, error.to_string()));
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
