//! What a connection decides: calls, answers, refusals and the way to the end.
//!
//! Knows frames, not the bytes they came in; apart from `Input` so that a frame can be borrowed
//! from there while this changes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;

use super::Role;
use super::delivery::Recent;
use super::ids::IdSource;
use super::incoming::{Incoming, Mode, ShortText};
use super::judged::Judged;
use super::limits::{Limits, due};
use super::outbox::OutgoingCall;
use super::pending::{NewCall, Outcome, Pending};
use super::relayed::{CallKey, Relayed};
use super::session::Session;
use crate::error::CloseReason;
use crate::ids::{ConnectionId, PeerId};
use crate::metrics;
use crate::wire::{self, Body, ErrorCode, Frame, RawData, WireError};

/// What was dropped without an answer, since none was due (`PROTOCOL.md` §5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Passes that were not handled: unknown, not fitting, refused by a gate or by fullness.
    pub refused_passes: u64,
    /// Frames of a `type` that this version does not know.
    pub unknown_types: u64,
    /// Answers that nobody awaited: late, repeated or forged.
    pub ignored_answers: u64,
    /// Events refused with `busy`.
    pub busy: u64,
    /// Confirmed passes and requests that came again and were not run again.
    pub repetitions: u64,
}

/// Something that was dropped without an answer, told to an [`Observer`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// A pass was not handled.
    PassRefused {
        /// Its wire name, as the peer wrote it.
        name: &'a str,
        /// Why; the answer that a confirmed pass would have got.
        error: &'a WireError,
    },
    /// A frame's `type` is of a later version.
    TypeUnknown,
    /// An answer came that nobody awaits.
    AnswerIgnored,
    /// A handler panicked. Its event got `internal`.
    HandlerPanicked {
        /// The event's wire name.
        name: &'a str,
    },
    /// A handler took longer than [`Limits::handler_timeout`]. Its event got `internal`.
    HandlerTooSlow {
        /// The event's wire name.
        name: &'a str,
    },
}

/// Is told of what is dropped without an answer; must be quick, it runs between two events.
pub type Observer = Arc<dyn Fn(&Notice<'_>) + Send + Sync>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// What has arrived is handled and answered; later events are refused.
    Draining {
        /// Bytes that had arrived before the drain and are not consumed yet.
        arrived: usize,
        /// Whether everything that was in the socket has been read.
        read: bool,
    },
    /// What is due is written, nothing more is handled.
    Finishing,
    /// The sending half is shut; what arrives is discarded, answers excepted.
    Lingering {
        until: Instant,
    },
    Closed,
}

#[repr(C)]
pub(super) struct Core {
    /// What the codec made of frames, to be written.
    pub(super) sealed: BytesMut,
    /// Frames that the codec has not seen.
    pub(super) out: Vec<u8>,
    pub(super) limits: Arc<Limits>,
    /// Frames that were sent, up to `counted` in `out`.
    pub(super) sent: u64,
    pub(super) counted: usize,
    /// Whether the codec is a plain one.
    pub(super) is_plain: bool,
    /// The last word is said: nothing more is appended to `out`.
    pub(super) muted: bool,
    /// The link broke: nothing can be written.
    pub(super) broken: bool,
    /// The link is lost and the session goes on.
    pub(super) down: bool,
    /// No answer can come any more, so no call can begin.
    pub(super) unanswerable: bool,
    /// What was processed is remembered elsewhere from now on.
    pub(super) forgotten: bool,
    /// The session ends with this link.
    pub(super) session_over: bool,
    pub(super) role: Role,
    pub(super) phase: Phase,
    pub(super) pending: Pending,
    pub(super) relayed: Relayed,
    /// Relayed calls that ended unanswered and that a hub has to be told of.
    pub(super) unanswered: Vec<(ConnectionId, CallKey)>,
    ids: IdSource,
    /// Boxed like all that is rare: each idle connection keeps room for the rest.
    pub(super) reason: Option<Box<CloseReason>>,
    /// What the output still takes. Near the end input is read on however much is due, so refusals
    /// must not pile up.
    pub(super) room: usize,
    /// Calls that were answered since this was last asked.
    pub(super) answered: usize,
    /// The last time that was heard of.
    pub(super) now: Instant,
    /// Streams of confirmed passes and requests; none before the session begins.
    pub(super) session: Option<Box<Session>>,
    /// Confirmed passes without numbers; none before the first.
    pub(super) recent: Option<Box<Recent>>,
    /// The server gives the link up, and not the session.
    pub(super) link_refused: Option<Box<WireError>>,
    /// Requests whose callers have given them up.
    pub(super) cancelled: Vec<(Option<PeerId>, ShortText)>,
    pub(super) counters: Counters,
    pub(super) observer: Option<Observer>,
}

fn is_reserved(name: &str) -> bool {
    wire::RESERVED.contains(&name)
}

impl Core {
    pub(super) fn new(role: Role, limits: Arc<Limits>, ids: IdSource, is_plain: bool) -> Self {
        Self {
            role,
            limits,
            pending: Pending::default(),
            relayed: Relayed::default(),
            unanswered: Vec::new(),
            out: Vec::new(),
            sealed: BytesMut::new(),
            phase: Phase::Open,
            reason: None,
            is_plain,
            muted: false,
            broken: false,
            unanswerable: false,
            room: 0,
            answered: 0,
            now: ids.origin(),
            session: None,
            recent: None,
            down: false,
            forgotten: false,
            session_over: false,
            link_refused: None,
            sent: 0,
            counted: 0,
            cancelled: Vec::new(),
            ids,
            counters: Counters::default(),
            observer: None,
        }
    }

    /// Whether a frame is for a handler or another peer rather than for a waiting call.
    pub(super) fn is_event(&self, frame: &Frame<'_>) -> bool {
        match &frame.body {
            Body::Pass { name, .. } => !is_reserved(name) || self.is_transit(frame),
            Body::ConfirmPass { .. } | Body::Request { .. } => true,
            _ => false,
        }
    }

    /// Takes one frame: an answer goes to its call, an event to `admit`, unless events are no
    /// longer `taken`.
    pub(super) fn consider<T>(
        &mut self,
        frame: &Frame<'_>,
        taken: bool,
        mut admit: impl FnMut(&Incoming<'_>) -> Result<T, WireError>,
    ) -> Option<T> {
        // A server overwrites what clients claim; only a server's word counts (§3).
        let from = match self.role {
            Role::Client => frame.from.as_deref(),
            Role::Server => None,
        };
        let dest = frame.dest.as_deref();
        let transit = self.is_transit(frame);
        let (mode, name, data, id) = match &frame.body {
            Body::Acknowledgement { id, .. } if transit => (Mode::Reply, "", RawData::NULL, &**id),
            Body::Response { id, name, .. } if transit => {
                (Mode::Reply, &**name, RawData::NULL, &**id)
            }
            Body::Acknowledgement { id, error } => {
                self.acknowledged(frame, id, *error, from);
                return None;
            }
            Body::Response { id, result, .. } => {
                self.responded(frame, id, *result, from);
                return None;
            }
            Body::Pass { name, data } if is_reserved(name) && !transit => {
                self.control(name, *data, from);
                return None;
            }
            Body::Pass { name, data } => (Mode::Pass, &**name, *data, ""),
            Body::ConfirmPass { id, name, data } => (Mode::ConfirmPass, &**name, *data, &**id),
            Body::Request { id, name, data } => (Mode::Request, &**name, *data, &**id),
            _ => {
                self.counters.unknown_types += 1;
                metrics::count(metrics::UNKNOWN_TYPES);
                self.notice(&Notice::TypeUnknown);
                return None;
            }
        };
        let mut incoming = Incoming {
            mode,
            name,
            data,
            id,
            from,
            dest,
            frame,
            track: None,
        };
        let is_numbered = mode == Mode::ConfirmPass && frame.delivery.seq.is_some();
        let calls = mode == Mode::Request || (mode == Mode::ConfirmPass && !is_numbered);
        // An answer that is on its way begins nothing new.
        if !taken && mode != Mode::Reply {
            let text = "this end is about to close and takes nothing new";
            let error = WireError::new(ErrorCode::ShuttingDown, text);
            self.refuse(&incoming, &error);
            return None;
        }
        if transit {
            let admitted = if calls && self.relayed.len() >= self.limits.relayed_calls {
                self.counters.busy += 1;
                metrics::count_by(metrics::BUSY, "limit", "relayed");
                let text = "too many relayed calls are not answered yet: send again later";
                Err(WireError::new(ErrorCode::Busy, text))
            } else {
                admit(&incoming)
            };
            return admitted
                .map_err(|error| self.refuse(&incoming, &error))
                .ok();
        }
        let track = match self.judge(&incoming) {
            Judged::Run(track) => track,
            Judged::Over => return None,
        };
        incoming.track = track.as_ref();
        admit(&incoming)
            .map_err(|error| self.refuse_judged(&incoming, &error))
            .ok()
    }

    /// Takes a frame that is for no handler: an answer, or an event that comes too late.
    pub(super) fn consider_answer(&mut self, frame: &Frame<'_>) {
        let _: Option<()> = self.consider(frame, false, |_| {
            Err(WireError::new(ErrorCode::Internal, "no event is taken"))
        });
    }

    /// Whether the event that is next in the input is handled.
    pub(super) fn takes_events(&self) -> bool {
        match self.phase {
            Phase::Open => true,
            Phase::Draining { arrived, .. } => arrived > 0,
            _ => false,
        }
    }

    /// Whether events are handled that were taken from the input earlier.
    pub(super) fn takes_set_aside(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Draining { .. })
    }

    /// Passes between the two ends themselves.
    fn control(&mut self, name: &str, data: RawData<'_>, from: Option<&str>) {
        if name == "cancel_request" {
            self.cancel(data, from);
        }
        // A peer cannot speak for the server.
        if name == "session_over" && from.is_none() && self.role == Role::Client {
            self.session_over = true;
        }
        if name == "protocol_error" && from.is_none() {
            let word = WireError::parse(data);
            if self.survives(&word) {
                self.link_refused = Some(Box::new(word));
                return;
            }
            self.lose(&CloseReason::RefusedByPeer(WireError::parse(data)));
            self.finish();
            self.muted = true;
        }
    }

    /// Whether a client's session outlives a link that the server gives up with `word`.
    fn survives(&self, word: &WireError) -> bool {
        let is_of_link = matches!(
            word.standard(),
            Some(
                ErrorCode::Timeout
                    | ErrorCode::SlowConsumer
                    | ErrorCode::Unavailable
                    | ErrorCode::ShuttingDown
            )
        );
        self.role == Role::Client && self.session.is_some() && (self.down || is_of_link)
    }

    pub(super) fn notice(&self, notice: &Notice<'_>) {
        tracing::debug!(?notice, "dropped without an answer");
        match notice {
            Notice::HandlerPanicked { .. } => metrics::count(metrics::HANDLERS_PANICKED),
            Notice::HandlerTooSlow { .. } => metrics::count(metrics::HANDLERS_TOO_SLOW),
            Notice::PassRefused { .. } | Notice::TypeUnknown | Notice::AnswerIgnored => {}
        }
        if let Some(observer) = &self.observer
            && catch_unwind(AssertUnwindSafe(|| observer(notice))).is_err()
        {
            tracing::error!("the observer panicked");
        }
    }

    pub(super) fn send_call(&mut self, now: Instant, call: OutgoingCall) {
        let deadline = call.deadline.unwrap_or_else(|| due(now, call.timeout));
        if deadline <= now {
            metrics::count(metrics::SENDS_TIMED_OUT);
            call.waiter.complete(Outcome::NotSentInTime);
            return;
        }
        if call.waiter.is_abandoned() {
            return;
        }
        if let (true, Some(reason)) = (self.unanswerable || self.muted, &self.reason) {
            call.waiter.complete(Outcome::NotSent(reason));
            return;
        }
        self.open_call(now, deadline, call);
    }

    pub(super) fn next_id(&mut self, now: Instant) -> uuid::Uuid {
        self.ids.next(now, super::ids::MAX_SLOT)
    }

    pub(super) fn open_slot(&mut self, now: Instant, call: NewCall) -> uuid::Uuid {
        self.pending.open(&mut self.ids, now, call)
    }

    pub(super) fn expire(&mut self, now: Instant) {
        self.now = now;
        self.repeat_requests(now, false);
        let mut given_up = Vec::new();
        let expired = self
            .pending
            .expire(now, |id, from| given_up.push((id, from.cloned())));
        metrics::count_all(metrics::CALLS_TIMED_OUT, expired);
        self.give_up(&given_up);
        self.with_sender(|sender, end| sender.handle_timeout(now, end));
        self.transmit(now);
        self.expire_relayed(now);
    }

    pub(super) fn ignore_answer(&mut self) {
        self.counters.ignored_answers += 1;
        metrics::count(metrics::ANSWERS_IGNORED);
        self.notice(&Notice::AnswerIgnored);
    }
}
