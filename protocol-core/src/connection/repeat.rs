//! What is sent again: requests that are kept for that, and how what is numbered is written.

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::delivery::Transmission;
use crate::wire::{self, Delivery, ErrorCode, FrameType, WireError};

/// What a request takes that is sent again where its answer may have been lost.
pub(super) struct Repeat {
    /// Its frame from the first byte to the end of `data`.
    pub(super) start: Vec<u8>,
    pub(super) seq: u64,
    /// The life of the asked end.
    pub(super) dest_inc: Box<str>,
    /// How often it was sent.
    pub(super) times: u32,
    pub(super) again_at: Instant,
    pub(super) after: Duration,
    /// How often it was refused for the time being.
    pub(super) pauses: u32,
    /// Whether it is sent again because of that.
    pub(super) is_paused: bool,
}

pub(super) fn write_numbered_pass(out: &mut Vec<u8>, stamp: Option<&str>, sent: &Transmission<'_>) {
    let mut text = Uuid::encode_buffer();
    out.extend_from_slice(sent.start);
    let delivery = Delivery {
        seq: Some(sent.seq),
        base: sent.base,
        dest_inc: sent.dest_inc.map(Into::into),
        from_inc: stamp.map(Into::into),
        ..Delivery::default()
    };
    wire::write_delivery(out, &delivery);
    let id = sent.id.hyphenated().encode_lower(&mut text);
    wire::write_tail(out, FrameType::ConfirmPass, Some(id));
}

pub(super) fn write_numbered_request(
    out: &mut Vec<u8>,
    stamp: Option<&str>,
    id: Uuid,
    repeat: &Repeat,
) {
    let mut text = Uuid::encode_buffer();
    out.extend_from_slice(&repeat.start);
    let delivery = Delivery {
        seq: Some(repeat.seq),
        dest_inc: Some((&*repeat.dest_inc).into()),
        from_inc: stamp.map(Into::into),
        ..Delivery::default()
    };
    wire::write_delivery(out, &delivery);
    let id = id.hyphenated().encode_lower(&mut text);
    wire::write_tail(out, FrameType::Request, Some(id));
}

/// What becomes of a refused request.
pub(super) enum Refusal {
    /// It ends so.
    Final,
    /// An earlier copy of it may have been executed.
    Unknown,
    /// It is sent again later.
    Later,
}

impl Repeat {
    /// What a refusal says about a request, of which earlier copies may have arrived.
    pub(super) fn judge(&self, error: &WireError) -> Refusal {
        let is_repeated = self.times > 1;
        match error.standard() {
            Some(ErrorCode::StaleDest) if !is_repeated => Refusal::Later,
            Some(ErrorCode::Expired | ErrorCode::StaleDest) => Refusal::Unknown,
            // After the server was started anew the peer may not be back yet.
            Some(ErrorCode::PeerNotFound) if is_repeated => Refusal::Later,
            Some(code) if is_repeated && code.is_retryable() => Refusal::Later,
            _ => Refusal::Final,
        }
    }
}
