//! Frames of a hostile end: of each type, with any numbers, ids of its own or those that were heard.

use protocol_core::wire::{
    self, Delivery, ErrorCode, FrameType, MAX_SEQ, WireError, write_acknowledgement, write_data,
    write_error_response, write_head, write_tail,
};

use crate::script::Script;

const LIVES: [Option<&str>; 4] = [None, Some("c1"), Some("s1"), Some("x")];
const NAMES: [&str; 5] = ["n", "cancel_request", "session_over", "protocol_error", ""];

/// Members of a hostile frame, as bytes say them.
pub fn write(script: &mut Script<'_>, heard: &[String]) -> Vec<u8> {
    let mut out = Vec::new();
    let kind = script.argument();
    let parts = script.argument();
    let heard = heard
        .get(script.argument().wrapping_sub(4))
        .map(String::as_str);
    let id = heard.unwrap_or(["r0", "r1", "r2", "r3"][kind % 4]);
    let dest = (parts & 1 != 0).then_some("bob");
    let from = (parts & 2 != 0).then_some("bob");
    let name = NAMES[script.argument() % NAMES.len()];
    let mut number = |is_there: bool| {
        let byte = if is_there {
            script.argument() as u64
        } else {
            0
        };
        let number = if byte < 250 {
            byte
        } else {
            MAX_SEQ - (255 - byte)
        };
        Some(number).filter(|_| is_there)
    };
    let (seq, base) = (number(parts & 4 != 0), number(parts & 8 != 0));
    let (ack, since) = (number(parts & 16 != 0), number(parts & 32 != 0));
    let lives = script.argument();
    let delivery = Delivery {
        seq: seq.filter(|seq| *seq > 0),
        base: base.filter(|base| *base > 0),
        ack,
        since: since.filter(|since| *since > 0),
        from_inc: LIVES[lives % 4].map(Into::into),
        dest_inc: LIVES[lives / 4 % 4].map(Into::into),
    };
    let errors = [
        WireError::expect(seq.unwrap_or(1).max(1)),
        WireError::stale_dest(LIVES[lives / 16 % 4]),
        WireError::new(ErrorCode::Busy, ""),
        WireError::new(ErrorCode::Expired, ""),
        WireError::new(ErrorCode::PeerNotFound, ""),
        WireError::new(ErrorCode::PeerReconnecting, ""),
        WireError::new(ErrorCode::ShuttingDown, ""),
        WireError::new(ErrorCode::NotLoggedIn, ""),
    ];
    let error = &errors[script.argument() % errors.len()];
    let mut event = |kind| {
        write_head(&mut out, kind, dest, from, name);
        let data: serde_json::Value = match name {
            "n" | "" => (lives as u64).into(),
            "protocol_error" => serde_json::json!({ "code": error.code, "message": "" }),
            _ => serde_json::json!({ "request_id": id }),
        };
        write_data(&mut out, &data).expect("it is JSON");
        wire::write_delivery(&mut out, &delivery);
        write_tail(&mut out, kind, Some(id));
    };
    match kind / 4 % 6 {
        0 => event(FrameType::Pass),
        1 => event(FrameType::ConfirmPass),
        2 => event(FrameType::Request),
        3 => event(FrameType::Response),
        4 => {
            let error = (parts & 64 != 0).then_some(error);
            write_acknowledgement(&mut out, dest, id, &delivery, error);
        }
        _ => write_error_response(&mut out, dest, "n", id, error),
    }
    out
}
