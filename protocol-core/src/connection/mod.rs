//! The state machine of one link, without I/O: bytes and the time in; events, bytes and the next
//! deadline out.
//!
//! A session outlives its link: what it needs for that, streams of numbered calls and frames that the
//! other end must not miss, is here too. When the link is lost, the connection waits, and goes on with
//! another link's codec and bytes. Who makes that link, and when, its owner knows.
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
mod calls;
mod core;
pub mod delivery;
mod ending;
mod hashed;
mod held;
mod ids;
mod incoming;
mod input;
mod intake;
mod judged;
mod limits;
mod outbox;
mod output;
mod pace;
mod pending;
mod relayed;
mod relink;
mod repeat;
mod session;
mod strangers;
mod transit;
pub(crate) mod wakes;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::core::{Counters, Notice, Observer};
pub use delivery::DeliveryLimits;
pub(crate) use ending::count_loss;
pub(crate) use hashed::ByHash;
pub use ids::IdSource;
pub use incoming::{Exchange, Incoming, Mode};
pub(crate) use limits::due;
pub use limits::{Limits, RateLimits, StrangerLimits};
pub(crate) use outbox::{Backlog, Closing, Outbox, Outgoing, Pushed, Share, Tried};
pub use outbox::{OutgoingCall, Put};
pub use pending::{Expects, Outcome, Waiter};
pub(crate) use relayed::CallKey;
pub use relayed::{RelayedAnswer, RelayedCall};
pub use relink::Transplant;
pub use session::{Memory, SessionTerms};

use self::core::{Core, Phase};
use self::input::Input;
use self::pace::Pace;
use self::strangers::Stranger;
use crate::codec::{Codec, CodecError, PeerIdentity};
use crate::error::CloseReason;

/// Which end of a link a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Accepted the link. What the other end writes into `from` is ignored.
    Server,
    /// Opened the link. Trusts the server's `from` and `from_inc`.
    Client,
}

/// One link's state: frames in and out, calls in flight, deadlines and limits; and that of the session
/// that goes on with the next link.
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
// In this order in memory, and so is `Core`: what a mere delivery touches stands together.
#[repr(C)]
pub struct Connection {
    blocked_since: Option<Instant>,
    core: Core,
    input: Input,
    codec: Box<dyn Codec>,
    /// Why the codec reads no more, until what it has read before is handled.
    unreadable: Option<Box<CodecError>>,
    /// Whether the other end was told that nothing follows.
    finished: bool,
    handling: usize,
    /// The owner wants no further event.
    closing: bool,
    pace: Pace,
    stranger: Option<Box<Stranger>>,
    /// Bytes of answers that wait outside, behind what their handlers sent.
    held_back: usize,
    /// Frames that arrived on this link, and on earlier ones of the session.
    received_on_link: u64,
    received_before: u64,
    /// Lines that were set aside before there was this link.
    aside_before_link: usize,
    /// Whether there is a link.
    linked: bool,
    /// When the other end was heard last, and how long it may be silent.
    heard_at: Option<Instant>,
    silence: Option<Duration>,
}

impl Connection {
    /// A connection whose link was just made. Its codec is open: what a handshake takes is done
    /// before.
    pub fn new(
        role: Role,
        limits: impl Into<Arc<Limits>>,
        codec: Box<dyn Codec>,
        ids: IdSource,
    ) -> Self {
        let limits = limits.into();
        let pace = Pace::new(limits.rate_in);
        let stranger = limits
            .stranger
            .map(|limits| Box::new(Stranger::new(limits)));
        Self {
            core: Core::new(role, limits, ids, codec.is_plain()),
            input: Input::default(),
            codec,
            unreadable: None,
            finished: false,
            blocked_since: None,
            handling: 0,
            closing: false,
            pace,
            stranger,
            held_back: 0,
            received_on_link: 0,
            received_before: 0,
            aside_before_link: 0,
            linked: true,
            heard_at: None,
            silence: None,
        }
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
            && self.linked
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

    /// Takes note that the link broke. Nothing can be sent any more; what arrived is still handled.
    pub fn broken(&mut self, reason: CloseReason) {
        self.input.ended = true;
        self.core.lose(&reason);
        self.core.muted = true;
        self.core.broken = true;
        self.core.end_relayed_calls();
        self.core.sealed.clear();
        self.core.drop_output();
        if !matches!(self.core.phase, Phase::Open | Phase::Draining { .. }) {
            self.core.phase = Phase::Closed;
        }
    }

    /// Whether nothing is due, and nothing to be looked after but what arrives, is sent or times out.
    pub(crate) fn is_calm(&self) -> bool {
        let core = &self.core;
        core.phase == Phase::Open
            && !self.closing
            && !core.muted
            && !core.broken
            && !core.down
            && self.stranger.is_none()
            && self.output_len() + self.held_back == 0
            && !self.has_streams_waiting()
    }

    /// Takes note of how many handlers are at work beside [`next_event`](Self::next_event), whose
    /// answers are still due.
    pub fn set_handling(&mut self, handling: usize) {
        self.handling = handling;
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
