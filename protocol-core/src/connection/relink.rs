//! How a session loses its link and goes on with another (`PROTOCOL.md` §12.3).

use std::time::Instant;

use bytes::BytesMut;

use super::Connection;
use super::session::SessionTerms;
use crate::codec::Codec;
use crate::error::CloseReason;
use crate::wire::Frame;

/// A codec that is open, and the bytes beside it, on their way from one connection to another.
pub struct Transplant {
    /// What turns the link's frames into bytes and back.
    pub codec: Box<dyn Codec>,
    /// To be written before all else.
    pub sealed: BytesMut,
    /// Read from the wire, and not through the codec yet.
    pub wire: BytesMut,
    /// Through the codec, and not handled yet.
    pub plain: BytesMut,
    /// Frames that were sent on the link so far.
    pub sent: u64,
}

impl std::fmt::Debug for Transplant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transplant")
            .field("unwritten", &self.sealed.len())
            .field("unread", &(self.wire.len() + self.plain.len()))
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// Takes note that the link is lost and the session goes on: nothing is written or read before
    /// [`relink`](Self::relink). Whole frames that arrived are still handled. Calls that cannot be
    /// repeated end.
    pub fn suspend(&mut self, reason: &CloseReason) {
        if self.core.down {
            // Of a link on which the session did not stand again nothing is of the session.
            self.received_on_link = 0;
            self.input.forget_since(self.aside_before_link);
        } else {
            self.keep_whole_lines();
        }
        self.core.down = true;
        self.linked = false;
        self.unreadable = None;
        self.core.link_refused = None;
        self.input.cut_off();
        self.core.sealed.clear();
        self.core.drop_output();
        self.blocked_since = None;
        self.heard_at = None;
        self.core.lose_unrepeatable(reason);
    }

    /// Sets aside what has arrived and is not handled yet, so that it counts as received.
    ///
    /// What is between the two ends themselves is heard at once. As many lines are taken as wait for a
    /// handler at most.
    pub(crate) fn keep_whole_lines(&mut self) {
        if self.core.session.is_none() || self.core.down {
            return;
        }
        let limits = &self.core.limits;
        let (most, most_bytes) = (limits.queued_events, limits.queued_bytes);
        while self.input.aside.len() < most
            && self.input.aside_bytes < most_bytes
            && let Ok(Some((content, consumed))) = self.input.take_line(self.frame_limit())
        {
            self.pace
                .charge(self.core.now, usize::from(!content.is_empty()), consumed);
            if !content.is_empty() {
                let Ok(frame) = Frame::parse(&self.input.plain[content.clone()]) else {
                    break;
                };
                self.received_on_link += 1;
                let transit = self.core.is_transit(&frame);
                if self.core.is_event(&frame) || transit {
                    self.input.set_aside(content, transit);
                } else {
                    self.core.consider_answer(&frame);
                }
            }
            self.input.consume(consumed);
        }
        // What found no room was not received.
        self.input.plain.clear();
        self.input.cut_off();
    }

    /// Whether the link is lost and the session goes on.
    pub fn is_down(&self) -> bool {
        self.core.down
    }

    /// Goes on with another link, whose codec is open. Nothing is sent on it before
    /// [`resumed`](Self::resumed) or [`greeted`](Self::greeted) but what greets.
    pub fn relink(&mut self, now: Instant, link: Transplant) {
        self.linked = true;
        self.finished = false;
        self.core.is_plain = link.codec.is_plain();
        self.codec = link.codec;
        self.core.sealed = link.sealed;
        self.received_before += self.received_on_link;
        self.received_on_link = 0;
        self.aside_before_link = self.input.aside.len();
        self.core.drop_output();
        self.core.link_refused = None;
        self.heard_at = Some(now);
        self.input.plain.extend_from_slice(&link.plain);
        self.input.wire = link.wire;
        self.received();
    }

    /// At a client: the session goes on under `terms`, as the one that it was if it `is_resumed`.
    pub fn greeted(&mut self, now: Instant, terms: SessionTerms, is_resumed: bool) {
        if !is_resumed {
            self.received_before = 0;
            self.core.session_over = false;
            // What is of the session before would be news of what is no more; what is numbered comes
            // again.
            self.input.forget_first(self.aside_before_link);
            self.core.with_sender(|sender, _| sender.scattered(now));
        }
        self.core.down = false;
        self.begin_session(now, terms, None);
        self.send_again(now);
        self.core.nudge(now);
    }

    /// At a server: the client is back on a link on which `sent` frames were sent before, and has
    /// `received` frames of the session.
    pub fn resumed(&mut self, now: Instant, received: u64, sent: u64) {
        self.core.down = false;
        self.core.sent = received.saturating_add(sent);
        self.core.counted = self.core.out.len();
        self.note_received(received);
        let held = self.core.session.as_mut().map(|session| {
            session.held.bytes = 0;
            std::mem::take(&mut session.held.frames)
        });
        for (_, frame) in held.into_iter().flatten() {
            self.send_held(&frame);
        }
        self.send_again(now);
    }

    fn send_again(&mut self, now: Instant) {
        self.core.with_sender(|sender, _| sender.send_again(now));
        self.core.send_all_unnumbered(now);
        self.core.repeat_requests(now, true);
        self.core.transmit(now);
    }

    /// Hands the link over to another connection: its codec and all bytes of it. `empty` is the codec
    /// that this one is left with.
    pub fn transplant(&mut self, empty: Box<dyn Codec>) -> Transplant {
        let _ = self.output();
        let sent = self.core.sent_frames();
        let plain = self.input.take_all();
        self.core.is_plain = empty.is_plain();
        Transplant {
            codec: std::mem::replace(&mut self.codec, empty),
            sealed: std::mem::take(&mut self.core.sealed),
            wire: std::mem::take(&mut self.input.wire),
            plain,
            sent,
        }
    }
}
