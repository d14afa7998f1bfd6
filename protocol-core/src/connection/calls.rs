//! Calls across links: those of this end, numbered where the other end understands that, and those of
//! others, of which each runs once (`PROTOCOL.md` §12).

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::Role;
use super::core::{Core, Notice};
use super::delivery::{Asked, Origin, Pass, Pin, Processed, Recent, Seen, Verdict};
use super::incoming::{Exchange, Incoming, Mode, ShortText, Track};
use super::outbox::OutgoingCall;
use super::pending::{
    Expects, NewCall, Outcome, Refusal, Repeat, Waiter, parse_id, write_numbered_request,
};
use super::session::{Session, SessionTerms};
use crate::error::CloseReason;
use crate::ids::PeerId;
use crate::metrics;
use crate::wire::{self, Delivery, ErrorCode, Frame, FrameType, RawData, WireError};

/// What stands in the place of an id where a receiver that is back says which event is next.
const NUDGE: &str = "resumed";

/// Streams in which nothing came for so long need no such word.
const LIVE: Duration = Duration::from_mins(1);

/// The most streams that get one.
const MOST_NUDGES: usize = 64;

/// What is to be done with an event for this end.
pub(super) enum Judged {
    /// It is handled, as its place in a stream if it has one.
    Run(Option<Track>),
    /// It was answered, or will be.
    Over,
}

/// Ends the streams of a session that is over; returns how many calls ended with that.
pub(super) fn lose_streams(session: Option<&mut Session>, reason: &CloseReason) -> usize {
    let Some(session) = session else {
        return 0;
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
    sent.len() + waiting.len()
}

fn peer(from: Option<&str>) -> Option<PeerId> {
    from.and_then(|from| PeerId::new(from).ok())
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
            self.send_plain(now, deadline, expects, from, waiter, &start);
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
            self.send_plain(now, deadline, expects, from, waiter, &start);
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
        start: &[u8],
    ) {
        let kind = match expects {
            Expects::Acknowledgement => FrameType::ConfirmPass,
            Expects::Response => FrameType::Request,
        };
        let call = NewCall {
            expects,
            from,
            deadline,
            waiter,
            repeat: None,
        };
        let id = self.open_slot(now, call);
        let mut text = Uuid::encode_buffer();
        self.out.extend_from_slice(start);
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
        self.send_plain(now, deadline, expects, dest.cloned(), waiter, &start);
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
        let most = self.limits.outbound_bytes;
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
        self.completed += self.pending.end_where(lost, |_, repeat| repeat.is_none());
    }

    /// The other end lives another life: what was asked of the earlier one has no answer.
    pub(super) fn lose_stale_requests(&mut self, far_inc: Option<&str>) {
        let text = "the other end was started anew, so nobody knows what became of the request";
        let error = WireError::new(ErrorCode::StaleDest, text);
        let unknown = || Outcome::Unknown(&error);
        let is_stale = |peer: Option<&PeerId>, repeat: Option<&Repeat>| {
            peer.is_none() && repeat.is_some_and(|repeat| Some(&*repeat.dest_inc) != far_inc)
        };
        self.completed += self.pending.end_where(unknown, is_stale);
    }

    /// Tells those who were asked that nobody awaits their answers any more.
    pub(super) fn give_up(&mut self, requests: &[(Uuid, Option<PeerId>)]) {
        if self.muted || self.down {
            return;
        }
        for (id, dest) in requests {
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

    /// Sends what waited for a peer that turned out to understand no numbers.
    fn send_unnumbered(&mut self, now: Instant, dest: Option<&PeerId>) {
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
        if let Some(waiter) = self.pending.take(id, expects, from, refusal) {
            waiter.complete(outcome);
            self.completed += 1;
        } else {
            self.ignore_answer();
        }
    }

    /// Judges an event for this end: whether it is its turn, or was handled before.
    pub(super) fn judge(&mut self, incoming: &Incoming<'_>) -> Judged {
        let now = self.now;
        if !matches!(incoming.mode, Mode::ConfirmPass | Mode::Request) {
            return Judged::Run(None);
        }
        if self.forgotten {
            // Somebody else remembers what was processed, so nothing can be judged here any more.
            return Judged::Over;
        }
        self.begin_early(incoming);
        let track = match self.track(incoming) {
            Ok(track) => track,
            Err(error) => {
                self.refuse(incoming, &error);
                return Judged::Over;
            }
        };
        let Some(track) = track else {
            return self.judge_unnumbered(incoming);
        };
        let Some(session) = &mut self.session else {
            return Judged::Run(None);
        };
        let receiver = &mut session.receiver;
        if incoming.mode == Mode::ConfirmPass {
            let base = incoming.frame.delivery.base;
            match receiver.judge(now, &track.origin, track.seq, base) {
                Verdict::Run => return Judged::Run(Some(track)),
                Verdict::Running => self.note_repetition(),
                Verdict::Again(processed) => {
                    self.note_repetition();
                    self.acknowledge(incoming.from, incoming.id, &track, &processed);
                }
                Verdict::Refused(error) => self.refuse(incoming, &error),
            }
            return Judged::Over;
        }
        let mut body = DefaultHasher::new();
        (incoming.name, incoming.data.as_str()).hash(&mut body);
        match receiver.asked(now, &track.origin, incoming.id, track.seq, body.finish()) {
            Asked::Run => return Judged::Run(Some(track)),
            Asked::Running => self.note_repetition(),
            Asked::Again(frame) => {
                self.note_repetition();
                if !self.muted && !self.down {
                    metrics::count(metrics::ANSWERS_REPEATED);
                    self.out.extend_from_slice(&frame);
                }
            }
            Asked::Refused(error) => {
                let code = error.standard().map_or("other", ErrorCode::as_str);
                metrics::count_by(metrics::REQUESTS_REFUSED, "code", code);
                self.refuse(incoming, &error);
            }
        }
        Judged::Over
    }

    /// Begins the session of a client that gets a numbered event before its user has seen that the
    /// login was answered: if the event were handled as one without a number, its repetition would be
    /// handled again.
    fn begin_early(&mut self, incoming: &Incoming<'_>) {
        let delivery = &incoming.frame.delivery;
        let is_numbered = delivery.seq.is_some() && delivery.from_inc.is_some();
        let (Role::Client, None, true) = (self.role, &self.session, is_numbered) else {
            return;
        };
        // Only whoever logged in with this life is sent what is for it.
        if let Some(inc) = delivery.dest_inc.as_deref() {
            let terms = SessionTerms {
                inc: inc.into(),
                far_inc: None,
                stamp: None,
            };
            self.begin(self.now, terms);
        }
    }

    /// An event's place in its stream, if it is numbered for this session.
    fn track(&self, incoming: &Incoming<'_>) -> Result<Option<Track>, WireError> {
        let delivery = &incoming.frame.delivery;
        let Some(seq) = delivery.seq else {
            return Ok(None);
        };
        let Some(session) = &self.session else {
            // A client's session begins with its login's answer; what comes right behind that must not
            // run as something else than it is.
            return match self.role {
                Role::Client => {
                    let text = "the session has not begun here: send again later";
                    Err(WireError::new(ErrorCode::Busy, text))
                }
                Role::Server => Ok(None),
            };
        };
        let terms = &session.terms;
        // A client is told the sender's life by its server, a server knows its client's.
        let inc = match self.role {
            Role::Client => delivery.from_inc.as_deref(),
            Role::Server => terms.far_inc.as_deref(),
        };
        let Some(inc) = inc else {
            return Ok(None);
        };
        if delivery.dest_inc.as_deref() != Some(&*terms.inc) {
            return Err(WireError::stale_dest(Some(&terms.inc)));
        }
        let from = match incoming.from {
            None => None,
            Some(from) => match PeerId::new(from) {
                Ok(from) => Some(from),
                Err(_) => return Ok(None),
            },
        };
        let origin = Origin {
            from,
            inc: inc.into(),
        };
        Ok(Some(Track { origin, seq }))
    }

    fn judge_unnumbered(&mut self, incoming: &Incoming<'_>) -> Judged {
        if incoming.mode != Mode::ConfirmPass {
            return Judged::Run(None);
        }
        let limits = self.limits.delivery;
        let recent = self
            .recent
            .get_or_insert_with(|| Box::new(Recent::new(&limits)));
        let (from, id) = (peer(incoming.from), ShortText::new(incoming.id));
        match recent.judge(self.now, from.as_ref(), id) {
            Seen::New => Judged::Run(None),
            Seen::Running => {
                self.note_repetition();
                Judged::Over
            }
            Seen::Ended(result) => {
                self.note_repetition();
                if !self.muted && !self.down && self.room > 0 {
                    self.write_acknowledgement(
                        incoming.from,
                        incoming.id,
                        &Delivery::default(),
                        result.as_ref().err(),
                    );
                }
                Judged::Over
            }
        }
    }

    /// Refuses an event that was to be handled: that it cannot be is how it ended, unless it may be
    /// handled later.
    pub(super) fn refuse_judged(&mut self, incoming: &Incoming<'_>, error: &WireError) {
        let is_for_later = error.standard().is_some_and(ErrorCode::is_retryable);
        let now = self.now;
        let Some(track) = incoming.track else {
            if incoming.mode == Mode::ConfirmPass
                && let Some(recent) = &mut self.recent
            {
                let (from, id) = (peer(incoming.from), ShortText::new(incoming.id));
                if is_for_later {
                    recent.put_back(from.as_ref(), id);
                } else {
                    recent.ended(from.as_ref(), id, Err(error));
                }
            }
            self.refuse(incoming, error);
            return;
        };
        let Some(session) = &mut self.session else {
            return;
        };
        let receiver = &mut session.receiver;
        if incoming.mode == Mode::ConfirmPass {
            if is_for_later {
                receiver.put_back(&track.origin, track.seq);
                self.refuse(incoming, error);
            } else {
                let processed = receiver.processed(now, &track.origin, track.seq, Err(error));
                self.acknowledge(incoming.from, incoming.id, track, &processed);
            }
            return;
        }
        let start = self.out.len();
        if is_for_later {
            receiver.unasked(&track.origin, incoming.id, track.seq);
            self.refuse(incoming, error);
        } else {
            self.refuse(incoming, error);
            self.keep_answer(track, incoming.id, start);
        }
    }

    /// Keeps the answer to a request that was just written, for its repetition.
    pub(super) fn keep_answer(&mut self, track: &Track, id: &str, start: usize) {
        let now = self.now;
        if let Some(session) = &mut self.session {
            let frame = &self.out[start..];
            let receiver = &mut session.receiver;
            receiver.answered(now, &track.origin, id, frame);
        }
        if self.down {
            self.out.truncate(start);
        }
    }

    /// Acknowledges a numbered pass whose handler has run to its end.
    pub(super) fn processed(&mut self, exchange: &Exchange, result: Result<(), &WireError>) {
        let now = self.now;
        let dest = exchange.dest.as_deref();
        let Some(track) = &exchange.track else {
            if let Some(recent) = &mut self.recent {
                recent.ended(exchange.dest.as_ref(), exchange.id, result);
            }
            if !self.muted && !self.down {
                let (id, none) = (exchange.id.as_str(), Delivery::default());
                self.write_acknowledgement(dest, id, &none, result.err());
            }
            return;
        };
        if let Some(session) = &mut self.session {
            let (origin, seq) = (&track.origin, track.seq);
            let processed = session.receiver.processed(now, origin, seq, result);
            self.acknowledge(dest, exchange.id.as_str(), track, &processed);
        }
    }

    /// Tells those who have sent to this end which event is next, since what was on its way when the
    /// link was lost is lost.
    pub(super) fn nudge(&mut self, now: Instant) {
        let Some(session) = &self.session else {
            return;
        };
        let since = now.checked_sub(LIVE).unwrap_or(now);
        let live = session.receiver.live(since).take(MOST_NUDGES);
        for (origin, next) in live {
            let Some(dest) = &origin.from else {
                continue;
            };
            let delivery = Delivery {
                seq: Some(next),
                dest_inc: Some((&*origin.inc).into()),
                ..Delivery::default()
            };
            let (error, dest) = (WireError::expect(next), Some(dest.as_str()));
            wire::write_acknowledgement(&mut self.out, dest, NUDGE, &delivery, Some(&error));
        }
    }

    fn acknowledge(&mut self, dest: Option<&str>, id: &str, track: &Track, processed: &Processed) {
        if self.muted || self.down {
            return;
        }
        let delivery = Delivery {
            ack: Some(processed.ack),
            since: processed.since,
            dest_inc: dest.map(|_| (&*track.origin.inc).into()),
            ..Delivery::default()
        };
        self.write_acknowledgement(dest, id, &delivery, processed.error.as_ref());
    }

    fn note_repetition(&mut self) {
        self.counters.repetitions += 1;
        metrics::count(metrics::REPETITIONS);
    }

    pub(super) fn note_pass_refused(&mut self, name: &str, error: &WireError) {
        self.counters.refused_passes += 1;
        metrics::count(metrics::PASSES_REFUSED);
        self.notice(&Notice::PassRefused { name, error });
    }
}
