//! What participants tell each other went wrong: the standard codes and the error object.
//!
//! Must not know who reports what, or when.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::scan::Scanner;
use super::text::unescaped;
use super::{FrameError, Json, MAX_DEPTH, RawData, TooLong};

/// The standard codes of `PROTOCOL.md` §5, which every participant may send.
///
/// Events add codes of their own, so on the wire a code is any string: see [`WireError`].
///
/// ```
/// use protocol_core::wire::ErrorCode;
///
/// assert_eq!(ErrorCode::BadData.as_str(), "bad_data");
/// assert_eq!(ErrorCode::from_str("bad_data"), Some(ErrorCode::BadData));
/// assert_eq!(ErrorCode::from_str("room_full"), None);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ErrorCode {
    /// The line is no frame: broken JSON, a duplicate, missing or ill-typed member.
    BadFrame,
    /// `type` is missing or no string.
    BadType,
    /// The frame is longer than the receiver's limit.
    TooLarge,
    /// A member's value nests deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    TooDeep,
    /// The receiver has no event of this name.
    UnknownEvent,
    /// `data` does not fit the event.
    BadData,
    /// The sender has to log in first.
    NotLoggedIn,
    /// The sender goes beyond its rate; `data` may carry `retry_after_ms`.
    RateLimited,
    /// No answer came in time; whether the event was executed is unknown.
    Timeout,
    /// The receiver cannot take this event now.
    Unavailable,
    /// The receiver is about to stop and takes nothing new.
    ShuttingDown,
    /// The receiver failed while executing the event.
    Internal,
    /// The receiver has too much open work to take more.
    Busy,
    /// The receiver takes only encrypted connections.
    EncryptionRequired,
    /// The receiver takes only plain connections.
    EncryptionRefused,
    /// No peer of that id is logged in.
    PeerNotFound,
    /// The peer lost its connection and may resume soon.
    PeerReconnecting,
    /// The peer does not read fast enough.
    PeerSlow,
    /// The receiver knows the event but nothing handles it.
    NoHandler,
    /// The sender may not do this.
    NotAllowed,
    /// The peer left after it got the event; whether it was executed is unknown.
    PeerGone,
    /// Numbers are missing before the event's; `data` carries the one that comes next.
    Expect,
    /// The destination is not the process that was named; `data` carries the one that it is now.
    StaleDest,
    /// The event came again, and what became of it is forgotten.
    Expired,
    /// The id was used for another event before.
    IdConflict,
    /// The other end did not read fast enough to keep its link.
    SlowConsumer,
}

impl ErrorCode {
    /// Every standard code.
    pub const ALL: &[Self] = &[
        Self::BadFrame,
        Self::BadType,
        Self::TooLarge,
        Self::TooDeep,
        Self::UnknownEvent,
        Self::BadData,
        Self::NotLoggedIn,
        Self::RateLimited,
        Self::Timeout,
        Self::Unavailable,
        Self::ShuttingDown,
        Self::Internal,
        Self::Busy,
        Self::EncryptionRequired,
        Self::EncryptionRefused,
        Self::PeerNotFound,
        Self::PeerReconnecting,
        Self::PeerSlow,
        Self::NoHandler,
        Self::NotAllowed,
        Self::PeerGone,
        Self::Expect,
        Self::StaleDest,
        Self::Expired,
        Self::IdConflict,
        Self::SlowConsumer,
    ];

    /// The code as it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadFrame => "bad_frame",
            Self::BadType => "bad_type",
            Self::TooLarge => "too_large",
            Self::TooDeep => "too_deep",
            Self::UnknownEvent => "unknown_event",
            Self::BadData => "bad_data",
            Self::NotLoggedIn => "not_logged_in",
            Self::RateLimited => "rate_limited",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::ShuttingDown => "shutting_down",
            Self::Internal => "internal",
            Self::Busy => "busy",
            Self::EncryptionRequired => "encryption_required",
            Self::EncryptionRefused => "encryption_refused",
            Self::PeerNotFound => "peer_not_found",
            Self::PeerReconnecting => "peer_reconnecting",
            Self::PeerSlow => "peer_slow",
            Self::NoHandler => "no_handler",
            Self::NotAllowed => "not_allowed",
            Self::PeerGone => "peer_gone",
            Self::Expect => "expect",
            Self::StaleDest => "stale_dest",
            Self::Expired => "expired",
            Self::IdConflict => "id_conflict",
            Self::SlowConsumer => "slow_consumer",
        }
    }

    /// The standard code that stands on the wire as `code`, if it is one.
    #[expect(clippy::should_implement_trait, reason = "an unknown code is no error")]
    pub fn from_str(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|standard| standard.as_str() == code)
    }

    /// Whether the event certainly was not executed and sending it again later can help.
    ///
    /// ```
    /// use protocol_core::wire::ErrorCode;
    ///
    /// assert!(ErrorCode::Busy.is_retryable());
    /// assert!(!ErrorCode::Timeout.is_retryable(), "it may have been executed");
    /// ```
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Busy
                | Self::Unavailable
                | Self::RateLimited
                | Self::ShuttingDown
                | Self::PeerReconnecting
                | Self::PeerSlow
        )
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error object of a response or an acknowledgement (`PROTOCOL.md` §5).
///
/// ```
/// use protocol_core::wire::{ErrorCode, WireError};
///
/// let error = WireError::new(ErrorCode::NotAllowed, "only the host may start");
/// assert_eq!(error.to_string(), "not_allowed: only the host may start");
/// assert_eq!(error.standard(), Some(ErrorCode::NotAllowed));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct WireError {
    /// A standard code or one of the event's own.
    pub code: Cow<'static, str>,
    /// For people; may be empty.
    pub message: String,
    /// What a program can use, as the code defines it.
    pub data: Option<Json>,
}

impl WireError {
    /// An error of a standard code, without data.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code: Cow::Borrowed(code.as_str()),
            message: message.into(),
            data: None,
        }
    }

    /// `rate_limited`, with the time after which to try again, rounded up to milliseconds.
    ///
    /// ```
    /// use std::time::Duration;
    /// use protocol_core::wire::WireError;
    ///
    /// let error = WireError::rate_limited(Duration::from_millis(250), "too many logins");
    /// assert_eq!(error.data.unwrap().get(), r#"{"retry_after_ms":250}"#);
    /// ```
    pub fn rate_limited(retry_after: Duration, message: impl Into<String>) -> Self {
        let ms = retry_after.as_nanos().div_ceil(1_000_000);
        Self {
            data: Json::parse(&format!(r#"{{"retry_after_ms":{ms}}}"#)).ok(),
            ..Self::new(ErrorCode::RateLimited, message)
        }
    }

    /// The standard code, unless the code is an event's own or of a later version.
    pub fn standard(&self) -> Option<ErrorCode> {
        ErrorCode::from_str(&self.code)
    }

    /// Reads what a peer sent as `error`, tolerating whatever it left out.
    ///
    /// A missing or ill-typed `message` reads as empty, `null` data as none, and of a member that
    /// stands twice the last counts. A value that is no object, or has no string as `code`, reads
    /// as [`ErrorCode::Internal`].
    ///
    /// ```
    /// use protocol_core::wire::{RawData, WireError};
    ///
    /// let error = WireError::parse(RawData::parse(r#"{"code":"room_full","message":7}"#)?);
    /// assert_eq!((&*error.code, &*error.message), ("room_full", ""));
    /// # Ok::<(), protocol_core::wire::FrameError>(())
    /// ```
    pub fn parse(error: RawData<'_>) -> Self {
        let mut code = None;
        let mut message = None;
        let mut data = None;
        let text = error.as_str();
        let scanner = Scanner::new(text);
        let object = scanner.members(|key, start| {
            let end = scanner.value(start, MAX_DEPTH)?;
            let value = RawData::scanned(&text[start..end]);
            match &*unescaped(&text[key.start + 1..key.end - 1]) {
                "code" => code = value.to_text(),
                "message" => message = value.to_text(),
                "data" => data = (!value.is_null()).then(|| value.to_json()),
                _ => {}
            }
            Ok(end)
        });
        if object.is_err() {
            return Self::new(
                ErrorCode::Internal,
                "the peer sent an error that is no object",
            );
        }
        let Some(code) = code else {
            return Self::new(ErrorCode::Internal, "the peer sent an error without a code");
        };
        let code = match ErrorCode::from_str(&code) {
            Some(standard) => Cow::Borrowed(standard.as_str()),
            None => Cow::Owned(code.into_owned()),
        };
        Self {
            code,
            message: message.map(Cow::into_owned).unwrap_or_default(),
            data,
        }
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for WireError {}

impl From<FrameError> for WireError {
    fn from(error: FrameError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<TooLong> for WireError {
    /// Code `too_large` (`PROTOCOL.md` §2).
    fn from(error: TooLong) -> Self {
        Self::new(ErrorCode::TooLarge, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> WireError {
        WireError::parse(RawData::parse(text).unwrap())
    }

    #[test]
    fn every_code_has_its_own_string_and_comes_back() {
        for (at, code) in ErrorCode::ALL.iter().enumerate() {
            assert_eq!(ErrorCode::from_str(code.as_str()), Some(*code));
            assert!(
                ErrorCode::ALL[at + 1..]
                    .iter()
                    .all(|other| other.as_str() != code.as_str())
            );
        }
        assert_eq!(ErrorCode::ALL.len(), 26);
        assert_eq!(ErrorCode::from_str("Busy"), None);
    }

    #[test]
    fn a_whole_error_object_is_read() {
        let error =
            parse(r#" {"code":"room_full","message":"8 \"players\"","data":{"max":8},"x":[1]} "#);
        assert_eq!(error.code, "room_full");
        assert_eq!(error.message, "8 \"players\"");
        assert_eq!(error.data.unwrap().get(), r#"{"max":8}"#);
    }

    #[test]
    fn odd_parts_are_tolerated() {
        assert_eq!(parse(r#"{"code":"x"}"#).message, "");
        assert_eq!(
            parse(r#"{"code":"x","message":null,"data":null}"#).data,
            None
        );
        assert_eq!(parse(r#"{"code":"x","message":[]}"#).message, "");
        assert_eq!(parse(r#"{"code":"x","code":"y"}"#).code, "y");
        assert_eq!(
            parse(r#"{"c\u006fde":"\u0062usy"}"#).standard(),
            Some(ErrorCode::Busy)
        );
    }

    #[test]
    fn without_a_code_it_is_internal() {
        for text in [
            "{}",
            r#"{"code":7}"#,
            r#"{"code":null}"#,
            "[]",
            "null",
            "\"x\"",
            "1",
        ] {
            let error = parse(text);
            assert_eq!(error.standard(), Some(ErrorCode::Internal), "{text}");
            assert!(
                error.message.starts_with("the peer sent an error"),
                "{text}"
            );
        }
    }

    #[test]
    fn display_names_code_and_message() {
        assert_eq!(WireError::new(ErrorCode::Busy, "").to_string(), "busy");
        assert_eq!(
            WireError::new(ErrorCode::Busy, "later").to_string(),
            "busy: later"
        );
    }
}
