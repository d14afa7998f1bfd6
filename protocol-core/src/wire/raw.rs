//! JSON text that was checked but not decoded, borrowed from the line that carried it.
//!
//! Must not know which event the text belongs to.

use std::borrow::Cow;
use std::fmt;

use super::scan::Scanner;
use super::text::unescaped;
use super::{FrameError, Json, MAX_DEPTH};

/// A member's value as it stands on the line: valid JSON, byte for byte (`PROTOCOL.md` §4).
///
/// Carries no surrounding white space. `Debug` shows its length only, so that a log of frames
/// reveals no content.
///
/// ```
/// use protocol_core::wire::RawData;
///
/// let data = RawData::parse(" [1.50, 2] ")?;
/// assert_eq!(data.as_str(), "[1.50, 2]");
/// assert!(RawData::parse("[1,]").is_err());
/// # Ok::<(), protocol_core::wire::FrameError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RawData<'a>(&'a str);

impl<'a> RawData<'a> {
    /// What an absent `data` means.
    pub const NULL: RawData<'static> = RawData("null");

    /// Checks `text` as strictly as the value of a member is checked.
    ///
    /// # Errors
    /// When `text` is no JSON value, holds a lone surrogate escape or nests deeper than
    /// [`MAX_DEPTH`].
    pub fn parse(text: &'a str) -> Result<Self, FrameError> {
        Scanner::new(text).only_value(MAX_DEPTH)
    }

    /// `text` must have passed the scanner as one value.
    pub(crate) const fn scanned(text: &'a str) -> Self {
        Self(text)
    }

    /// The JSON text.
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// Whether the value is `null`.
    pub fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// The value on its own, for keeping after the line is gone.
    pub fn to_json(self) -> Json {
        Json::of_raw(self)
    }

    /// The content, if the value is a string.
    pub(super) fn to_text(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        Some(unescaped(inner))
    }
}

impl fmt::Debug for RawData<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawData({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_reveals_no_content() {
        assert_eq!(
            format!("{:?}", RawData::parse("\"pin 1234\"").unwrap()),
            "RawData(10 bytes)"
        );
    }

    #[test]
    fn depth_is_bounded_at_the_limit() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(RawData::parse(&nested(MAX_DEPTH)).is_ok());
        assert!(RawData::parse(&nested(MAX_DEPTH + 1)).is_err());
    }

    #[test]
    fn only_strings_read_as_text() {
        assert_eq!(
            RawData::parse("\"\"").unwrap().to_text().as_deref(),
            Some("")
        );
        assert_eq!(
            RawData::parse(r#""a\"b""#).unwrap().to_text().as_deref(),
            Some("a\"b")
        );
        assert_eq!(RawData::NULL.to_text(), None);
        assert!(RawData::NULL.is_null());
    }
}
