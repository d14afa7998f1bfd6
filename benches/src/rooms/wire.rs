//! The client's frames, written by hand, so that the client costs little beside the server.
//!
//! Knows no socket.

use std::borrow::Cow;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::value::RawValue;

/// What a broadcast takes on the wire with its line end, whatever it says.
const SAYING: usize = 150;

/// Appends a request to the server; a client has one at a time, so the id need not change.
pub(crate) fn request(name: &str, data: &str) -> String {
    format!(r#"{{"type":"request","name":"{name}","data":{data},"request_id":"1"}}"#) + "\n"
}

/// A pass with a number for one peer, or for a room where `dest` starts with `#`.
pub(crate) fn saying(dest: &str, number: u64) -> String {
    let mut frame = format!(
        r#"{{"type":"pass","dest":"{dest}","name":"say","data":{{"number":{number},"text":""#
    );
    let end = "\"}}\n";
    let text = SAYING.saturating_sub(frame.len() + end.len());
    frame.extend(std::iter::repeat_n('.', text));
    frame + end
}

/// What a client hears.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    /// A pass of another client.
    Saying { number: u64 },
    /// Something about a room.
    News,
    /// The answer to its request: the id of what it is about, if that has one.
    Answer { id: Option<String> },
}

#[derive(Debug, Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    from: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct Saying {
    number: u64,
}

#[derive(Debug, Deserialize)]
struct Answered {
    id: Option<String>,
}

/// Reads a line; fails on an error, and on what no client should hear under this load.
pub(crate) fn read(line: &[u8]) -> Result<Heard> {
    let unexpected = || format!("unexpected: {}", String::from_utf8_lossy(line));
    let Frame {
        kind,
        name,
        from,
        data,
    } = serde_json::from_slice(line).with_context(unexpected)?;
    let data = data.with_context(unexpected)?.get();
    match (&*kind, &*name, from) {
        ("pass", "say", Some(_)) => {
            let Saying { number } = serde_json::from_str(data)?;
            Ok(Heard::Saying { number })
        }
        ("pass", "self_joined" | "self_left" | "player_joined" | "player_left", None) => {
            Ok(Heard::News)
        }
        ("response", _, None) => {
            let Answered { id } = serde_json::from_str(data)?;
            Ok(Heard::Answer { id })
        }
        _ => Err(anyhow::Error::msg(unexpected())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sayings_are_of_one_length_and_are_read_back() -> Result<()> {
        for (dest, number) in [("#0123456789abcdef", 0), ("client-17", 1_234_567)] {
            let frame = saying(dest, number);
            assert_eq!(frame.len(), 150);
            let relayed = frame.trim_end().replacen('{', r#"{"from":"client-1","#, 1);
            assert_eq!(read(relayed.as_bytes())?, Heard::Saying { number });
            assert!(read(frame.as_bytes()).is_err(), "nobody has sent it");
        }
        Ok(())
    }

    #[test]
    fn a_refusal_fails() {
        let refused = br#"{"type":"response","name":"join_room","request_id":"1","error":{"code":"room_full"}}"#;
        assert!(read(refused).is_err());
    }
}
