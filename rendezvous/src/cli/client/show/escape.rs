//! Text of others, made harmless for a terminal and for whoever reads it.

use std::borrow::Cow;
use std::fmt::Write;

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Show nothing by themselves, and make one sign of several: emoji and letters need them.
const JOINERS: [char; 3] = ['\u{200C}', '\u{200D}', '\u{FE0F}'];

/// Looks like a space, and is none.
const BLANK: char = '\u{2800}';

/// `text` with each character that could steer a terminal, turn the direction of text or show
/// nothing written as JSON escapes it: JSON stays JSON of the same value.
pub(in crate::cli::client) fn escaped(text: &str) -> Cow<'_, str> {
    escaped_where(text, |c| is_unsafe(c) && !JOINERS.contains(&c))
}

/// A name of another's as it stands in a line: as JSON where anything in it could be taken for
/// more than a name.
pub(in crate::cli) fn quoted(name: &str) -> Cow<'_, str> {
    if name.split(' ').all(is_word) {
        return Cow::Borrowed(name);
    }
    let json = serde_json::to_string(name).unwrap_or_default();
    Cow::Owned(escaped_where(&json, is_unsafe).into_owned())
}

fn is_word(text: &str) -> bool {
    let plain = |c: char| matches!(c, '_' | '-' | '.') || (c.is_alphanumeric() && !is_unsafe(c));
    !text.is_empty() && text.chars().all(plain)
}

fn escaped_where(text: &str, is_unsafe: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

fn is_unsafe(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    // Bidi controls are format characters.
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    matches!(
        category,
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::Unassigned
    ) || c == BLANK
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        for (text, expected) in [
            (
                "plain, ünïcödé, 日本, 👩‍👩‍👧, ❤\u{fe0f}",
                "plain, ünïcödé, 日本, 👩‍👩‍👧, ❤\u{fe0f}",
            ),
            ("\x1b[2J\x07\r\n\t", r"\u001b[2J\u0007\u000d\u000a\u0009"),
            ("\x7f\u{9b}31m", r"\u007f\u009b31m"),
            ("a\u{202e}b\u{2066}c\u{200f}", r"a\u202eb\u2066c\u200f"),
            ("\u{2028}\u{2029}\u{feff}", r"\u2028\u2029\ufeff"),
            ("\u{e0001}\u{378}", r"\udb40\udc01\u0378"),
            (
                "\u{3164}\u{115f}\u{1160}\u{ffa0}",
                r"\u3164\u115f\u1160\uffa0",
            ),
            (
                "\u{2800}\u{34f}\u{fe0e}\u{e0100}",
                r"\u2800\u034f\ufe0e\udb40\udd00",
            ),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn a_name_that_could_be_more_stands_in_quotes() {
        for name in ["bob", "my room", "a_b-c.d", "Zoë", "日本", "server"] {
            assert_eq!(quoted(name), name);
        }
        for (name, expected) in [
            ("", r#""""#),
            (" bob", r#"" bob""#),
            ("a  b", r#""a  b""#),
            ("a\u{a0}b", "\"a\u{a0}b\""),
            ("bob>", r#""bob>""#),
            (r#"a"b"#, r#""a\"b""#),
            ("lobby (r1): left", r#""lobby (r1): left""#),
            ("bob\u{200d}", r#""bob\u200d""#),
            ("bob\u{3164}", r#""bob\u3164""#),
            ("\u{9b}\n", r#""\u009b\n""#),
        ] {
            assert_eq!(quoted(name), expected);
        }
    }

    #[test]
    fn escaped_json_means_the_same() {
        let json = "{\"a\u{202e}\":\"\u{9b}\u{e0001}\u{7f}\u{2800}\"}";
        let safe = escaped(json);
        assert!(safe.is_ascii(), "{safe}");
        let (before, after): (serde_json::Value, serde_json::Value) = (
            serde_json::from_str(json).unwrap(),
            serde_json::from_str(&safe).unwrap(),
        );
        assert_eq!(before, after);
    }
}
