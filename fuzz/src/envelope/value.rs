//! Values of members, as one byte and its arguments say them.

use crate::script::Script;

/// One of a few texts: which.
pub const TEXT: u8 = 0;
/// One of a few numbers: which.
pub const NUMBER: u8 = 1;
/// A number of two bytes.
pub const SMALL: u8 = 2;
/// A text of one character again and again: which, and how often (two bytes).
pub const LONG: u8 = 3;
/// Brackets in brackets: how many.
pub const DEEP: u8 = 4;
/// One of a few other values: which.
pub const OTHER: u8 = 5;
/// Bytes as they are, JSON or not: how many, and they.
pub const RAW: u8 = 6;
/// A text of any bytes in quotes: how many, and they.
pub const QUOTED: u8 = 7;
/// Forms that there are; any other byte is taken modulo this.
pub const COUNT: u8 = 8;

/// See [`TEXT`]; the types of frames first.
pub const TEXTS: [&str; 12] = [
    "pass",
    "confirm_pass",
    "request",
    "response",
    "later",
    "",
    "alice",
    "#room",
    "c0ffee",
    "0193-1",
    "protocol_error",
    r"\ud83d\ude00\n\u0000",
];

const NUMBERS: [&str; 16] = [
    "0",
    "1",
    "2",
    "9007199254740990",
    "9007199254740991",
    "9007199254740992",
    "18446744073709551615",
    "18446744073709551616",
    "-0",
    "-1",
    "1.0",
    "1e0",
    "01",
    "+1",
    "1e999",
    "1.",
];

const CHARACTERS: [&str; 4] = ["a", "\u{e9}", r"\u0061", r"\ud83d\ude00"];

const OTHERS: [&str; 10] = [
    "null",
    "true",
    "false",
    "{}",
    "[]",
    r#"{"code":"busy","message":"later","data":{"retry_after_ms":5}}"#,
    r#"{"code":"expect","data":{"seq":7}}"#,
    " [ 1 , { \"from\" : null } ] ",
    r#""\ud83d""#,
    r#"{"code":7,"message":[]}"#,
];

/// Appends the value that `form` and its arguments say.
pub fn write(form: u8, script: &mut Script<'_>, out: &mut Vec<u8>) {
    match form % COUNT {
        TEXT => {
            let text = TEXTS[script.argument() % TEXTS.len()];
            out.extend_from_slice(format!("\"{text}\"").as_bytes());
        }
        NUMBER => out.extend_from_slice(NUMBERS[script.argument() % NUMBERS.len()].as_bytes()),
        SMALL => out.extend_from_slice(script.wide_argument().to_string().as_bytes()),
        LONG => {
            let character = CHARACTERS[script.argument() % CHARACTERS.len()];
            let text = character.repeat(script.wide_argument() % 1_100);
            out.extend_from_slice(format!("\"{text}\"").as_bytes());
        }
        DEEP => {
            let levels = script.argument() % 140;
            let (open, close) = ("[".repeat(levels), "]".repeat(levels));
            out.extend_from_slice(format!("{open}{close}").as_bytes());
        }
        OTHER => out.extend_from_slice(OTHERS[script.argument() % OTHERS.len()].as_bytes()),
        RAW => {
            let count = script.argument();
            out.extend_from_slice(script.bytes(count));
        }
        _ => {
            let count = script.argument();
            out.push(b'"');
            // A quote would end the text.
            out.extend(script.bytes(count).iter().filter(|byte| **byte != b'"'));
            out.push(b'"');
        }
    }
}
