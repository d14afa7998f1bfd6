//! Calls of this end across links: numbered where the other end understands that, sent again until it
//! answers (`PROTOCOL.md` §12).

use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;

use super::core::Core;
use super::delivery::{Pass, Pin};
use super::incoming::ShortText;
use super::judged::{NUDGE, peer};
use super::outbox::OutgoingCall;
use super::pending::{Expects, NewCall, Outcome, Waiter, parse_id};
use super::repeat::{Refusal, Repeat, write_numbered_request};
use super::session::Session;
use crate::error::CloseReason;
use crate::ids::PeerId;
use crate::metrics;
use crate::wire::{self, ErrorCode, Frame, FrameType, RawData, WireError};

/// The buffer of a call's frame is kept for its answer, unless it is larger than this.
const SPARE_BYTES: usize = 1_024;

/// Ends the streams of a session that is over.
pub(super) fn lose_streams(session: Option<&mut Session>, reason: &CloseReason) {
    let Some(session) = session else {
        return;
    };
    let (sent, waiting) = session.sender.end_all();
    for waiter in &sent {
        waiter.complete(Outcome::Lost(reason));
    }
    for waiter in &waiting {
        waiter.complete(Outcome::NotSent(reason));
    }
    let outcomes = [("lost", sent.len()), ("not_sent", waiting.len())];
    for (outcome, many) in outcomes {
        metrics::count_all_by(metrics::CONFIRMED_PASSES, "outcome", outcome, many);
    }
}

impl Core {
    /// Sends a call of this end, whose time is not over.
    pub(super) fn open_call(&mut self, now: Instant, deadline: Instant, call: OutgoingCall) {
        let OutgoingCall {
            start,
            expects,
            from,
            waiter,
            ..
        } = call;
        if self.session.is_none() {
            self.send_plain(now, deadline, expects, from, waiter, start);
            return;
        }
        if expects == Expects::Acknowledgement {
            let pass = Pass {
                id: self.next_id(now),
                start,
                deadline,
                waiter,
            };
            self.confirm(now, from.as_ref(), pass);
            return;
        }
        let resend_after = self.limits.delivery.resend_after;
        let numbered = self.session.as_mut().and_then(|session| {
            let Pin::Life(inc) = session.sender.pin(from.as_ref()) else {
                return None;
            };
            Some((inc.clone(), session.sender.next_request()))
        });
        let Some((dest_inc, seq)) = numbered else {
            self.send_plain(now, deadline, expects, from, waiter, start);
            return;
        };
        let repeat = Repeat {
            start,
            seq,
            dest_inc,
            times: 0,
            again_at: super::due(now, resend_after),
            after: resend_after,
            pauses: 0,
            is_paused: false,
        };
        let call = NewCall {
            expects,
            from,
            deadline,
            waiter,
            spare: Vec::new(),
            repeat: Some(Box::new(repeat)),
        };
        let id = self.open_slot(now, call);
        self.repeat_one(id);
    }

    pub(super) fn send_plain(
        &mut self,
        now: Instant,
        deadline: Instant,
        expects: Expects,
        from: Option<PeerId>,
        waiter: Arc<dyn Waiter>,
        start: Vec<u8>,
    ) {
        let kind = match expects {
            Expects::Acknowledgement => FrameType::ConfirmPass,
            Expects::Response => FrameType::Request,
        };
        let mut call = NewCall {
            expects,
            from,
            deadline,
            waiter,
            spare: Vec::new(),
            repeat: None,
        };
        self.out.extend_from_slice(&start);
        if start.capacity() <= SPARE_BYTES {
            call.spare = start;
        }
        let id = self.open_slot(now, call);
        let mut text = Uuid::encode_buffer();
        let id = id.hyphenated().encode_lower(&mut text);
        wire::write_tail(&mut self.out, kind, Some(id));
    }

    fn confirm(&mut self, now: Instant, dest: Option<&PeerId>, pass: Pass<Arc<dyn Waiter>>) {
        let taken = match &mut self.session {
            Some(session) => session.sender.confirm(dest, pass),
            None => Err(pass),
        };
        match taken {
            Ok(()) => self.transmit(now),
            Err(pass) => self.confirm_plain(now, dest, pass),
        }
    }

    /// Sends a confirmed pass without a number, under an id of its own.
    fn confirm_plain(&mut self, now: Instant, dest: Option<&PeerId>, pass: Pass<Arc<dyn Waiter>>) {
        let Pass {
            start,
            deadline,
            waiter,
            ..
        } = pass;
        if self.down {
            waiter.complete(Outcome::NotSentInTime);
            return;
        }
        let expects = Expects::Acknowledgement;
        self.send_plain(now, deadline, expects, dest.cloned(), waiter, start);
    }

    /// Sends a numbered request, for the first time or again.
    fn repeat_one(&mut self, id: Uuid) {
        if self.down {
            return;
        }
        let mut text = Uuid::encode_buffer();
        let written = id.hyphenated().encode_lower(&mut text);
        let session = self.session.as_ref();
        let stamp = session.and_then(|session| session.terms.stamp.as_deref());
        if let Some(repeat) = self.pending.repeat_of(written) {
            repeat.times += 1;
            write_numbered_request(&mut self.out, stamp, id, repeat);
        }
    }

    /// Sends requests again whose answers are overdue, or all that are open.
    pub(super) fn repeat_requests(&mut self, now: Instant, all: bool) {
        let (down, muted) = (self.down, self.muted);
        let most = self.limits.outbound_bytes.saturating_sub(self.sealed.len());
        let longest = self.limits.delivery.resend_at_most;
        let session = self.session.as_ref();
        let stamp = session.and_then(|session| session.terms.stamp.as_deref());
        let out = &mut self.out;
        self.pending.repeats(now, all, longest, |id, repeat| {
            if !down && !muted && out.len() < most {
                repeat.times += 1;
                write_numbered_request(out, stamp, id, repeat);
            }
        });
    }

    /// The link is lost: calls that cannot be repeated end.
    pub(super) fn lose_unrepeatable(&mut self, reason: &CloseReason) {
        let lost = || Outcome::Lost(reason);
        self.pending.end_where(lost, |_, repeat| repeat.is_none());
    }

    /// The other end lives another life: what was asked of the earlier one has no answer.
    pub(super) fn lose_stale_requests(&mut self, far_inc: Option<&str>) {
        let text = "the other end was started anew, so nobody knows what became of the request";
        let error = WireError::new(ErrorCode::StaleDest, text);
        let unknown = || Outcome::Unknown(&error);
        let is_stale = |peer: Option<&PeerId>, repeat: Option<&Repeat>| {
            peer.is_none() && repeat.is_some_and(|repeat| Some(&*repeat.dest_inc) != far_inc)
        };
        self.pending.end_where(unknown, is_stale);
    }

    /// Tells those who were asked that nobody awaits their answers any more.
    pub(super) fn give_up(&mut self, requests: &[(Uuid, Option<PeerId>)]) {
        if self.muted || self.down {
            return;
        }
        for (id, dest) in requests {
            // It is advice, and must not pile up at an end that reads nothing.
            if self.output_len() >= self.limits.outbound_bytes {
                return;
            }
            wire::write_cancel_request(&mut self.out, dest.as_deref(), *id);
        }
    }

    /// Frees the places of calls that nobody awaits any more.
    pub(super) fn sweep(&mut self) {
        let mut given_up = Vec::new();
        self.pending
            .sweep(|id, from| given_up.push((id, from.cloned())));
        self.give_up(&given_up);
        if let Some(session) = &mut self.session {
            session.sender.sweep(|waiter| waiter.is_abandoned());
        }
    }

    /// A peer no longer awaits an answer.
    pub(super) fn cancel(&mut self, data: RawData<'_>, from: Option<&str>) {
        if let Some(id) = wire::cancelled_request(data) {
            // More than can be at work are none of this end's.
            if self.cancelled.len() < self.limits.concurrent_handlers.max(1) {
                self.cancelled.push((peer(from), ShortText::new(&id)));
            }
        }
    }

    /// Sends what waits for all such peers.
    pub(super) fn send_all_unnumbered(&mut self, now: Instant) {
        let absent = self.with_sender(|sender, _| sender.absent());
        for dest in absent.unwrap_or_default() {
            self.send_unnumbered(now, dest.as_ref());
        }
    }

    /// Sends what waited for a peer that turned out to understand no numbers.
    fn send_unnumbered(&mut self, now: Instant, dest: Option<&PeerId>) {
        if self.down {
            return;
        }
        let passes = self.with_sender(|sender, _| sender.take_unnumbered(dest));
        for pass in passes.unwrap_or_default() {
            self.confirm_plain(now, dest, pass);
        }
    }

    pub(super) fn acknowledged(
        &mut self,
        frame: &Frame<'_>,
        id: &str,
        error: Option<RawData<'_>>,
        from: Option<&str>,
    ) {
        let delivery = &frame.delivery;
        let now = self.now;
        let parsed = error.map(WireError::parse);
        let dest = peer(from);
        if let Some(inc) = delivery.from_inc.as_deref() {
            self.learn(dest.as_ref(), inc);
        }
        if let (Some(inc), Some(session)) = (delivery.dest_inc.as_deref(), &self.session)
            && inc != &*session.terms.inc
        {
            // It is for an earlier life of this end's name.
            self.ignore_answer();
            return;
        }
        let settled = match (delivery.ack, parsed) {
            (Some(ack), error) => self.with_sender(|sender, end| {
                let dest = dest.as_ref();
                sender.acknowledged(now, dest, ack, delivery.since, error, end)
            }),
            (None, Some(_)) if id == NUDGE => {
                self.with_sender(|sender, _| sender.nudged(now, dest.as_ref()))
            }
            (None, Some(error)) => parse_id(id).and_then(|id| {
                let refused = |sender: &mut super::delivery::Sender<_>,
                               end: &mut dyn FnMut(_, _)| {
                    sender.refused(now, dest.as_ref(), id, &error, end)
                };
                let of = self.with_sender(refused).flatten()?;
                self.send_unnumbered(now, of.as_ref());
                Some(true)
            }),
            (None, None) => None,
        };
        if settled == Some(true) {
            self.transmit(now);
            return;
        }
        let outcome = error.map_or(Outcome::Done(RawData::NULL), Outcome::Refused);
        self.complete(id, Expects::Acknowledgement, from, outcome);
    }

    pub(super) fn responded(
        &mut self,
        frame: &Frame<'_>,
        id: &str,
        result: Result<RawData<'_>, RawData<'_>>,
        from: Option<&str>,
    ) {
        if let (Some(inc), Some(from)) = (frame.delivery.from_inc.as_deref(), peer(from)) {
            self.learn(Some(&from), inc);
        }
        let refusal = match result {
            Ok(data) => {
                self.complete(id, Expects::Response, from, Outcome::Done(data));
                return;
            }
            Err(refusal) => refusal,
        };
        if let Some((repeat, asked)) = self.pending.repeat(id, from) {
            let error = WireError::parse(refusal);
            match repeat.judge(&error) {
                Refusal::Final => {}
                Refusal::Unknown => {
                    let outcome = Outcome::Unknown(&error);
                    self.complete(id, Expects::Response, from, outcome);
                    return;
                }
                Refusal::Later => {
                    let asked = asked.cloned();
                    self.ask_again(id, from, asked.as_ref(), &error);
                    return;
                }
            }
        }
        self.complete(id, Expects::Response, from, Outcome::Refused(refusal));
    }

    /// A request was refused that is worth sending again: now, to the life that its peer is in, or
    /// later.
    fn ask_again(
        &mut self,
        id: &str,
        from: Option<&str>,
        asked: Option<&PeerId>,
        error: &WireError,
    ) {
        let now = self.now;
        let Some(named) = error.named_inc() else {
            let longest = self.limits.delivery.resend_after;
            self.pending.postpone(now, id, longest);
            return;
        };
        self.with_sender(|sender, end| sender.learn(asked, named.as_deref(), end));
        self.send_unnumbered(now, asked);
        match (named, self.pending.repeat(id, from)) {
            (Some(inc), Some((repeat, _))) => {
                repeat.dest_inc = inc.into();
                if let Some(id) = parse_id(id) {
                    self.repeat_one(id);
                }
            }
            _ => self.complete(id, Expects::Response, from, Outcome::Rejected(error)),
        }
    }

    fn complete(&mut self, id: &str, expects: Expects, from: Option<&str>, outcome: Outcome<'_>) {
        let refusal = matches!(
            outcome,
            Outcome::Refused(_) | Outcome::Rejected(_) | Outcome::Unknown(_)
        );
        if let Some((waiter, spare)) = self.pending.take(id, expects, from, refusal) {
            waiter.answer(outcome, spare);
            self.answered += 1;
        } else {
            self.ignore_answer();
        }
    }
}
