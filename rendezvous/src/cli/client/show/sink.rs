//! Where lines go: straight to stdout, or around the line that is being edited.

use std::io::{self, Write, stderr, stdout};
use std::sync::mpsc::{SyncSender, TrySendError};

/// Where lines go.
#[derive(Debug)]
pub(in crate::cli::client) enum Sink {
    /// Each line is written before anything else happens.
    Stdout,
    /// A thread of its own prints them, since the editor may let it wait.
    Editor {
        lines: SyncSender<String>,
        /// Lines that found no room since one last did.
        missed: u64,
    },
}

impl Sink {
    pub(in crate::cli::client) fn editor(lines: SyncSender<String>) -> Self {
        Self::Editor { lines, missed: 0 }
    }

    /// Prints one line.
    pub(super) fn print(&mut self, mut line: String) -> io::Result<()> {
        line.push('\n');
        match self {
            Self::Stdout => {
                let mut stdout = stdout().lock();
                stdout.write_all(line.as_bytes())?;
                stdout.flush()
            }
            Self::Editor { lines, missed } => {
                if *missed > 0 {
                    line =
                        format!("-- {missed} lines are left out: the terminal is too slow\n{line}");
                }
                match lines.try_send(line) {
                    Ok(()) => *missed = 0,
                    Err(TrySendError::Full(_)) => *missed += 1,
                    Err(TrySendError::Disconnected(_)) => {
                        return Err(io::ErrorKind::BrokenPipe.into());
                    }
                }
                Ok(())
            }
        }
    }

    /// Writes one line to stderr, where that is open.
    pub(super) fn complain(line: &str) {
        let _ = writeln!(stderr(), "{line}");
    }
}
