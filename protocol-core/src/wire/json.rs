//! JSON of any shape as a field of an event.
//!
//! Keeps text as it came; must not know who reads it.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::fault::Reason;
use super::scan::Scanner;
use super::write::{self, EncodeError};
use super::{DataError, FrameError, MAX_DEPTH, RawData};

/// Raw JSON whose shape is the user's, kept byte for byte: numbers of any length, the order of
/// keys and duplicates survive.
///
/// It is always one valid JSON value without surrounding white space or raw line breaks, so it can
/// never break a frame. Two are equal if their texts are. Like every raw JSON value of
/// `serde_json`, it cannot stand below `#[serde(flatten)]` or in an untagged enum.
///
/// ```
/// use protocol_core::wire::Json;
///
/// let json = Json::parse("{\"x\": 1.50,\n \"y\": [2]}")?;
/// assert_eq!(json.get(), "{\"x\": 1.50,  \"y\": [2]}");
/// # Ok::<(), protocol_core::wire::FrameError>(())
/// ```
#[derive(Clone)]
pub struct Json(Box<RawValue>);

impl Json {
    /// The deepest nesting that [`parse`](Self::parse) and [`from_value`](Self::from_value) take.
    ///
    /// Four levels below [`MAX_DEPTH`], for the fields and collections of the event around it.
    pub const MAX_DEPTH: usize = 60;

    /// Checks `text` as strictly as a frame is checked. Surrounding white space is removed, and raw
    /// line breaks between tokens become spaces.
    ///
    /// # Errors
    /// When `text` is no JSON value, holds a lone surrogate escape or nests deeper than
    /// [`Json::MAX_DEPTH`].
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        let raw = Scanner::new(text)
            .only_value(Self::MAX_DEPTH)
            .map_err(|error| {
                if matches!(error.reason(), Reason::TooDeep) {
                    FrameError::new(Reason::JsonTooDeep, error.at())
                } else {
                    error
                }
            })?;
        Ok(Self::of_raw(raw))
    }

    /// Writes `value` as JSON.
    ///
    /// ```
    /// use protocol_core::wire::Json;
    ///
    /// assert_eq!(Json::from_value(&("a", 1))?.get(), r#"["a",1]"#);
    /// # Ok::<(), protocol_core::wire::EncodeError>(())
    /// ```
    ///
    /// # Errors
    /// When `value` cannot be JSON or nests deeper than [`Json::MAX_DEPTH`].
    pub fn from_value<T: Serialize + ?Sized>(value: &T) -> Result<Self, EncodeError> {
        let too_deep = EncodeError::TooDeep {
            limit: Self::MAX_DEPTH,
        };
        let mut out = Vec::new();
        write::write_data(&mut out, value).map_err(|error| match error {
            EncodeError::TooDeep { .. } => too_deep.clone(),
            EncodeError::Json(_) => error,
        })?;
        let text = String::from_utf8(out).map_err(|error| EncodeError::Json(error.to_string()))?;
        Self::parse(&text).map_err(|error| match error.reason() {
            Reason::JsonTooDeep => too_deep,
            _ => EncodeError::Json(error.to_string()),
        })
    }

    /// `null`.
    pub fn null() -> Self {
        Self(RawValue::NULL.to_owned())
    }

    pub(super) fn of_raw(raw: RawData<'_>) -> Self {
        let mut bytes = raw.as_str().as_bytes().to_vec();
        write::unbreak(&mut bytes);
        let text = String::from_utf8(bytes).expect("a space for a line break keeps UTF-8");
        Self(RawValue::from_string(text).expect("the scanner is at least as strict"))
    }

    /// The JSON text.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// The JSON text, borrowed as the data of a frame is.
    pub fn as_raw(&self) -> RawData<'_> {
        RawData::scanned(self.get())
    }

    /// Decodes the value, as [`decode_data`](super::decode_data) does.
    ///
    /// ```
    /// use protocol_core::wire::Json;
    ///
    /// assert_eq!(Json::parse("[1,2]")?.decode::<Vec<u8>>()?, [1, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the value does not fit `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DataError> {
        super::decode_data(self.as_raw())
    }
}

impl Default for Json {
    fn default() -> Self {
        Self::null()
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for Json {}

impl Hash for Json {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.get().hash(state);
    }
}

impl fmt::Debug for Json {
    /// Shows at most the first 64 bytes, so that a log line stays one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.get();
        let shown = &text[..text.floor_char_boundary(64)];
        let more = if shown.len() < text.len() { "…" } else { "" };
        write!(f, "Json({shown}{more})")
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        // A frame's data passed already, but other texts may be deserialized as well.
        Scanner::new(raw.get())
            .only_value(MAX_DEPTH)
            .map_err(D::Error::custom)?;
        if memchr::memchr2(b'\n', b'\r', raw.get().as_bytes()).is_none() {
            return Ok(Self(raw));
        }
        Ok(Self::of_raw(RawData::scanned(raw.get())))
    }
}

#[cfg(test)]
mod tests {
    use super::super::ErrorCode;
    use super::*;

    fn nested(depth: usize) -> String {
        "[".repeat(depth) + &"]".repeat(depth)
    }

    #[test]
    fn depth_is_bounded_at_the_limit() {
        assert!(Json::parse(&nested(Json::MAX_DEPTH)).is_ok());
        let error = Json::parse(&nested(Json::MAX_DEPTH + 1)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::TooDeep);
        assert!(error.to_string().contains("60"), "{error}");
        for depth in [61, 64, 65, 100] {
            let value: serde_json::Value = serde_json::from_str(&nested(depth)).unwrap();
            let error = Json::from_value(&value).unwrap_err();
            assert_eq!(
                error,
                EncodeError::TooDeep {
                    limit: Json::MAX_DEPTH
                }
            );
        }
    }

    #[test]
    fn deserializing_is_as_strict_as_a_frame() {
        let json: Json = serde_json::from_str(&nested(MAX_DEPTH)).unwrap();
        assert_eq!(json.get(), nested(MAX_DEPTH));
        assert!(serde_json::from_str::<Json>(&nested(MAX_DEPTH + 1)).is_err());
        assert!(serde_json::from_str::<Json>(r#""\ud800""#).is_err());
        let json: Json = serde_json::from_str("[1,\r\n2]").unwrap();
        assert_eq!(json.get(), "[1,  2]");
    }

    #[test]
    fn a_value_tree_gives_json_as_well() {
        let value = serde_json::json!({"a": [1, null]});
        let json: Json = serde_json::from_value(value).unwrap();
        assert_eq!(json.get(), r#"{"a":[1,null]}"#);
    }

    #[test]
    fn text_survives() {
        for text in [
            "1.10000000000000000000001",
            r#"{"b":1,"a":2,"b":3}"#,
            "-0",
            "1e999",
        ] {
            let json = Json::parse(text).unwrap();
            assert_eq!(serde_json::to_string(&[json]).unwrap(), format!("[{text}]"));
        }
    }

    #[test]
    fn debug_is_bounded() {
        let json = Json::parse(&format!("\"{}\"", "é".repeat(100))).unwrap();
        let debug = format!("{json:?}");
        assert!(debug.len() < 80 && debug.ends_with("…)"), "{debug}");
        assert_eq!(format!("{:?}", Json::null()), "Json(null)");
        assert_eq!(Json::default(), Json::null());
    }
}
