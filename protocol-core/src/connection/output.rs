//! What leaves a connection: frames, then bytes; and the buffers that an idle one gives back.

use std::mem;
use std::time::Instant;

use bytes::{Buf, BytesMut};

use super::core::Core;
use super::ids::MAX_SLOT;
use super::{CallKey, Connection, Exchange, OutgoingCall, RelayedAnswer, RelayedCall, Role, due};
use crate::error::CloseReason;
use crate::ids::ConnectionId;
use crate::wire::WireError;

impl Core {
    /// Bytes that wait to be written.
    pub(super) fn output_len(&self) -> usize {
        self.out.len() + self.sealed.len()
    }

    /// Whether frames of this end's own will may be added.
    pub(super) fn has_room_to_send(&self) -> bool {
        !self.down && self.output_len() < self.limits.outbound_to_send()
    }

    /// Frames that were sent in this session, those that wait to be written included.
    pub(super) fn sent_frames(&mut self) -> u64 {
        let rest = &self.out[self.counted.min(self.out.len())..];
        self.sent += memchr::memchr_iter(b'\n', rest).count() as u64;
        self.counted = self.out.len();
        self.sent
    }

    /// Takes frames back from the end of the output.
    pub(super) fn take_back(&mut self, len: usize) -> Vec<u8> {
        let taken = self.out.split_off(len);
        let counted = self.counted.saturating_sub(len).min(taken.len());
        self.sent -= memchr::memchr_iter(b'\n', &taken[..counted]).count() as u64;
        self.counted = self.counted.min(len);
        taken
    }

    pub(super) fn drop_output(&mut self) {
        // Nobody takes up a session from this end, as a server's clients do.
        if self.role == Role::Server {
            self.sent_frames();
        }
        self.out.clear();
        self.counted = 0;
    }
}

impl Connection {
    /// Answers an event whose handler is done. A pass gets no answer.
    pub fn answer(&mut self, exchange: &Exchange, result: Result<&[u8], &WireError>) {
        self.core.answer(exchange, result);
    }

    /// Appends a whole frame.
    pub fn send_frame(&mut self, frame: &[u8]) {
        if !self.core.muted && !self.core.down {
            self.core.out.extend_from_slice(frame);
        }
    }

    /// Appends frames of one line each. On a plain link they are bytes of the wire at once, where no
    /// other frames go before them.
    pub(crate) fn send_lines<'a>(&mut self, frames: impl Iterator<Item = &'a [u8]>) {
        let core = &mut self.core;
        if core.is_plain && core.out.is_empty() && !core.muted && !core.down {
            for frame in frames {
                core.sealed.extend_from_slice(frame);
                core.sent += 1;
            }
        } else {
            frames.for_each(|frame| self.send_frame(frame));
        }
    }

    /// Sends a request or a confirmed pass. Its waiter is told exactly once how it ended.
    pub fn send_call(&mut self, now: Instant, call: OutgoingCall) {
        self.core.send_call(now, call);
    }

    /// Expects the answer to a call that was relayed, until [`Limits::relay_timeout`].
    ///
    /// [`Limits::relay_timeout`]: crate::Limits::relay_timeout
    ///
    /// Where the same call, by its id, is open already, it stays one.
    pub fn relayed(&mut self, now: Instant, call: RelayedCall) {
        let deadline = due(now, self.core.limits.relay_timeout);
        let (via, key, is_new) = (call.via, call.key, call.is_new_to_hub);
        if !self.core.relayed.open(call, deadline) && is_new == Some(true) {
            // Its answer is on its way here already; the hub must not expect a second one.
            self.core.unanswered.push((via, key));
        }
    }

    /// Sends on the answer to a relayed call. One that nobody awaits, or that comes from another
    /// peer than the asked one, is counted and ignored; then this returns `false`.
    pub fn relay_answer(&mut self, answer: &RelayedAnswer) -> bool {
        self.core.relay_answer(answer)
    }

    /// Ends the calls that were relayed to the connection `via`, with `peer_gone`.
    pub fn peer_gone(&mut self, via: ConnectionId) {
        self.core.peer_gone(via);
    }

    /// How many relayed calls are not answered yet.
    pub fn relayed_calls(&self) -> usize {
        self.core.relayed.len()
    }

    /// The relayed calls that a hub knows and that have ended without an answer since this was last
    /// asked. Of calls that no hub knows nothing is kept.
    pub(crate) fn take_unanswered(&mut self) -> Vec<(ConnectionId, CallKey)> {
        std::mem::take(&mut self.core.unanswered)
    }

    /// Whether another call may be in flight.
    pub fn has_room_for_call(&self) -> bool {
        let session = self.core.session.as_deref();
        let (open, bytes) = session.map_or((0, 0), |session| {
            (session.sender.open(), session.sender.bytes())
        });
        let most = self.core.limits.open_calls.clamp(1, MAX_SLOT);
        self.core.pending.len() + open < most && bytes < self.core.limits.kept_bytes.max(1)
    }

    /// Whether calls of this end are in flight, so that answers must be read even while a handler
    /// works.
    pub fn has_open_calls(&self) -> bool {
        let session = self.core.session.as_deref();
        !self.core.pending.is_empty() || session.is_some_and(|session| session.sender.open() > 0)
    }

    /// Frees the places of calls whose waiter has left.
    pub fn sweep_abandoned(&mut self) {
        self.core.sweep();
    }

    /// The number of calls that were answered since this was last asked.
    pub(crate) fn take_answered(&mut self) -> usize {
        mem::take(&mut self.core.answered)
    }

    /// Bytes that wait to be written.
    pub fn output_len(&self) -> usize {
        self.core.output_len()
    }

    /// Whether so much waits to be written that nothing more is handled or read. A limit of 0 counts
    /// as 1.
    pub fn is_output_full(&self) -> bool {
        self.room() == 0
    }

    /// What the output still takes.
    pub(super) fn room(&self) -> usize {
        let due = self.output_len() + self.held_back;
        self.core.limits.outbound_bytes.max(1).saturating_sub(due)
    }

    /// Whether frames of this end's own will may be added. They get half of the output, so that they
    /// never keep it from reading and answering: two ends that both send all they can would wait for
    /// each other for ever.
    pub fn has_room_to_send(&self) -> bool {
        self.core.has_room_to_send()
    }

    /// Takes the frames back that were appended since the output had `len` bytes in frames.
    pub(crate) fn take_back(&mut self, len: usize) -> Vec<u8> {
        self.core.take_back(len)
    }

    /// Bytes of frames that the codec has not seen yet.
    pub(crate) fn frames_len(&self) -> usize {
        self.core.out.len()
    }

    /// Takes note of the bytes of answers that wait outside, behind other frames.
    pub(crate) fn set_held_back(&mut self, bytes: usize) {
        self.held_back = bytes;
    }

    /// The bytes to write next; empty where nothing is due.
    pub fn output(&mut self) -> &[u8] {
        if !self.core.out.is_empty() {
            let sealed = self.codec.send(&self.core.out, &mut self.core.sealed);
            self.core.drop_output();
            if let Err(error) = sealed {
                self.broken(CloseReason::Codec(error));
            }
        }
        &self.core.sealed
    }

    /// Takes note that the first `count` bytes of [`output`](Self::output) were written.
    pub fn written(&mut self, count: usize) {
        if count == self.core.sealed.len() {
            // The whole buffer stays in reach, which an advance would cut off.
            self.core.sealed.clear();
        } else {
            self.core.sealed.advance(count);
        }
        self.blocked_since = None;
    }

    /// Takes note that nothing could be written.
    pub fn blocked(&mut self, now: Instant) {
        self.blocked_since.get_or_insert(now);
    }

    /// Gives the input buffers to `back` that are not needed while the link is idle.
    pub fn give_back_input(&mut self, back: impl FnMut(BytesMut)) {
        self.input.give_back(back);
    }

    /// Lends an input buffer, instead of the one that [`read_buffer`](Self::read_buffer) holds.
    pub fn give_input(&mut self, buffer: BytesMut) {
        self.input.wire = buffer;
    }

    /// Whether there is no buffer to read into.
    pub fn needs_input_buffer(&self) -> bool {
        self.input.wire.capacity() == 0
    }

    /// Gives the output buffers back that are not needed while the link is idle: of frames, and of
    /// bytes of the wire. What waits to be written moves to a buffer of its own size, so that many
    /// slow peers do not hold many large ones.
    pub fn give_back_output(&mut self, frames: impl FnOnce(Vec<u8>), wire: impl FnOnce(BytesMut)) {
        let Core { out, sealed, .. } = &mut self.core;
        if out.is_empty() && out.capacity() > 0 {
            frames(mem::take(out));
        }
        if sealed.is_empty() {
            if sealed.capacity() > 0 {
                wire(mem::take(sealed));
            }
        } else if sealed.capacity() > 4 * sealed.len() {
            let begun = BytesMut::from(&sealed[..]);
            wire(mem::replace(sealed, begun));
        }
    }

    /// Lends output buffers where there are none: of frames, and of bytes of the wire.
    pub fn give_output(
        &mut self,
        frames: impl FnOnce() -> Vec<u8>,
        wire: impl FnOnce() -> BytesMut,
    ) {
        if self.core.out.capacity() == 0 {
            self.core.out = frames();
        }
        if self.core.sealed.capacity() == 0 {
            self.core.sealed = wire();
        }
    }

    /// Whether frames are the bytes of the wire, so that they need no buffer of their own.
    pub(crate) fn is_plain(&self) -> bool {
        self.core.is_plain
    }

    /// How many bytes of this end's own will may wait to be written.
    pub(crate) fn most_to_send(&self) -> usize {
        self.core.limits.outbound_to_send()
    }

    /// Frees what many relayed calls took, once none is open.
    pub(crate) fn release_idle(&mut self) {
        self.core.relayed.release_idle();
    }
}
