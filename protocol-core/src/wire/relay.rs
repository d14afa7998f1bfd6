//! A frame on its way to another peer: its own line, with nothing changed but whom it names as its
//! sender.
//!
//! Must not know who may send what to whom.

use std::ops::Range;

use super::Frame;
use super::text::write_escaped;
use super::write::unbreak;

impl Frame<'_> {
    /// Appends the frame's own line with `from` in it, as a relay sends it on (`PROTOCOL.md` §8):
    /// whatever its sender wrote there is replaced, everything else stays byte for byte, members
    /// of later versions too. Changes to this struct's fields change nothing.
    ///
    /// Of `from_inc` the same holds where one is given. Where none is, a claimed one becomes
    /// `null`, and none is added.
    ///
    /// ```
    /// use protocol_core::wire::Frame;
    ///
    /// let frame = Frame::parse(br#"{"type":"pass","dest":"bob","name":"x","data":[1.0]}"#)?;
    /// let mut out = Vec::new();
    /// frame.relay("alice", None, &mut out);
    /// assert_eq!(
    ///     std::str::from_utf8(&out)?,
    ///     concat!(r#"{"from":"alice","type":"pass","dest":"bob","name":"x","data":[1.0]}"#, "\n"),
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn relay(&self, from: &str, from_inc: Option<&str>, out: &mut Vec<u8>) {
        let start = out.len();
        let (key, at, separator) = match &self.from_at {
            Some(at) => ("", at.clone(), ""),
            None => (r#""from":"#, self.inside(), ","),
        };
        let line = self.line.as_bytes();
        let sender = |out: &mut Vec<u8>| {
            out.extend_from_slice(key.as_bytes());
            text(out, from);
            if let (Some(inc), None) = (from_inc, &self.from_inc_at) {
                out.extend_from_slice(br#","from_inc":"#);
                text(out, inc);
            }
            out.extend_from_slice(separator.as_bytes());
        };
        let incarnation = |out: &mut Vec<u8>| match from_inc {
            Some(inc) => text(out, inc),
            None => out.extend_from_slice(b"null"),
        };

        out.reserve(self.relayed_size(from, from_inc));
        let rest = match &self.from_inc_at {
            Some(inc) if inc.start < at.start => {
                out.extend_from_slice(&line[..inc.start]);
                incarnation(out);
                out.extend_from_slice(&line[inc.end..at.start]);
                sender(out);
                at.end
            }
            Some(inc) => {
                out.extend_from_slice(&line[..at.start]);
                sender(out);
                out.extend_from_slice(&line[at.end..inc.start]);
                incarnation(out);
                inc.end
            }
            None => {
                out.extend_from_slice(&line[..at.start]);
                sender(out);
                at.end
            }
        };
        out.extend_from_slice(&line[rest..]);
        if memchr::memchr(b'\n', &out[start..]).is_some() {
            unbreak(&mut out[start..]);
        }
        out.push(b'\n');
    }

    /// The bytes that [`relay`](Self::relay) appends, or some more, where no text has to be escaped.
    pub(crate) fn relayed_size(&self, from: &str, from_inc: Option<&str>) -> usize {
        let stamps = r#""from":"","from_inc":"",_"#.len();
        self.line.len() + from.len() + from_inc.map_or(0, str::len) + stamps
    }

    /// Where the object starts inside; it is not empty, it has a `type`.
    fn inside(&self) -> Range<usize> {
        // Mostly the first byte, so that a search by blocks would only cost.
        let brace = self.line.bytes().position(|byte| byte == b'{');
        let at = brace.map_or(0, |brace| brace + 1);
        at..at
    }
}

/// A JSON string.
fn text(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    write_escaped(out, value);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relayed(line: &str, from: &str, from_inc: Option<&str>) -> String {
        let mut out = Vec::new();
        Frame::parse(line.as_bytes())
            .unwrap()
            .relay(from, from_inc, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_relayed_frame_names_its_sender_whatever_it_claimed() {
        for (line, expected) in [
            (
                r#"{"type":"pass","name":"x"}"#,
                r#"{"from":"ann","type":"pass","name":"x"}"#,
            ),
            (
                r#"{"type":"pass","from":"bob","name":"x"}"#,
                r#"{"type":"pass","from":"ann","name":"x"}"#,
            ),
            (
                r#"{"type":"pass","fr\u006fm" : null ,"name":"x"}"#,
                r#"{"type":"pass","fr\u006fm" : "ann" ,"name":"x"}"#,
            ),
            (
                r#" {  "seq":7,"data":{"from":"x"},"type":"pass","name":"x","from":"\u0062ob"} "#,
                r#" {  "seq":7,"data":{"from":"x"},"type":"pass","name":"x","from":"ann"} "#,
            ),
        ] {
            assert_eq!(relayed(line, "ann", None), format!("{expected}\n"));
        }
        let line = relayed(r#"{"type":"pass","name":"x"}"#, "a\"\\\u{e9}", None);
        let frame = Frame::parse(line.trim_end().as_bytes()).unwrap();
        assert_eq!(frame.from.as_deref(), Some("a\"\\\u{e9}"));
    }

    #[test]
    fn an_incarnation_is_the_relays_word_too() {
        for (line, known, unknown) in [
            (
                r#"{"type":"pass","name":"x"}"#,
                r#"{"from":"ann","from_inc":"1f","type":"pass","name":"x"}"#,
                r#"{"from":"ann","type":"pass","name":"x"}"#,
            ),
            (
                r#"{"type":"pass","from" : "bob" ,"name":"x"}"#,
                r#"{"type":"pass","from" : "ann","from_inc":"1f" ,"name":"x"}"#,
                r#"{"type":"pass","from" : "ann" ,"name":"x"}"#,
            ),
            (
                r#"{"type":"pass","from_inc":"bob","name":"x"}"#,
                r#"{"from":"ann","type":"pass","from_inc":"1f","name":"x"}"#,
                r#"{"from":"ann","type":"pass","from_inc":null,"name":"x"}"#,
            ),
            (
                r#"{"from_inc" : null,"type":"pass","from":null,"name":"x"}"#,
                r#"{"from_inc" : "1f","type":"pass","from":"ann","name":"x"}"#,
                r#"{"from_inc" : null,"type":"pass","from":"ann","name":"x"}"#,
            ),
            (
                r#"{"from":"x","type":"pass","data":{"from_inc":1},"name":"x","fro\u006d_inc":"b"}"#,
                r#"{"from":"ann","type":"pass","data":{"from_inc":1},"name":"x","fro\u006d_inc":"1f"}"#,
                r#"{"from":"ann","type":"pass","data":{"from_inc":1},"name":"x","fro\u006d_inc":null}"#,
            ),
        ] {
            assert_eq!(relayed(line, "ann", Some("1f")), format!("{known}\n"));
            assert_eq!(relayed(line, "ann", None), format!("{unknown}\n"));
        }
        let line = relayed(r#"{"type":"pass","name":"x"}"#, "ann", Some("\"\n"));
        let frame = Frame::parse(line.trim_end().as_bytes()).unwrap();
        assert_eq!(frame.delivery.from_inc.as_deref(), Some("\"\n"));
    }

    #[test]
    fn what_it_is_appended_to_stays() {
        let line = "{\"type\":\"pass\",\"name\":\"x\"}";
        let mut out = b"before\n".to_vec();
        let frame = Frame::parse(line.as_bytes()).unwrap();
        frame.relay("ann", Some("1f"), &mut out);
        assert!(out.starts_with(b"before\n{\"from\":\"ann\",\"from_inc\":\"1f\",\"type\""));
    }

    #[test]
    fn relaying_cannot_break_the_line() {
        let text = "{\"type\":\"pass\",\n\"name\":\"x\",\"data\":[1,\n2]}";
        let expected = "{\"from\":\"ann\",\"type\":\"pass\", \"name\":\"x\",\"data\":[1, 2]}\n";
        assert_eq!(relayed(text, "ann", None), expected);
    }
}
