//! A line of output, made of pieces that are escaped and colored where they are printed.

use std::fmt::Write;

use protocol_core::Json;

use super::escape::{escaped, quoted};
use super::redact::redacted;

/// A line that is safe whoever its words are from.
#[derive(Debug, Default, Clone)]
pub(in crate::cli::client) struct Line(Vec<Piece>);

#[derive(Debug, Clone)]
struct Piece {
    tone: Tone,
    text: String,
    is_json: bool,
}

/// How a piece of a line is shown where there are colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::client) enum Tone {
    Plain,
    /// Less important than the rest.
    Dim,
    /// A name of an event or a command.
    Strong,
    /// A peer.
    Who,
    /// Something went wrong.
    Bad,
}

impl Tone {
    const fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Dim => Some("2"),
            Self::Strong => Some("1"),
            Self::Who => Some("36"),
            Self::Bad => Some("31"),
        }
    }
}

impl Line {
    pub(in crate::cli::client) fn new(text: impl Into<String>) -> Self {
        Self::default().then(Tone::Plain, text)
    }

    /// The line with more text.
    pub(in crate::cli::client) fn then(mut self, tone: Tone, text: impl Into<String>) -> Self {
        self.0.push(Piece {
            tone,
            text: text.into(),
            is_json: false,
        });
        self
    }

    /// The line with a peer as whose it is. Nothing else stands in these brackets.
    pub(in crate::cli::client) fn peer(self, id: &str) -> Self {
        self.then(Tone::Who, format!("<{}>", quoted(id)))
    }

    /// The line with what somebody sent.
    pub(in crate::cli::client) fn json(mut self, json: &Json) -> Self {
        self.0.push(Piece {
            tone: Tone::Plain,
            // Outside of strings, a tab is white space as any other.
            text: json.get().replace('\t', " "),
            is_json: true,
        });
        self
    }

    /// The line as it is printed, without its end. Pieces are cut after `longest` bytes.
    pub(super) fn render(&self, colors: bool, longest: usize) -> String {
        let mut shown = String::new();
        for piece in &self.0 {
            let secretless = if piece.is_json {
                redacted(&piece.text)
            } else {
                piece.text.as_str().into()
            };
            let safe = escaped(&secretless);
            let text = &safe[..safe.floor_char_boundary(longest)];
            let color = piece.tone.code().filter(|_| colors);
            // Writing to a string does not fail.
            let _ = match color {
                Some(code) => write!(shown, "\x1b[{code}m{text}\x1b[0m"),
                None => write!(shown, "{text}"),
            };
            if text.len() < safe.len() {
                let _ = write!(shown, "… ({} bytes in all)", safe.len());
            }
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_cannot_steer_the_terminal() {
        let data = Json::parse("{\"a\":\t\"\u{9b}31m\",\"token\":\"t0p\"}").unwrap();
        let line = Line::default()
            .peer("bob\x1b[31m")
            .then(Tone::Plain, " ")
            .json(&data);
        let json = r#"{"a": "\u009b31m","token":"[redacted]"}"#;
        let bob = r#"<"bob\u001b[31m">"#;
        assert_eq!(line.render(false, 100), format!("{bob} {json}"));
        assert_eq!(
            line.render(true, 100),
            format!("\x1b[36m{bob}\x1b[0m {json}")
        );
    }

    #[test]
    fn what_is_long_is_cut() {
        assert_eq!(Line::new("äbc").render(false, 4), "äbc");
        assert_eq!(Line::new("äbc").render(false, 3), "äb… (4 bytes in all)");
    }
}
