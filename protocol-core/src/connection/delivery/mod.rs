//! What makes delivery trustworthy across links (`PROTOCOL.md` §12): numbers, acknowledgements and
//! answers that are kept.
//!
//! Knows streams, numbers and the time; not frames, links or who reaches whom. A [`Sender`] and a
//! [`Receiver`] live as long as their process's session, whatever happens to its links.

mod answers;
mod receiver;
mod recent;
mod sender;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use answers::Asked;
pub use receiver::{Processed, Receiver, Verdict};
pub(crate) use recent::{Recent, Seen};
pub use sender::{Ended, Pass, Pin, Sender, Transmission};

use crate::ids::PeerId;

/// After a refusal that is no outcome a sender pauses so long, then twice as long, and so on.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The bounds of confirmed passes, requests and sessions. Every field can be changed before use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryLimits {
    /// Confirmed passes of one stream that are sent and not acknowledged yet; further ones wait. A
    /// receiver remembers how so many ended. 0 counts as 1.
    pub window_events: usize,
    /// Bytes of such passes; one is always sent. 0 counts as 1.
    pub window_bytes: usize,
    /// After this time without an acknowledgement what is unacknowledged is sent again, then after
    /// twice the time, and so on.
    pub resend_after: Duration,
    /// The longest time between two such attempts.
    pub resend_at_most: Duration,
    /// After this time without an acknowledgement a stream's events are given up for good. Must stay
    /// well below `stream_idle`, so that nothing is sent again to a receiver that has forgotten it.
    pub abandon_after: Duration,
    /// Streams that a receiver remembers; where all are in use, further ones get `busy`.
    pub streams: usize,
    /// Those of one sender, one for each of its lives; a further one replaces the oldest.
    pub streams_a_sender: usize,
    /// After this time without a frame a stream may be forgotten.
    pub stream_idle: Duration,
    /// Answers to requests that are kept for their repetition.
    pub answers: usize,
    /// Bytes of such answers.
    pub answers_bytes: usize,
    /// For how long they are kept.
    pub answers_kept: Duration,
    /// Ids of confirmed passes without numbers that are remembered, so that a repetition of one is
    /// not run again.
    pub recent_ids: usize,
    /// For how long they are remembered.
    pub recent_kept: Duration,
    /// Events that a client must not miss which are kept until it has them; beyond it a session whose
    /// link is lost ends.
    pub held_events: usize,
    /// Bytes of such events.
    pub held_bytes: usize,
}

impl Default for DeliveryLimits {
    fn default() -> Self {
        Self {
            window_events: 64,
            window_bytes: 1 << 20,
            resend_after: Duration::from_secs(5),
            resend_at_most: Duration::from_mins(1),
            abandon_after: Duration::from_mins(5),
            streams: 1_024,
            streams_a_sender: 4,
            stream_idle: Duration::from_mins(10),
            answers: 256,
            answers_bytes: 256 * 1_024,
            answers_kept: Duration::from_mins(2),
            recent_ids: 1_024,
            recent_kept: Duration::from_mins(2),
            held_events: 256,
            held_bytes: 256 * 1_024,
        }
    }
}

/// Who numbers a stream: one life of one sender.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// The peer that sends; none for the other end itself.
    pub from: Option<PeerId>,
    /// Which of its lives: a random text of its process.
    pub inc: Box<str>,
}
