//! A change of the bindings as a line of text.
//!
//! ```text
//! bind 20415 8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a alice
//! use 20416 alice
//! unbind alice
//! ```
//!
//! The number is a [`Day`]. The id comes last, since spaces may stand in it, but no line end.

use std::fmt;

use crate::state::{Change, Day, is_id};

/// A change, to be written.
pub(super) struct Line<'a>(pub(super) &'a Change);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Change::Bind { id, key, used } => write!(f, "bind {} {key} {id}", used.0),
            Change::Use { id, used } => write!(f, "use {} {id}", used.0),
            Change::Unbind { id } => write!(f, "unbind {id}"),
        }
    }
}

/// Reads a line without its end.
///
/// # Errors
///
/// Says what is wrong with it.
pub(super) fn parse(line: &[u8]) -> Result<Change, String> {
    let line = str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())?;
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "bind" => {
            let (used, rest) = day(rest)?;
            let (key, id) = rest.split_once(' ').ok_or("an id is missing")?;
            let key = key.parse().map_err(|error| format!("{error}"))?;
            let id = checked(id)?.into();
            Ok(Change::Bind { id, key, used })
        }
        "use" => {
            let (used, id) = day(rest)?;
            let id = checked(id)?.into();
            Ok(Change::Use { id, used })
        }
        "unbind" => {
            let id = checked(rest)?.into();
            Ok(Change::Unbind { id })
        }
        _ => Err("a line starts with `bind`, `use` or `unbind`".to_owned()),
    }
}

fn day(rest: &str) -> Result<(Day, &str), String> {
    let (number, rest) = rest.split_once(' ').ok_or("an id is missing")?;
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    let day = number.parse().ok().filter(|_| digits);
    let day = day.ok_or_else(|| format!("{number:?} is no day, counted from 1970-01-01"))?;
    Ok((Day(day), rest))
}

fn checked(id: &str) -> Result<&str, String> {
    if is_id(id) {
        Ok(id)
    } else {
        Err(format!("{id:?} is no id in its case-folded form"))
    }
}

#[cfg(test)]
mod tests {
    use protocol_core::PublicKey;

    use super::*;
    use crate::state::PeerName;

    #[test]
    fn each_change_reads_as_it_was_written() {
        let key = PublicKey::from_bytes([0xA5; 32]);
        for name in ["alice", "a lice", "´alice", "字", "a\u{3000}b", "bind 1"] {
            let id: std::sync::Arc<str> = PeerName::new(name).unwrap().key().into();
            let used = Day(20_415);
            for change in [
                Change::Bind {
                    id: id.clone(),
                    key,
                    used,
                },
                Change::Use {
                    id: id.clone(),
                    used,
                },
                Change::Unbind { id: id.clone() },
            ] {
                let line = Line(&change).to_string();
                assert_eq!(parse(line.as_bytes()), Ok(change), "{line}");
            }
        }
    }
}
