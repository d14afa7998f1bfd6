//! What outlives a link: the streams of a session, and what the other end has of it.

use std::sync::Arc;
use std::time::Instant;

use super::core::Phase;
use super::delivery::{Ended, Receiver, Sender};
use super::held::Held;
use super::incoming::ShortText;
use super::pending::{Outcome, Waiter};
use super::{Connection, Core, Limits, OutgoingCall};
use crate::error::CloseReason;
use crate::ids::PeerId;
use crate::metrics;
use crate::wire::{self, RawData};

/// Which lives of which programs a session is between (`PROTOCOL.md` §12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionTerms {
    /// The life of this end: what frames that are numbered must name as theirs.
    pub inc: Box<str>,
    /// The life of the other end; none where it has declared none, so that it understands no numbers.
    pub far_inc: Option<Box<str>>,
    /// What this end's numbered frames say they are from; none where the other end knows that.
    pub stamp: Option<Box<str>>,
}

pub(super) struct Session {
    pub(super) terms: Arc<SessionTerms>,
    pub(super) sender: Sender<Arc<dyn Waiter>>,
    pub(super) receiver: Receiver,
    pub(super) held: Held,
}

/// What an end remembers of events that it has processed, kept where its session ends before the
/// sender's.
#[derive(Debug)]
pub struct Memory {
    receiver: Receiver,
}

impl Session {
    pub(super) fn new(terms: Arc<SessionTerms>, limits: &Arc<Limits>) -> Self {
        Self {
            terms,
            sender: Sender::new(Arc::clone(limits)),
            receiver: Receiver::new(Arc::clone(limits)),
            held: Held::new(&limits.delivery),
        }
    }
}

/// How an operator tells the ends of confirmed passes apart; none where it was confirmed.
fn outcome(ended: &Ended) -> Option<&'static str> {
    match ended {
        Ended::Confirmed => None,
        Ended::Refused(_) => Some("refused"),
        Ended::TimedOut => Some("timed_out"),
        Ended::NotSentInTime => Some("not_sent"),
        Ended::Unknown(_) => Some("unknown"),
    }
}

/// Tells a waiter how its confirmed pass ended.
fn complete(waiter: &Arc<dyn Waiter>, ended: &Ended) {
    waiter.complete(match ended {
        Ended::Confirmed => Outcome::Done(RawData::NULL),
        Ended::Refused(error) => Outcome::Rejected(error),
        Ended::TimedOut => Outcome::TimedOut,
        Ended::NotSentInTime => Outcome::NotSentInTime,
        Ended::Unknown(error) => Outcome::Unknown(error),
    });
}

impl Core {
    /// Begins the session, or goes on with it under new terms.
    pub(super) fn begin(&mut self, now: Instant, terms: Arc<SessionTerms>) {
        let far_inc = terms.far_inc.clone();
        match &mut self.session {
            Some(session) => session.terms = terms,
            None => self.session = Some(Box::new(Session::new(terms, &self.limits))),
        }
        self.with_sender(|sender, end| {
            sender.learn(None, far_inc.as_deref(), end);
        });
        self.lose_stale_requests(far_inc.as_deref());
        self.transmit(now);
    }

    /// Sends what the session's streams have to send, as far as there is room.
    pub(super) fn transmit(&mut self, now: Instant) {
        if self.muted || !self.has_room_to_send() {
            return;
        }
        let most = self.limits.outbound_to_send() - self.sealed.len();
        let out = &mut self.out;
        if let Some(session) = &mut self.session
            && session.sender.is_ready()
        {
            let stamp = session.terms.stamp.as_deref();
            session.sender.transmit(now, |sent| {
                super::repeat::write_numbered_pass(out, stamp, &sent);
                out.len() < most
            });
        }
    }

    /// What came of a change of streams: waiters are told.
    pub(super) fn with_sender<T>(
        &mut self,
        change: impl FnOnce(&mut Sender<Arc<dyn Waiter>>, &mut dyn FnMut(Arc<dyn Waiter>, Ended)) -> T,
    ) -> Option<T> {
        let answered = &mut self.answered;
        let session = self.session.as_mut()?;
        // One acknowledgement speaks for many of these.
        let mut confirmed = 0;
        let result = change(&mut session.sender, &mut |waiter, ended| {
            match outcome(&ended) {
                None => confirmed += 1,
                Some(other) => metrics::count_by(metrics::CONFIRMED_PASSES, "outcome", other),
            }
            *answered += 1;
            complete(&waiter, &ended);
        });
        metrics::count_all_by(metrics::CONFIRMED_PASSES, "outcome", "confirmed", confirmed);
        Some(result)
    }

    /// The life that the other end's answer names is the one that its peer is in.
    pub(super) fn learn(&mut self, from: Option<&PeerId>, inc: &str) {
        self.with_sender(|sender, end| {
            if from.is_some() && sender.is_asking(from) {
                sender.learn(from, Some(inc), end);
            }
        });
    }
}

impl Connection {
    /// Begins the session, or goes on with it under new terms; `memory` is what an earlier session
    /// with the same life of the other end has left. What the other end gets from now on is numbered
    /// where it understands numbers.
    pub fn begin_session(
        &mut self,
        now: Instant,
        terms: impl Into<Arc<SessionTerms>>,
        memory: Option<Memory>,
    ) {
        self.core.begin(now, terms.into());
        if let (Some(memory), Some(session)) = (memory, &mut self.core.session) {
            session.receiver = memory.receiver;
        }
    }

    /// Whether a session has begun.
    pub fn has_session(&self) -> bool {
        self.core.session.is_some()
    }

    /// Takes what is remembered of processed events, once the connection is over: nothing that is
    /// numbered is run here any more.
    pub fn take_memory(&mut self) -> Option<Memory> {
        self.core.forgotten = true;
        let session = self.core.session.as_mut()?;
        session.receiver.give_up_running();
        session.receiver.shrink();
        let empty = Receiver::new(Arc::clone(&self.core.limits));
        let receiver = std::mem::replace(&mut session.receiver, empty);
        (receiver.streams() > 0).then_some(Memory { receiver })
    }

    /// Frames that have arrived in this session, the ones of earlier links included.
    pub fn received_frames(&self) -> u64 {
        self.received_before + self.received_on_link
    }

    /// Takes note that the other end has so many of the session's frames.
    pub fn note_received(&mut self, received: u64) {
        if let Some(session) = &mut self.core.session {
            session.held.received(received);
        }
    }

    /// The session can be taken up again only by one who has so many frames.
    pub fn resumable_from(&self) -> u64 {
        self.core
            .session
            .as_ref()
            .map_or(0, |session| session.held.gap)
    }

    /// Appends a frame that the other end must not miss: it is kept until the other end has it.
    pub fn send_held(&mut self, frame: &Arc<[u8]>) {
        self.send_frame(frame);
        let number = self.core.sent_frames();
        if let Some(session) = &mut self.core.session {
            session.held.push(number, frame.clone());
        }
    }

    /// Sends a call that goes before all others and is not repeated.
    pub(crate) fn send_aside(&mut self, now: Instant, call: OutgoingCall) {
        let deadline = call
            .deadline
            .unwrap_or_else(|| super::due(now, call.timeout));
        let OutgoingCall {
            start,
            expects,
            from,
            waiter,
            ..
        } = call;
        self.core
            .send_plain(now, deadline, expects, from, waiter, start);
    }

    /// Says that a plain link is one, before all else.
    pub(crate) fn open_plain(&mut self) {
        self.core.out.push(b'\n');
    }

    /// Whether the session may go on without this link.
    pub fn may_suspend(&self) -> bool {
        let core = &self.core;
        core.phase == Phase::Open && core.session.is_some() && !core.muted && !core.session_over
    }

    /// Says that the session ends with this link.
    pub(crate) fn end_session(&mut self) {
        let core = &mut self.core;
        if core.session.is_some() && !core.session_over && !core.muted && !core.down {
            core.session_over = true;
            wire::write_session_over(&mut core.out);
        }
    }

    /// Whether streams have something to send that found no room in the output.
    pub fn has_streams_waiting(&self) -> bool {
        let session = self.core.session.as_deref();
        !self.core.down && session.is_some_and(|session| session.sender.is_ready())
    }

    /// Sends what streams have to send, as far as there is room.
    pub fn transmit(&mut self, now: Instant) {
        self.core.transmit(now);
    }

    /// What the end of the stream means.
    pub(crate) fn end_of_input(&self) -> CloseReason {
        if self.codec.may_end() {
            CloseReason::PeerClosed
        } else {
            CloseReason::CutOff
        }
    }

    /// Why the codec reads no more, or the other end gave the link up and not the session.
    pub(crate) fn codec_failure(&mut self) -> Option<CloseReason> {
        let refused = self.core.link_refused.take();
        let refused = refused.map(|word| CloseReason::RefusedByPeer(*word));
        refused.or_else(|| Some(CloseReason::Codec(self.unreadable.as_deref()?.clone())))
    }

    /// The requests that callers have given up since this was last asked: of which peer, by which id.
    pub(crate) fn take_cancelled(&mut self) -> Vec<(Option<PeerId>, ShortText)> {
        std::mem::take(&mut self.core.cancelled)
    }
}
