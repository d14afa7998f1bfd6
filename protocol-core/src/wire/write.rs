//! Writes frames, appending to the caller's buffer: one line each, members in a fixed order.
//!
//! Must not know whose buffer it is or when it is sent.

use serde::Serialize;

use super::MAX_DEPTH;
use super::text::write_escaped;

/// The types of frames that this version writes (`PROTOCOL.md` §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FrameType {
    /// An event that expects no answer.
    Pass,
    /// An event whose sender waits for an acknowledgement, and that acknowledgement.
    ConfirmPass,
    /// An event that expects a response.
    Request,
    /// The answer to a request.
    Response,
}

impl FrameType {
    /// The value of `type` on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::ConfirmPass => "confirm_pass",
            Self::Request => "request",
            Self::Response => "response",
        }
    }

    const fn opening(self) -> &'static [u8] {
        match self {
            Self::Pass => br#"{"type":"pass""#,
            Self::ConfirmPass => br#"{"type":"confirm_pass""#,
            Self::Request => br#"{"type":"request""#,
            Self::Response => br#"{"type":"response""#,
        }
    }

    /// What precedes the id, if frames of this type have one.
    const fn id_member(self) -> Option<&'static [u8]> {
        match self {
            Self::Pass => None,
            Self::ConfirmPass => Some(br#","pass_id":"#),
            Self::Request | Self::Response => Some(br#","request_id":"#),
        }
    }
}

/// Why the fields of an event cannot be put on the wire: the event is at fault, not the peer.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The event's `Serialize` failed, or made something that JSON has no form for.
    #[error("the event cannot be written as JSON: {0}")]
    Json(String),
    /// The event nests deeper than a receiver would accept.
    #[error("the event nests too deeply: at most {limit} levels fit")]
    TooDeep {
        /// The deepest nesting that fits.
        limit: usize,
    },
}

/// Appends a frame up to and including `"data":`.
///
/// ```
/// use protocol_core::wire::{FrameType, write_data, write_head, write_tail};
///
/// let mut out = Vec::new();
/// write_head(&mut out, FrameType::Pass, Some("bob"), None, "test_event");
/// assert_eq!(out, br#"{"type":"pass","dest":"bob","name":"test_event","data":"#);
/// write_data(&mut out, "test_data")?;
/// write_tail(&mut out, FrameType::Pass, None);
/// assert!(out.ends_with(b"\"data\":\"test_data\"}\n"));
/// # Ok::<(), protocol_core::wire::EncodeError>(())
/// ```
pub fn write_head(
    out: &mut Vec<u8>,
    kind: FrameType,
    dest: Option<&str>,
    from: Option<&str>,
    name: &str,
) {
    opening(out, kind, dest, from);
    member(out, br#","name":"#, name);
    out.extend_from_slice(br#","data":"#);
}

/// Appends the fields of an event, between [`write_head`] and [`write_tail`].
///
/// # Errors
/// When `data` cannot be JSON or nests deeper than [`MAX_DEPTH`]. `out` is then as it was.
pub fn write_data<T: Serialize + ?Sized>(out: &mut Vec<u8>, data: &T) -> Result<(), EncodeError> {
    let start = out.len();
    if let Err(error) = serde_json::to_writer(&mut *out, data) {
        out.truncate(start);
        return Err(EncodeError::Json(error.to_string()));
    }
    let written = &mut out[start..];
    unbreak(written);
    // Twice as many bytes as brackets, since each closes: most events end here.
    if written.len() > 2 * MAX_DEPTH && opening_brackets(written) > MAX_DEPTH && too_deep(written) {
        out.truncate(start);
        return Err(EncodeError::TooDeep { limit: MAX_DEPTH });
    }
    Ok(())
}

/// Appends what follows the data: the id and the line end.
///
/// Every type but [`FrameType::Pass`], whose `id` is ignored, needs an id of 1 to
/// [`MAX_ID_BYTES`](super::MAX_ID_BYTES) bytes to be accepted by a receiver.
///
/// ```
/// use protocol_core::wire::{FrameType, write_tail};
///
/// let mut out = Vec::new();
/// write_tail(&mut out, FrameType::Request, Some("0193-2"));
/// assert_eq!(out, b",\"request_id\":\"0193-2\"}\n");
/// ```
pub fn write_tail(out: &mut Vec<u8>, kind: FrameType, id: Option<&str>) {
    if let (Some(prefix), Some(id)) = (kind.id_member(), id) {
        member(out, prefix, id);
    }
    out.extend_from_slice(b"}\n");
}

/// Turns raw line breaks into spaces. In JSON they can only be insignificant white space, and on
/// the wire they would end the frame.
pub(super) fn unbreak(json: &mut [u8]) {
    let mut from = 0;
    while let Some(at) = memchr::memchr2(b'\n', b'\r', &json[from..]) {
        json[from + at] = b' ';
        from += at + 1;
    }
}

pub(super) fn opening(out: &mut Vec<u8>, kind: FrameType, dest: Option<&str>, from: Option<&str>) {
    out.extend_from_slice(kind.opening());
    if let Some(dest) = dest {
        member(out, br#","dest":"#, dest);
    }
    if let Some(from) = from {
        member(out, br#","from":"#, from);
    }
}

pub(super) fn member(out: &mut Vec<u8>, prefix: &[u8], value: &str) {
    out.extend_from_slice(prefix);
    out.push(b'"');
    write_escaped(out, value);
    out.push(b'"');
}

/// Counts `[` and `{`, which differ in one bit; those inside strings count too.
fn opening_brackets(json: &[u8]) -> usize {
    // At most 255 a chunk, so that sums of bytes cannot overflow and the loop vectorizes.
    json.chunks(255)
        .map(|chunk| {
            chunk
                .iter()
                .map(|byte| u8::from(byte | 0x20 == b'{'))
                .sum::<u8>()
        })
        .map(usize::from)
        .sum()
}

/// Whether valid JSON nests deeper than [`MAX_DEPTH`].
#[cold]
fn too_deep(json: &[u8]) -> bool {
    let mut depth = 0;
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return true;
                }
            }
            b']' | b'}' => depth -= 1,
            b'"' => {
                while let Some(at_quote) = memchr::memchr2(b'"', b'\\', &json[at..]) {
                    at += at_quote + 1;
                    if json[at - 1] == b'"' {
                        break;
                    }
                    at += 1;
                }
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn nested(depth: usize) -> Box<RawValue> {
        RawValue::from_string("[".repeat(depth) + &"]".repeat(depth)).unwrap()
    }

    #[test]
    fn data_is_bounded_in_depth() {
        let mut out = b"before".to_vec();
        write_data(&mut out, &nested(MAX_DEPTH)).unwrap();
        assert_eq!(out.len(), 6 + 2 * MAX_DEPTH);
        out.truncate(6);
        let error = write_data(&mut out, &nested(MAX_DEPTH + 1)).unwrap_err();
        assert_eq!(error, EncodeError::TooDeep { limit: MAX_DEPTH });
        assert_eq!(out, b"before");
    }

    #[test]
    fn many_brackets_are_no_depth() {
        let mut out = Vec::new();
        write_data(&mut out, &vec![[0_u8; 0]; 1_000]).unwrap();
        write_data(&mut out, &"[{".repeat(1_000)).unwrap();
        write_data(&mut out, &[r#"\""#.to_owned(), "[".repeat(200)]).unwrap();
        assert_eq!(opening_brackets(&out), 1 + 1_000 + 2_000 + 1 + 200);
    }

    #[test]
    fn a_failing_event_leaves_nothing_behind() {
        let mut out = b"before".to_vec();
        let keys = std::collections::HashMap::from([((1, 2), 3)]);
        assert!(matches!(
            write_data(&mut out, &keys),
            Err(EncodeError::Json(_))
        ));
        assert_eq!(out, b"before");
    }

    #[test]
    fn raw_line_breaks_become_spaces() {
        let raw = RawValue::from_string("[1,\r\n\"a\\n\"\n]".to_owned()).unwrap();
        let mut out = b"\n".to_vec();
        write_data(&mut out, &raw).unwrap();
        assert_eq!(out, b"\n[1,  \"a\\n\" ]");
    }
}
