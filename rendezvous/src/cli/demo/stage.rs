//! The transcript: one line for each thing that is done or heard, in columns.
//!
//! Knows no events and no sockets.

use std::io::{self, Write, stdout};
use std::time::Duration;

use tokio::time::sleep;

/// Who the server is in the transcript.
pub(super) const SERVER: &str = "server";

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Sends,
    Gets,
    Refused,
}

/// Where the transcript is written.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) colors: bool,
    /// After each line, so that it can be read.
    pub(super) pause: Duration,
}

impl Stage {
    /// Begins a scene, with a line above it.
    pub(super) async fn scene(&self, title: &str) -> io::Result<()> {
        let line = format!("\n{}", self.paint("1", title));
        self.print(&line).await
    }

    /// `who` sends or gets an event.
    pub(super) async fn line(
        &self,
        who: &str,
        sign: Sign,
        event: &str,
        text: &str,
    ) -> io::Result<()> {
        let who = self.paint(color_of(who), &format!("{who:<6}"));
        let (arrow, text) = match sign {
            Sign::Sends => (">", text.to_owned()),
            Sign::Gets => ("<", text.to_owned()),
            Sign::Refused => ("<", self.paint("31", text)),
        };
        let line = format!("  {who} {arrow} {event:<14} {text}");
        self.print(line.trim_end()).await
    }

    pub(super) async fn print(&self, line: &str) -> io::Result<()> {
        {
            let mut stdout = stdout().lock();
            writeln!(stdout, "{line}")?;
            stdout.flush()?;
        }
        sleep(self.pause).await;
        Ok(())
    }

    fn paint(&self, color: &str, text: &str) -> String {
        if self.colors {
            format!("\x1b[{color}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Each player has a color.
fn color_of(who: &str) -> &'static str {
    match who {
        "alice" => "36",
        "bob" => "33",
        "carol" => "35",
        _ => "1",
    }
}
