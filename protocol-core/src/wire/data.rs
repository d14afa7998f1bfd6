//! From the data of a frame to an event's fields, and why that can fail.
//!
//! Knows serde's words for a misfit; must not know which events exist. What it reports names the
//! schema's side only, never a received value.

use serde::de::DeserializeOwned;

use super::{ErrorCode, Json, RawData, WireError};

/// Why `data` does not fit an event.
///
/// ```
/// use protocol_core::wire::{RawData, decode_data};
///
/// let error = decode_data::<Vec<u8>>(RawData::parse("[1,\"pin 1234\"]")?).unwrap_err();
/// assert_eq!(error.path, "[1]");
/// assert_eq!(error.expected, "u8");
/// assert_eq!(error.to_string(), "the data does not fit the event at `[1]`: expected u8");
/// # Ok::<(), protocol_core::wire::FrameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the data does not fit the event at `{path}`: {}", spoken(.expected))]
pub struct DataError {
    /// Where it does not fit, like `players[2].name`; `.` is the whole. At most 256 bytes.
    pub path: String,
    /// What was expected there.
    pub expected: String,
}

impl DataError {
    /// The longest `path`, in bytes: the keys of maps in it are the sender's.
    pub const MAX_PATH_BYTES: usize = 256;
}

impl From<DataError> for WireError {
    /// Code `bad_data`, with `data` of `{"path","expected"}` (`PROTOCOL.md` §5).
    fn from(error: DataError) -> Self {
        let data = serde_json::json!({ "path": error.path, "expected": error.expected });
        let message = error.to_string();
        Self {
            data: Json::from_value(&data).ok(),
            ..Self::new(ErrorCode::BadData, message)
        }
    }
}

/// Decodes the fields of an event (`PROTOCOL.md` §4).
///
/// `null` and an empty object stand for each other, so that events whose fields are all optional,
/// and those without fields, take absent, `null` and `{}`.
///
/// ```
/// use protocol_core::wire::{RawData, decode_data};
///
/// assert_eq!(decode_data::<()>(RawData::NULL)?, ());
/// assert_eq!(decode_data::<()>(RawData::parse("{ }")?)?, ());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When `data` does not fit `T`.
pub fn decode_data<T: DeserializeOwned>(data: RawData<'_>) -> Result<T, DataError> {
    serde_json::from_str(data.as_str()).or_else(|_| decode_again(data.as_str()))
}

#[cold]
fn decode_again<T: DeserializeOwned>(data: &str) -> Result<T, DataError> {
    if data == "null" {
        // What an empty object lacks tells more than that `null` is none.
        return serde_json::from_str("{}").or_else(|_| locate("{}"));
    }
    if is_empty_object(data)
        && let Ok(value) = serde_json::from_str("null")
    {
        return Ok(value);
    }
    locate(data)
}

/// Decodes once more, keeping track of the path.
fn locate<T: DeserializeOwned>(data: &str) -> Result<T, DataError> {
    let mut deserializer = serde_json::Deserializer::from_str(data);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let mut path = error.path().to_string();
        if path.len() > DataError::MAX_PATH_BYTES {
            path.truncate(path.floor_char_boundary(DataError::MAX_PATH_BYTES - '…'.len_utf8()));
            path.push('…');
        }
        DataError {
            path,
            expected: expected(&error.inner().to_string()),
        }
    })
}

fn is_empty_object(data: &str) -> bool {
    data.strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|inner| inner.bytes().all(|byte| byte.is_ascii_whitespace()))
}

/// The schema's part of one of serde's own messages; a fixed phrase for any other message, which
/// may hold received values.
fn expected(message: &str) -> String {
    let message = message
        .rfind(" at line ")
        .map_or(message, |end| &message[..end]);
    let of_field = ["missing field `", "duplicate field `"]
        .iter()
        .any(|prefix| {
            message
                .strip_prefix(prefix)
                .and_then(|rest| rest.strip_suffix('`'))
                .is_some_and(|field| !field.contains('`'))
        });
    if of_field {
        return message.to_owned();
    }
    let of_shape = [
        "invalid type: ",
        "invalid value: ",
        "invalid length ",
        "unknown variant `",
        "unknown field `",
    ]
    .iter()
    .any(|prefix| message.starts_with(prefix));
    if of_shape {
        if message.ends_with("`, there are no variants") {
            return "no variant at all".to_owned();
        }
        if message.ends_with("`, there are no fields") {
            return "no field at all".to_owned();
        }
        if let Some((_, expected)) = message.rsplit_once(", expected ") {
            return in_json_words(expected).to_owned();
        }
    }
    "a value that fits the event".to_owned()
}

/// Rust's names mean nothing to a peer in another language.
fn in_json_words(expected: &str) -> &str {
    let one_word = |prefix| {
        expected
            .strip_prefix(prefix)
            .is_some_and(|name| !name.contains(' '))
    };
    match expected {
        "a map" => "an object",
        "a sequence" => "an array",
        "unit" => "null",
        _ if one_word("struct ") || one_word("struct variant ") => "an object",
        _ if one_word("unit struct ") => "null or an empty object",
        _ => expected,
    }
}

/// `expected` as the end of a sentence.
fn spoken(expected: &str) -> String {
    if expected.starts_with("missing field") || expected.starts_with("duplicate field") {
        expected.to_owned()
    } else {
        format!("expected {expected}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    struct Seat {
        table: Option<u8>,
        #[serde(default)]
        name: String,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Unit;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        #[expect(dead_code, reason = "only decoded")]
        seat: u8,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only decoded")]
    enum Color {
        Red,
        Custom { r: u8 },
    }

    #[derive(Debug, Deserialize)]
    enum Never {}

    fn decode<T: DeserializeOwned>(data: &str) -> Result<T, DataError> {
        decode_data(RawData::parse(data).unwrap())
    }

    fn refusal<T: DeserializeOwned + std::fmt::Debug>(data: &str) -> (String, String) {
        let error = decode::<T>(data).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        (error.path, error.expected)
    }

    fn at(path: &str, expected: &str) -> (String, String) {
        (path.to_owned(), expected.to_owned())
    }

    #[test]
    fn null_and_the_empty_object_stand_for_each_other() {
        for data in ["null", "{}", "{ \t}"] {
            assert_eq!(decode::<Seat>(data).unwrap(), Seat::default(), "{data}");
            assert_eq!(decode::<Unit>(data).unwrap(), Unit, "{data}");
            assert_eq!(
                decode::<Option<Seat>>(data).unwrap().unwrap_or_default(),
                Seat::default()
            );
        }
        assert!(decode::<Unit>("{\"a\":1}").is_err());
        assert!(decode::<Unit>("[]").is_err());
    }

    #[test]
    fn the_path_leads_to_the_misfit() {
        type Table = HashMap<String, Vec<Seat>>;
        assert_eq!(
            refusal::<Table>(r#"{"players":[{},{},{"name":["secret"]}]}"#),
            at("players[2].name", "a string")
        );
        assert_eq!(refusal::<Seat>(r#"{"table":"secret"}"#), at("table", "u8"));
        assert_eq!(refusal::<Seat>(r#""secret""#), at(".", "an object"));
    }

    #[test]
    fn a_missing_field_is_named_whatever_was_left_out() {
        for data in ["null", "{}", r#"{ "x" : 1 }"#] {
            #[derive(Debug, Deserialize)]
            #[expect(dead_code, reason = "only decoded")]
            struct Needs {
                seat: u8,
            }
            let error = decode::<Needs>(data).unwrap_err();
            assert_eq!(error.expected, "missing field `seat`", "{data}");
            assert!(
                error.to_string().ends_with(": missing field `seat`"),
                "{error}"
            );
        }
        let twice = refusal::<Seat>(r#"{"name":"secret","name":"secret"}"#);
        assert_eq!(twice.1, "duplicate field `name`");
    }

    #[test]
    fn no_shape_of_message_echoes_what_was_received() {
        assert_eq!(refusal::<u8>("\"secret, expected secret\"").1, "u8");
        assert_eq!(refusal::<u8>("300").1, "u8");
        assert_eq!(refusal::<(u8, u8)>("[1]").1, "a tuple of size 2");
        assert_eq!(
            refusal::<Color>("\"secret`, expected \"").1,
            "`Red` or `Custom`"
        );
        assert_eq!(
            refusal::<Never>("\"secret, expected secret\"").1,
            "no variant at all"
        );
        assert_eq!(refusal::<Color>("{\"Custom\":7}").1, "an object");
        assert_eq!(
            refusal::<bool>("\"secret at line 1 column 2\"").1,
            "a boolean"
        );
        assert_eq!(refusal::<f64>("1e999").1, "a value that fits the event");
        assert_eq!(refusal::<Vec<u8>>("{\"secret\":1}").1, "an array");
        let unknown = decode::<Strict>(r#"{"seat":1,"bogus":2}"#).unwrap_err();
        assert_eq!(unknown.expected, "`seat`");
    }

    #[test]
    fn custom_messages_are_replaced() {
        #[derive(Debug)]
        struct Chatty;
        impl<'de> Deserialize<'de> for Chatty {
            fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
                let text = String::deserialize(source)?;
                Err(serde::de::Error::custom(format!(
                    "{text} is bad, expected {text}"
                )))
            }
        }
        assert_eq!(
            refusal::<Chatty>("\"secret\"").1,
            "a value that fits the event"
        );
        assert_eq!(
            refusal::<Chatty>("\"missing field `secret\"").1,
            "a value that fits the event"
        );
    }

    #[test]
    fn a_path_is_bounded() {
        type Map = HashMap<String, u8>;
        let data = |length| format!("{{\"{}\":\"x\"}}", "é".repeat(length));
        let fits = DataError::MAX_PATH_BYTES / 2;
        assert_eq!(
            decode::<Map>(&data(fits)).unwrap_err().path,
            "é".repeat(fits)
        );
        let cut = decode::<Map>(&data(fits + 1)).unwrap_err().path;
        assert!(
            cut.len() <= DataError::MAX_PATH_BYTES && cut.ends_with("é…"),
            "{cut}"
        );
    }

    #[test]
    fn numbers_and_raw_parts_keep_their_text() {
        let json: Vec<Json> = decode("[1.10, {\"b\":1,\"b\":2}]").unwrap();
        assert_eq!(json[0].get(), "1.10");
        assert_eq!(json[1].get(), "{\"b\":1,\"b\":2}");
        let (path, _) = refusal::<HashMap<String, (Json, u8)>>(r#"{"a":[{"x":1},"secret"]}"#);
        assert_eq!(path, "a[1]");
    }

    #[test]
    fn it_becomes_bad_data_on_the_wire() {
        let error = WireError::from(decode::<Vec<u8>>("[1,\"secret\"]").unwrap_err());
        assert_eq!(error.standard(), Some(ErrorCode::BadData));
        assert_eq!(
            error.data.unwrap().get(),
            r#"{"expected":"u8","path":"[1]"}"#
        );
    }
}
