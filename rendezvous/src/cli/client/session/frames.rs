//! Frames that go out.

use protocol_core::wire::{FrameType, MAX_FRAME_SERVER, WireError, write_head, write_tail};

use crate::cli::client::command::{Field, FieldValue, json_text};
use crate::cli::client::known::Known;

/// A frame with its line end. `data` is checked JSON without line breaks.
pub(super) fn frame(
    kind: FrameType,
    dest: Option<&str>,
    name: &str,
    data: &str,
    id: Option<&str>,
) -> Vec<u8> {
    let mut out = Vec::new();
    write_head(&mut out, kind, dest, None, name);
    out.extend_from_slice(data.as_bytes());
    write_tail(&mut out, kind, id);
    out
}

/// A frame that the server would end the link for is not sent.
pub(super) fn check_length(frame: &[u8]) -> Result<(), String> {
    let length = frame.len().saturating_sub(1);
    if length > MAX_FRAME_SERVER {
        return Err(format!(
            "the frame has {length} bytes: a server takes at most {MAX_FRAME_SERVER}"
        ));
    }
    Ok(())
}

/// Fields as the data of a request; rooms become ids.
pub(super) fn object(fields: &[Field], known: &Known) -> Result<String, String> {
    let mut members = Vec::with_capacity(fields.len());
    for Field { key, value } in fields {
        let value = match value {
            FieldValue::Known(json) => json.clone(),
            FieldValue::Room(typed) => json_text(known.room(typed)?),
        };
        members.push(format!("\"{key}\":{value}"));
    }
    Ok(format!("{{{}}}", members.join(",")))
}

/// What goes wrong on this side of the link, with a code of the client's own.
pub(super) fn trouble(code: &'static str, message: impl Into<String>) -> WireError {
    WireError {
        code: code.into(),
        message: message.into(),
        data: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_as_long_as_a_server_takes() {
        let name = "x";
        let empty = frame(FrameType::Pass, None, name, "\"\"", None).len() - 1;
        let text = |length: usize| format!("\"{}\"", "a".repeat(length));
        let longest = text(MAX_FRAME_SERVER - empty);
        let fits = frame(FrameType::Pass, None, name, &longest, None);
        assert_eq!(check_length(&fits), Ok(()));
        let longer = text(MAX_FRAME_SERVER - empty + 1);
        let error = check_length(&frame(FrameType::Pass, None, name, &longer, None));
        assert_eq!(
            error,
            Err("the frame has 65537 bytes: a server takes at most 65536".to_owned())
        );
    }
}
