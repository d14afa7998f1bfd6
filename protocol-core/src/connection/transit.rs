//! What is on its way to another peer: which frames are, and how the calls among them end.

use std::time::Instant;

use super::Role;
use super::core::Core;
use super::relayed::{RelayedAnswer, Unanswered};
use crate::ids::ConnectionId;
use crate::metrics;
use crate::wire::{Body, ErrorCode, Frame, WireError};

impl Core {
    /// Whether a frame is an answer on its way to another peer.
    pub(super) fn is_reply(&self, frame: &Frame<'_>) -> bool {
        let answers = matches!(
            frame.body,
            Body::Acknowledgement { .. } | Body::Response { .. }
        );
        answers && self.is_transit(frame)
    }

    /// Whether a frame is for another peer.
    pub(super) fn is_transit(&self, frame: &Frame<'_>) -> bool {
        self.role == Role::Server && frame.dest.is_some()
    }

    /// Ends the relayed calls whose time is over.
    pub(super) fn expire_relayed(&mut self, now: Instant) {
        let text = "the peer did not answer in time; it may have handled the event";
        for call in self.relayed.expire(now) {
            metrics::count(metrics::RELAYED_CALLS_TIMED_OUT);
            self.end_relayed(&call, &WireError::new(ErrorCode::Timeout, text));
        }
    }

    /// Ends the relayed calls of an end that is about to stop.
    pub(super) fn end_relayed_calls(&mut self) {
        let error = WireError::new(
            ErrorCode::PeerGone,
            "the server stops before the peer has answered; it may have handled the event",
        );
        for call in self.relayed.end_all() {
            self.end_relayed(&call, &error);
        }
    }

    /// Ends the calls that were relayed to a connection that is gone.
    pub(super) fn peer_gone(&mut self, via: ConnectionId) {
        let error = WireError::new(
            ErrorCode::PeerGone,
            "the peer left before it answered; it may have handled the event",
        );
        for call in self.relayed.gone(via) {
            self.end_relayed(&call, &error);
        }
    }

    fn end_relayed(&mut self, call: &Unanswered, error: &WireError) {
        if call.at_hub {
            self.unanswered.push((call.via, call.key));
        }
        if !self.muted && !self.down {
            self.write_refusal(
                call.key.mode,
                None,
                call.name.as_str(),
                call.key.id.as_str(),
                error,
            );
        }
    }

    /// Sends on the answer to a relayed call, if it is one; returns whether it is.
    pub(super) fn relay_answer(&mut self, answer: &RelayedAnswer) -> bool {
        let Some(name) = self.relayed.answered(answer) else {
            self.ignore_answer();
            return false;
        };
        if self.muted || self.down {
            return true;
        }
        if let Some(frame) = &answer.frame {
            self.out.extend_from_slice(frame);
        } else {
            let text = "the answer found no room in the queue to you: read faster";
            let error = WireError::new(ErrorCode::Internal, text);
            let (name, key) = (name.as_str(), answer.key);
            self.write_refusal(key.mode, None, name, key.id.as_str(), &error);
        }
        true
    }
}
