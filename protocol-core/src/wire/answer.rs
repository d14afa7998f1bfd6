//! Writes answers: acknowledgements, refusals, and the last word to a peer that broke the protocol.
//!
//! Must not know what is answered, or why it was refused.

use super::write::{FrameType, member, opening, unbreak, write_head, write_tail};
use super::{Delivery, WireError, write_delivery};

/// Appends the answer to a confirmed pass, with the numbers that it speaks for, if any.
///
/// ```
/// use protocol_core::wire::{Delivery, write_acknowledgement};
///
/// let mut out = Vec::new();
/// write_acknowledgement(&mut out, None, "0193-1", &Delivery::default(), None);
/// assert_eq!(out, b"{\"type\":\"confirm_pass\",\"pass_id\":\"0193-1\"}\n");
/// ```
pub fn write_acknowledgement(
    out: &mut Vec<u8>,
    dest: Option<&str>,
    id: &str,
    delivery: &Delivery<'_>,
    error: Option<&WireError>,
) {
    opening(out, FrameType::ConfirmPass, dest, None);
    member(out, br#","pass_id":"#, id);
    write_delivery(out, delivery);
    end(out, error);
}

/// Appends the answer to a request that was refused or failed.
///
/// ```
/// use protocol_core::wire::{ErrorCode, WireError, write_error_response};
///
/// let mut out = Vec::new();
/// let error = WireError::new(ErrorCode::Busy, "ask again later");
/// write_error_response(&mut out, Some("bob"), "add", "0193-2", &error);
/// assert_eq!(
///     std::str::from_utf8(&out)?,
///     concat!(
///         r#"{"type":"response","dest":"bob","name":"add","request_id":"0193-2","#,
///         r#""error":{"code":"busy","message":"ask again later"}}"#,
///         "\n",
///     ),
/// );
/// # Ok::<(), std::str::Utf8Error>(())
/// ```
pub fn write_error_response(
    out: &mut Vec<u8>,
    dest: Option<&str>,
    name: &str,
    id: &str,
    error: &WireError,
) {
    opening(out, FrameType::Response, dest, None);
    member(out, br#","name":"#, name);
    member(out, br#","request_id":"#, id);
    end(out, Some(error));
}

/// Appends the last word to a peer that broke the protocol (`PROTOCOL.md` §7). It carries code and
/// message; the error's own data is left out.
///
/// ```
/// use protocol_core::wire::{ErrorCode, WireError, write_protocol_error};
///
/// let mut out = Vec::new();
/// write_protocol_error(&mut out, &WireError::new(ErrorCode::TooLarge, "at most 65536 bytes"));
/// assert_eq!(
///     std::str::from_utf8(&out)?,
///     concat!(
///         r#"{"type":"pass","name":"protocol_error","#,
///         r#""data":{"code":"too_large","message":"at most 65536 bytes"}}"#,
///         "\n",
///     ),
/// );
/// # Ok::<(), std::str::Utf8Error>(())
/// ```
pub fn write_protocol_error(out: &mut Vec<u8>, error: &WireError) {
    write_head(out, FrameType::Pass, None, None, "protocol_error");
    code_and_message(out, error);
    out.push(b'}');
    write_tail(out, FrameType::Pass, None);
}

/// What stands behind an id: the error, if there is one, and the line end.
fn end(out: &mut Vec<u8>, error: Option<&WireError>) {
    if let Some(error) = error {
        out.extend_from_slice(br#","error":"#);
        error_object(out, error);
    }
    out.extend_from_slice(b"}\n");
}

fn error_object(out: &mut Vec<u8>, error: &WireError) {
    code_and_message(out, error);
    if let Some(data) = &error.data {
        out.extend_from_slice(br#","data":"#);
        raw(out, data.get());
    }
    out.push(b'}');
}

fn code_and_message(out: &mut Vec<u8>, error: &WireError) {
    member(out, br#"{"code":"#, &error.code);
    member(out, br#","message":"#, &error.message);
}

/// Checked JSON text, kept on one line.
fn raw(out: &mut Vec<u8>, json: &str) {
    let start = out.len();
    out.extend_from_slice(json.as_bytes());
    if memchr::memchr(b'\n', &out[start..]).is_some() {
        unbreak(&mut out[start..]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ErrorCode, Json};
    use super::*;

    #[test]
    fn errors_carry_their_data() {
        let mut error = WireError::new(ErrorCode::RateLimited, "say \"please\"\n");
        error.data = Some(Json::parse("{\"retry_after_ms\":5}").unwrap());
        let mut out = Vec::new();
        write_acknowledgement(
            &mut out,
            Some("bob"),
            "7",
            &Delivery::default(),
            Some(&error),
        );
        let expected = concat!(
            r#"{"type":"confirm_pass","dest":"bob","pass_id":"7","error":{"code":"rate_limited","#,
            r#""message":"say \"please\"\n","data":{"retry_after_ms":5}}}"#,
            "\n",
        );
        assert_eq!(std::str::from_utf8(&out).unwrap(), expected);
        out.clear();
        write_protocol_error(&mut out, &error);
        assert!(
            !std::str::from_utf8(&out)
                .unwrap()
                .contains("retry_after_ms")
        );
    }

    #[test]
    fn numbers_stand_between_id_and_error() {
        let delivery = Delivery {
            ack: Some(5),
            ..Delivery::default()
        };
        let error = WireError::new(ErrorCode::Busy, "later");
        let mut out = Vec::new();
        write_acknowledgement(&mut out, Some("bob"), "7", &delivery, Some(&error));
        assert_eq!(
            std::str::from_utf8(&out).unwrap(),
            concat!(
                r#"{"type":"confirm_pass","dest":"bob","pass_id":"7","ack":5,"#,
                r#""error":{"code":"busy","message":"later"}}"#,
                "\n",
            ),
        );
    }
}
