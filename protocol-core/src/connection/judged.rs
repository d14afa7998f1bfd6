//! Events of others for this end, of which each runs once (`PROTOCOL.md` §12): whether it is an event's
//! turn, and what its sender hears of how it ended.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use super::Role;
use super::core::{Core, Notice};
use super::delivery::{Asked, Origin, Processed, Recent, Seen, Verdict};
use super::incoming::{Exchange, Incoming, Mode, ShortText, Track};
use super::session::SessionTerms;
use crate::ids::PeerId;
use crate::metrics;
use crate::wire::{self, Delivery, ErrorCode, WireError};

/// What stands in the place of an id where a receiver that is back says which event is next.
pub(super) const NUDGE: &str = "resumed";

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

pub(super) fn peer(from: Option<&str>) -> Option<PeerId> {
    from.and_then(|from| PeerId::new(from).ok())
}

impl Core {
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
            self.begin(self.now, terms.into());
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
