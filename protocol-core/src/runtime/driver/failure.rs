//! Why a handler gave no reply, and what its caller gets instead.

use std::time::Duration;

use crate::connection::Notice;
use crate::router::ReplyBuffer;
use crate::runtime::guard;
use crate::wire::{ErrorCode, WireError};

/// Why a handler gave no reply.
pub(super) enum Failure {
    Panicked,
    /// Nobody awaits its answer.
    Cancelled,
    TooSlow {
        limit: Duration,
    },
}

impl From<guard::Panicked> for Failure {
    fn from(_: guard::Panicked) -> Self {
        Self::Panicked
    }
}

impl Failure {
    pub(super) fn notice<'a>(&self, name: &'a str) -> Option<Notice<'a>> {
        match self {
            Self::Panicked => Some(Notice::HandlerPanicked { name }),
            Self::TooSlow { .. } => Some(Notice::HandlerTooSlow { name }),
            Self::Cancelled => None,
        }
    }

    pub(super) fn reply(self) -> ReplyBuffer {
        let (code, text) = match self {
            Self::Panicked => (ErrorCode::Internal, "the handler panicked".to_owned()),
            Self::TooSlow { limit } => {
                let text = format!("the handler took longer than {limit:?}");
                (ErrorCode::Internal, text)
            }
            Self::Cancelled => {
                let text = "the handler was stopped, since nobody awaits the answer";
                (ErrorCode::Timeout, text.to_owned())
            }
        };
        ReplyBuffer::default().refused(WireError::new(code, text))
    }
}
