//! Text of others, made harmless for a terminal.

use std::borrow::Cow;
use std::fmt::Write;

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

/// Joins emoji and letters, and does nothing else.
const JOINERS: [char; 2] = ['\u{200C}', '\u{200D}'];

/// `text` with each character that could steer a terminal, turn the direction of text or show
/// nothing written as JSON escapes it: JSON stays JSON of the same value.
pub(in crate::cli::client) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
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
    match CodePointMapData::<GeneralCategory>::new().get(c) {
        GeneralCategory::Control
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator
        | GeneralCategory::Unassigned => true,
        GeneralCategory::Format => !JOINERS.contains(&c),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        for (text, expected) in [
            ("plain, ünïcödé, 日本, 👩‍👩‍👧", "plain, ünïcödé, 日本, 👩‍👩‍👧"),
            ("\x1b[2J\x07\r\n\t", r"\u001b[2J\u0007\u000d\u000a\u0009"),
            ("\x7f\u{9b}31m", r"\u007f\u009b31m"),
            ("a\u{202e}b\u{2066}c\u{200f}", r"a\u202eb\u2066c\u200f"),
            ("\u{2028}\u{2029}\u{feff}", r"\u2028\u2029\ufeff"),
            ("\u{e0001}\u{378}", r"\udb40\udc01\u0378"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn escaped_json_means_the_same() {
        let json = "{\"a\u{202e}\":\"\u{9b}\u{e0001}\u{7f}\"}";
        let safe = escaped(json);
        assert!(safe.is_ascii(), "{safe}");
        let (before, after): (serde_json::Value, serde_json::Value) = (
            serde_json::from_str(json).unwrap(),
            serde_json::from_str(&safe).unwrap(),
        );
        assert_eq!(before, after);
    }
}
