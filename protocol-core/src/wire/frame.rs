//! A frame: one event, or the answer to one, as its line says.
//!
//! Knows which members each type of frame needs; must not know events, peers or what is pending.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::envelope::Envelope;
use super::fault::{Member, Reason};
use super::write::FrameType;
use super::{Delivery, FrameError, MAX_ADDRESS_BYTES, MAX_ID_BYTES, RawData};

/// One parsed line, borrowing from it.
///
/// ```
/// use protocol_core::wire::{Body, Frame};
///
/// let line = br#"{"type":"pass","dest":"bob","name":"test_event","data":"test_data"}"#;
/// let frame = Frame::parse(line)?;
/// assert_eq!(frame.dest.as_deref(), Some("bob"));
/// let Body::Pass { name, data } = frame.body else { unreachable!() };
/// assert_eq!(name, "test_event");
/// assert_eq!(data.as_str(), "\"test_data\"");
/// # Ok::<(), protocol_core::wire::FrameError>(())
/// ```
#[derive(Clone, Eq)]
pub struct Frame<'a> {
    /// The peer or room that it is for; `None` is the receiver itself.
    pub dest: Option<Cow<'a, str>>,
    /// The peer that it is from; `None` is the other end of the connection.
    pub from: Option<Cow<'a, str>>,
    /// What it says.
    pub body: Body<'a>,
    /// How its delivery is numbered.
    pub delivery: Delivery<'a>,
    pub(super) line: &'a str,
    /// Where the value of `from` stands in the line, if the member is there.
    pub(super) from_at: Option<Range<usize>>,
    /// Where the value of `from_inc` stands, likewise.
    pub(super) from_inc_at: Option<Range<usize>>,
}

/// What a frame says, by its `type` (`PROTOCOL.md` §3).
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body<'a> {
    /// An event that expects no answer.
    Pass {
        /// The event's name; any string.
        name: Cow<'a, str>,
        /// The event's fields.
        data: RawData<'a>,
    },
    /// An event whose sender waits for an acknowledgement.
    ConfirmPass {
        /// Its `pass_id`, 1 to 64 bytes.
        id: Cow<'a, str>,
        /// The event's name; any string.
        name: Cow<'a, str>,
        /// The event's fields.
        data: RawData<'a>,
    },
    /// The answer to a confirmed pass: a `confirm_pass` without `name`.
    Acknowledgement {
        /// The confirmed pass's `pass_id`.
        id: Cow<'a, str>,
        /// The error object, if the pass was refused: see [`WireError::parse`](super::WireError::parse).
        error: Option<RawData<'a>>,
    },
    /// An event that expects a response.
    Request {
        /// Its `request_id`, 1 to 64 bytes.
        id: Cow<'a, str>,
        /// The event's name; any string.
        name: Cow<'a, str>,
        /// The event's fields.
        data: RawData<'a>,
    },
    /// The answer to a request.
    Response {
        /// The request's `request_id`.
        id: Cow<'a, str>,
        /// The request's name.
        name: Cow<'a, str>,
        /// `data`, or the error object: see [`WireError::parse`](super::WireError::parse).
        result: Result<RawData<'a>, RawData<'a>>,
    },
    /// A `type` of a later version: to be counted and skipped. Of its members only grammar, depth
    /// and duplicates were judged.
    Unknown,
}

/// Without the line, which holds the data: a log of frames reveals no content.
impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("dest", &self.dest)
            .field("from", &self.from)
            .field("body", &self.body)
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}

/// Frames are equal that say the same, however their lines look.
impl PartialEq for Frame<'_> {
    fn eq(&self, other: &Self) -> bool {
        (&self.dest, &self.from, &self.body, &self.delivery)
            == (&other.dest, &other.from, &other.body, &other.delivery)
    }
}

impl<'a> Frame<'a> {
    /// Parses one line, given without its line end (`PROTOCOL.md` §2 and §3).
    ///
    /// Where a line has several faults, the first of this order is reported: UTF-8; then, in the
    /// order of the bytes, grammar, lone surrogates, depth and duplicate members; then `type`; then
    /// the other members.
    ///
    /// # Errors
    /// When the line is no frame. [`FrameError::code`] tells what to answer.
    pub fn parse(line: &'a [u8]) -> Result<Self, FrameError> {
        let envelope = Envelope::scan(line)?;
        let kind = envelope
            .text(Member::Type)?
            .ok_or_else(|| envelope.missing(Member::Type))?;
        let kind = match &*kind {
            "pass" => FrameType::Pass,
            "confirm_pass" => FrameType::ConfirmPass,
            "request" => FrameType::Request,
            "response" => FrameType::Response,
            _ => {
                return Ok(Self {
                    dest: None,
                    from: None,
                    body: Body::Unknown,
                    delivery: Delivery::default(),
                    line: envelope.text,
                    from_at: envelope.range(Member::From),
                    from_inc_at: envelope.range(Member::FromInc),
                });
            }
        };
        let id = |member| envelope.bounded(member, MAX_ID_BYTES, Reason::IdLength);
        let address = |member| envelope.bounded(member, MAX_ADDRESS_BYTES, Reason::AddressLength);
        // Every known member is judged, even where this type does not use it: one rule for all.
        let name = envelope.text(Member::Name)?;
        let dest = address(Member::Dest)?;
        let from = address(Member::From)?;
        let pass_id = id(Member::PassId)?;
        let request_id = id(Member::RequestId)?;
        let pass_id = || pass_id.ok_or_else(|| envelope.missing(Member::PassId));
        let request_id = || request_id.ok_or_else(|| envelope.missing(Member::RequestId));
        let data = || envelope.raw(Member::Data).unwrap_or(RawData::NULL);
        let body = match (kind, name) {
            (FrameType::Pass, Some(name)) => Body::Pass { name, data: data() },
            (FrameType::ConfirmPass, Some(name)) => Body::ConfirmPass {
                id: pass_id()?,
                name,
                data: data(),
            },
            (FrameType::ConfirmPass, None) => Body::Acknowledgement {
                id: pass_id()?,
                error: envelope.object(Member::Error)?,
            },
            (FrameType::Request, Some(name)) => Body::Request {
                id: request_id()?,
                name,
                data: data(),
            },
            (FrameType::Response, Some(name)) => Body::Response {
                id: request_id()?,
                name,
                result: result(&envelope)?,
            },
            (_, None) => return Err(envelope.missing(Member::Name)),
        };
        let delivery = if envelope.numbered {
            Delivery::of(&envelope)?
        } else {
            Delivery::default()
        };
        Ok(Self {
            dest,
            from,
            body,
            delivery,
            line: envelope.text,
            from_at: envelope.range(Member::From),
            from_inc_at: envelope.range(Member::FromInc),
        })
    }
}

/// A response carries `data`, even if it is `null`, or `error` (`PROTOCOL.md` §3).
fn result<'a>(envelope: &Envelope<'a>) -> Result<Result<RawData<'a>, RawData<'a>>, FrameError> {
    match (envelope.object(Member::Error)?, envelope.raw(Member::Data)) {
        (None, data) => Ok(Ok(data.unwrap_or(RawData::NULL))),
        (Some(error), None) => Ok(Err(error)),
        (Some(_), Some(_)) => {
            let at = envelope.start(Member::Error);
            Err(FrameError::of(Member::Error, Reason::BesideData, at))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ErrorCode, MAX_DEPTH};
    use super::*;

    fn code(line: &str) -> Option<ErrorCode> {
        Frame::parse(line.as_bytes())
            .err()
            .map(|error| error.code())
    }

    #[test]
    fn a_typical_frame_is_borrowed() {
        let line = br#"{"type":"request","dest":"bob","name":"x","data":[],"request_id":"7"}"#;
        let frame = Frame::parse(line).unwrap();
        assert!(matches!(frame.dest, Some(Cow::Borrowed("bob"))));
        let Body::Request { id, name, data } = frame.body else {
            panic!("{frame:?}")
        };
        assert!(matches!(
            (id, name),
            (Cow::Borrowed("7"), Cow::Borrowed("x"))
        ));
        assert_eq!(data.as_str(), "[]");
    }

    #[test]
    fn debug_reveals_no_content() {
        let frame = Frame::parse(br#"{"type":"pass","name":"x","data":"pin 1234"}"#).unwrap();
        assert!(!format!("{frame:?}").contains("1234"));
    }

    #[test]
    fn ids_are_bounded_after_unescaping() {
        let frame = |id: &str| format!(r#"{{"type":"request","name":"x","request_id":"{id}"}}"#);
        assert_eq!(code(&frame("")), Some(ErrorCode::BadFrame));
        assert_eq!(code(&frame("a")), None);
        assert_eq!(code(&frame(&"a".repeat(MAX_ID_BYTES))), None);
        assert_eq!(
            code(&frame(&"a".repeat(MAX_ID_BYTES + 1))),
            Some(ErrorCode::BadFrame)
        );
        assert_eq!(code(&frame(&"\\u0061".repeat(MAX_ID_BYTES))), None);
        let escaped = "\\u0061".repeat(MAX_ID_BYTES + 1);
        assert_eq!(code(&frame(&escaped)), Some(ErrorCode::BadFrame));
    }

    #[test]
    fn addresses_are_bounded() {
        for member in ["dest", "from"] {
            let frame = |length| {
                let address = "a".repeat(length);
                format!(r#"{{"type":"pass","name":"x","{member}":"{address}"}}"#)
            };
            assert_eq!(code(&frame(0)), Some(ErrorCode::BadFrame));
            assert_eq!(code(&frame(1)), None);
            assert_eq!(code(&frame(MAX_ADDRESS_BYTES)), None);
            assert_eq!(
                code(&frame(MAX_ADDRESS_BYTES + 1)),
                Some(ErrorCode::BadFrame)
            );
        }
    }

    #[test]
    fn depth_is_bounded_in_every_member() {
        for member in ["data", "error", "seq", "dest"] {
            let frame = |depth: usize| {
                let value = "[".repeat(depth) + &"]".repeat(depth);
                format!(r#"{{"type":"pass","name":"x","{member}":{value}}}"#)
            };
            assert_ne!(
                code(&frame(MAX_DEPTH)),
                Some(ErrorCode::TooDeep),
                "{member}"
            );
            assert_eq!(
                code(&frame(MAX_DEPTH + 1)),
                Some(ErrorCode::TooDeep),
                "{member}"
            );
        }
    }

    #[test]
    fn the_first_fault_in_the_documented_order_is_reported() {
        assert_eq!(code(r#"{"type":7,"name":"x",}"#), Some(ErrorCode::BadFrame));
        assert_eq!(code(r#"{"name":7}"#), Some(ErrorCode::BadType));
        assert_eq!(
            code(r#"{"type":7,"type":"pass"}"#),
            Some(ErrorCode::BadFrame)
        );
        assert_eq!(code(r#"{"type":"later","name":7}"#), None);
        let deep = "[".repeat(MAX_DEPTH + 1);
        assert_eq!(
            code(&format!("{{\"type\":7,\"data\":{deep}")),
            Some(ErrorCode::TooDeep)
        );
    }

    #[test]
    fn a_refusal_names_the_member_and_the_place() {
        let refusal = |line: &str| Frame::parse(line.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            refusal(r#"{"type":"pass","name":"x","name":"y"}"#),
            "`name` must stand only once (byte 26)"
        );
        assert_eq!(
            refusal(r#"{"type":"request","name":"x"}"#),
            "`request_id` is missing (byte 28)"
        );
        assert_eq!(
            refusal(r#"{"type":"response","name":"x","request_id":"7","data":1,"error":{}}"#),
            "`error` must not stand beside `data` (byte 64)"
        );
        assert_eq!(refusal("[]"), "expected a JSON object (byte 0)");
        assert_eq!(
            refusal(r#"{"a":[1}"#),
            "expected `,` or `]` after an element (byte 7)"
        );
        let error = Frame::parse(b"{\"a\":\"\xff\"}").unwrap_err();
        assert_eq!((error.at(), error.code()), (6, ErrorCode::BadFrame));
    }

    #[test]
    fn every_prefix_of_a_frame_is_refused() {
        let line = r#"{"type":"request","name":"é\u00e9","data":[1.5e3,true,{"a":null}],"x":-0}"#;
        assert_eq!(code(line), Some(ErrorCode::BadFrame), "it has no id");
        let line = line.replace("-0", "-0,\"request_id\":\"7\"");
        assert_eq!(code(&line), None);
        for end in 0..line.len() {
            let prefix = &line.as_bytes()[..end];
            assert_eq!(
                Frame::parse(prefix).unwrap_err().code(),
                ErrorCode::BadFrame,
                "{end}"
            );
        }
    }
}
