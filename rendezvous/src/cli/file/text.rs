//! Text in and out: what a file holds, what its values say, what is shown of it.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::Path;

use toml::de::DeValue;

/// Far longer than any file that sets each flag once.
const LONGEST: u64 = 64 * 1_024;

/// Names and values may be as long as a file; of what is longer the start says enough.
const LONGEST_SHOWN: usize = 200;

/// The text of the file at `path`.
pub(super) fn load(path: &Path) -> Result<String, String> {
    if path.is_dir() {
        return Err("is a directory: name a file in it".to_owned());
    }
    let file = fs::File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => "there is no such file: name another, or write one with \
                                `rendezvous check-config > FILE`"
            .to_owned(),
        _ => format!("cannot be opened: {error}"),
    })?;
    read(file, LONGEST)
}

/// The text of an open file of at most `longest` bytes.
pub(in crate::cli) fn read(file: fs::File, longest: u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    file.take(longest + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > longest {
        return Err(format!("is longer than {} KiB", longest / 1_024));
    }
    String::from_utf8(bytes).map_err(|error| {
        let right = error.utf8_error().valid_up_to();
        let line = line_at(&String::from_utf8_lossy(error.as_bytes()), right);
        format!("line {line} is not UTF-8: save the file in this encoding")
    })
}

/// The line of `text` that has the byte at `offset`, counted from 1.
pub(in crate::cli) fn line_at(text: &str, offset: usize) -> usize {
    let before = text.bytes().take(offset);
    1 + before.filter(|byte| *byte == b'\n').count()
}

/// What to say of a `line` that no parser understood, and why.
pub(super) fn syntax(line: &str, message: &str) -> String {
    let line = shown(line.trim());
    if message == "duplicate key" {
        return format!("'{line}' sets a key again: keep one");
    }
    format!(
        "'{line}' is no TOML ({message}): write a key and a value, with quotes around what is no \
         number, such as login-timeout = \"5s\""
    )
}

/// What to write on a command line to say `value`; none where it is more than one.
pub(super) fn of(value: &DeValue<'_>) -> Option<String> {
    Some(match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => number.to_string(),
            Err(_) => number.to_string(),
        },
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => return None,
    })
}

/// `text` without what could move the cursor or hide something, and not too long.
pub(in crate::cli) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (count, char) in text.chars().enumerate() {
        match char {
            _ if count == LONGEST_SHOWN => {
                shown.push('…');
                break;
            }
            '\'' | '"' | '\\' => shown.push(char),
            _ => shown.extend(char.escape_debug()),
        }
    }
    shown
}
