//! Why a line is no frame, as a closed list of reasons.
//!
//! Knows the members and rules of the envelope; must not hold a byte that was received.

use super::{ErrorCode, Json, MAX_ADDRESS_BYTES, MAX_DEPTH, MAX_ID_BYTES, MAX_SEQ};

/// Why a line is no frame, or a text no JSON that a frame can carry.
///
/// ```
/// use protocol_core::wire::{ErrorCode, Frame};
///
/// let error = Frame::parse(br#"{"type":"pass","name":7}"#).unwrap_err();
/// assert_eq!(error.code(), ErrorCode::BadFrame);
/// assert_eq!(error.to_string(), "`name` must be a string (byte 22)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason} (byte {at})", .member.map_or("", Member::subject))]
pub struct FrameError {
    reason: Reason,
    member: Option<Member>,
    at: usize,
}

impl FrameError {
    pub(super) const fn new(reason: Reason, at: usize) -> Self {
        Self {
            reason,
            member: None,
            at,
        }
    }

    pub(super) const fn of(member: Member, reason: Reason, at: usize) -> Self {
        Self {
            reason,
            member: Some(member),
            at,
        }
    }

    /// [`ErrorCode::BadFrame`], [`ErrorCode::BadType`] or [`ErrorCode::TooDeep`].
    pub const fn code(&self) -> ErrorCode {
        match (self.reason, self.member) {
            (Reason::TooDeep | Reason::JsonTooDeep, _) => ErrorCode::TooDeep,
            (Reason::Missing | Reason::NotText, Some(Member::Type)) => ErrorCode::BadType,
            _ => ErrorCode::BadFrame,
        }
    }

    /// Where in the line it went wrong, in bytes from its start; for a missing member, where the
    /// envelope ends.
    pub const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn reason(&self) -> Reason {
        self.reason
    }
}

/// The members of the envelope that this version knows (`PROTOCOL.md` §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    Type,
    Name,
    Data,
    Dest,
    From,
    PassId,
    RequestId,
    Error,
    // Those of a delivery are last: see `numbers`.
    Seq,
    Base,
    Ack,
    Since,
    FromInc,
    DestInc,
}

impl Member {
    pub(super) const COUNT: usize = Self::NAMES.len();

    const NAMES: [(&'static [u8], Self); 14] = [
        (b"type", Self::Type),
        (b"name", Self::Name),
        (b"data", Self::Data),
        (b"dest", Self::Dest),
        (b"from", Self::From),
        (b"pass_id", Self::PassId),
        (b"request_id", Self::RequestId),
        (b"error", Self::Error),
        (b"seq", Self::Seq),
        (b"base", Self::Base),
        (b"ack", Self::Ack),
        (b"since", Self::Since),
        (b"from_inc", Self::FromInc),
        (b"dest_inc", Self::DestInc),
    ];

    pub(super) fn of_key(key: &[u8]) -> Option<Self> {
        // A `match` would compare byte by byte, this compares whole words.
        Self::NAMES
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, member)| *member)
    }

    /// Whether it belongs to [`Delivery`](super::Delivery).
    #[inline]
    pub(super) const fn numbers(self) -> bool {
        self as usize >= Self::Seq as usize
    }

    const fn subject(self) -> &'static str {
        match self {
            Self::Type => "`type` ",
            Self::Name => "`name` ",
            Self::Data => "`data` ",
            Self::Dest => "`dest` ",
            Self::From => "`from` ",
            Self::PassId => "`pass_id` ",
            Self::RequestId => "`request_id` ",
            Self::Error => "`error` ",
            Self::Seq => "`seq` ",
            Self::Base => "`base` ",
            Self::Ack => "`ack` ",
            Self::Since => "`since` ",
            Self::FromInc => "`from_inc` ",
            Self::DestInc => "`dest_inc` ",
        }
    }
}

/// The closed list of reasons, so that no message can carry what was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Reason {
    #[error("the text is not UTF-8")]
    NotUtf8,
    #[error("expected a JSON object")]
    NotAnObject,
    #[error("expected nothing after the JSON value")]
    Trailing,
    #[error("expected a JSON value")]
    Value,
    #[error("expected a member name in double quotes")]
    Key,
    #[error("expected `:` after a member name")]
    Colon,
    #[error("expected `,` or `}}` after a member")]
    ObjectEnd,
    #[error("expected `,` or `]` after an element")]
    ArrayEnd,
    #[error("expected a digit")]
    Digit,
    #[error("expected the closing quote of a string")]
    OpenString,
    #[error("expected a control character in a string to be escaped")]
    Control,
    #[error("expected an escape that JSON defines")]
    Escape,
    #[error("expected both halves of a surrogate pair")]
    Surrogate,
    #[error("expected at most {} nested brackets", MAX_DEPTH)]
    TooDeep,
    #[error("expected at most {} nested brackets", Json::MAX_DEPTH)]
    JsonTooDeep,
    #[error("must stand only once")]
    Twice,
    #[error("is missing")]
    Missing,
    #[error("must be a string")]
    NotText,
    #[error("must be an object")]
    NotObject,
    #[error("must be 1 to {} bytes long", MAX_ID_BYTES)]
    IdLength,
    #[error("must be 1 to {} bytes long", MAX_ADDRESS_BYTES)]
    AddressLength,
    #[error("must be an integer of 1 to {}, written with digits alone", MAX_SEQ)]
    NotSeq,
    #[error("must be an integer of 0 to {}, written with digits alone", MAX_SEQ)]
    NotAck,
    #[error("must not stand beside `data`")]
    BesideData,
}
