//! How sending fails, and why links end.

use std::io;
use std::time::Duration;

use crate::codec::CodecError;
use crate::wire::{DataError, EncodeError, ErrorCode, WireError};

/// Why a link ended.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// This end closed it.
    #[error("closed by this end")]
    Closed,
    /// The other end closed it.
    #[error("closed by the other end")]
    PeerClosed,
    /// The other end broke the protocol; the code says how.
    #[error("the other end broke the protocol: {0}")]
    Violated(WireError),
    /// The other end reported that this one broke the protocol.
    #[error("refused by the other end: {0}")]
    RefusedByPeer(WireError),
    /// The other end did not read what was due to it.
    #[error("the other end took nothing for {after:?}")]
    Stalled {
        /// How long nothing got through.
        after: Duration,
    },
    /// The other end sent nothing, though it shows that it lives now and then.
    #[error("the other end was silent for {after:?}")]
    Silent {
        /// For how long.
        after: Duration,
    },
    /// The other end read so slowly that something it must not miss found no room in its queue.
    #[error("the other end reads too slowly: its queue is full")]
    Overflowed,
    /// The stream ended though the other end had not said that it sends no more, as it does on
    /// encrypted links: its program or the link failed, or somebody cut it.
    #[error("the link was cut off: the other end had not said that it sends no more")]
    CutOff,
    /// The codec gave the link up.
    #[error("the link's encryption failed: {0}")]
    Codec(CodecError),
    /// The link broke.
    #[error("the link broke: {message}")]
    Io {
        /// The kind of the system's error.
        kind: io::ErrorKind,
        /// The system's words.
        message: String,
    },
}

impl From<io::Error> for CloseReason {
    fn from(error: io::Error) -> Self {
        Self::Io {
            kind: error.kind(),
            message: error.to_string(),
        }
    }
}

/// Why an event was not sent. The other end certainly did not see it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The link has ended.
    #[error("the link has ended: {0}")]
    Closed(CloseReason),
    /// There was no place in the queue to the other end, or none for another open call.
    #[error(
        "no place in the queue within {after:?}: the other end is slow, or too many calls are open"
    )]
    QueueFull {
        /// How long the event waited.
        after: Duration,
    },
    /// The event is larger than the other end accepts, or than its `max_size`.
    #[error("the event `{event}` takes {size} bytes, the limit is {limit}: send less at once")]
    TooLarge {
        /// The event's wire name.
        event: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The event's fields could not be written as JSON.
    #[error("the event `{event}` cannot be written: {error}")]
    Encode {
        /// The event's wire name.
        event: &'static str,
        /// What stood in the way.
        error: EncodeError,
    },
    /// No such peer or connection is here.
    #[error("no peer or connection `{0}` is connected")]
    NoSuchPeer(String),
}

impl SendError {
    /// Whether the same call can succeed later: the queue was full, or the peer may yet connect.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::QueueFull { .. } | Self::NoSuchPeer(_))
    }

    /// Whether the link has ended, so that nothing can be sent before a new one is made.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

/// Why a request has no answer, or a confirmed pass no confirmation.
///
/// `E` is the event's own error, [`Infallible`](std::convert::Infallible) where it names none.
///
/// | variant | was it executed? | [`is_retryable`](Self::is_retryable) | [`is_unknown`](Self::is_unknown) |
/// | --- | --- | --- | --- |
/// | `Refused` | the handler ran and said no | no | no |
/// | `Rejected` | no; perhaps, where the code is `internal`, `timeout` or `peer_gone` | by its code | by its code |
/// | `Other` | the handler said no, in words this end does not know | no | no |
/// | `BadAnswer` | yes | no | no |
/// | `Timeout`, `Lost`, `Unknown` | perhaps | no | yes |
/// | `NotSent` | no | if sending later on this link can help | no |
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError<E> {
    /// The handler refused, with the event's own error.
    #[error("refused: {0}")]
    Refused(E),
    /// The other end's framework refused, with one of the standard codes (`PROTOCOL.md` §5).
    #[error("rejected: {0}")]
    Rejected(WireError),
    /// Refused with a code that this version of the event does not know.
    #[error("refused with an unknown code: {0}")]
    Other(WireError),
    /// The answer's data is not what the event's response type says.
    #[error("the answer does not fit: {0}")]
    BadAnswer(DataError),
    /// No answer came in time; the event may have been executed.
    #[error("no answer within {after:?}")]
    Timeout {
        /// How long the call waited.
        after: Duration,
    },
    /// The link ended before the answer came; the event may have been executed.
    #[error("the link ended before the answer: {0}")]
    Lost(CloseReason),
    /// The event was sent, and nobody will tell what became of it: the receiver's program was started
    /// anew, or remembers it no longer.
    #[error("unknown: {0}")]
    Unknown(WireError),
    /// The event never left this end.
    #[error("not sent: {0}")]
    NotSent(SendError),
}

impl<E> RequestError<E> {
    /// Whether the event was certainly not executed and the same call can succeed later.
    ///
    /// False where the link has ended: see [`is_closed`](Self::is_closed).
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Rejected(error) => error.standard().is_some_and(ErrorCode::is_retryable),
            Self::NotSent(error) => error.is_retryable(),
            _ => false,
        }
    }

    /// Whether the link has ended, so that nothing can be sent before a new one is made. The event
    /// was not executed if it is [`NotSent`](Self::NotSent); if it is [`Lost`](Self::Lost), nobody
    /// can tell.
    pub fn is_closed(&self) -> bool {
        match self {
            Self::NotSent(error) => error.is_closed(),
            Self::Lost(_) => true,
            _ => false,
        }
    }

    /// Whether the event may have been executed and nobody can tell.
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Lost(_) | Self::Unknown(_) => true,
            Self::Rejected(error) => matches!(
                error.standard(),
                Some(ErrorCode::Internal | ErrorCode::Timeout | ErrorCode::PeerGone)
            ),
            _ => false,
        }
    }
}

/// What a codec that gives a link up has the other end told.
pub(crate) fn refusal(error: &CodecError) -> WireError {
    let code = match error {
        CodecError::EncryptionRequired => ErrorCode::EncryptionRequired,
        CodecError::EncryptionRefused => ErrorCode::EncryptionRefused,
        _ => ErrorCode::BadFrame,
    };
    WireError::new(code, error.to_string())
}
