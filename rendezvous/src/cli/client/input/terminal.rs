//! Puts the terminal back as it was, should the program end while a line is edited.

use std::io::{Write, stdin, stdout};

use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};

/// How the terminal was.
#[derive(Debug)]
pub(super) struct Terminal(Option<Termios>);

/// Ends what an editor asks of terminals, so that text can be pasted as a whole.
const NO_BRACKETED_PASTE: &[u8] = b"\x1b[?2004l";

impl Terminal {
    pub(super) fn remember() -> Self {
        Self(tcgetattr(stdin()).ok())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let Some(before) = self.0.take() else { return };
        if tcgetattr(stdin()).is_ok_and(|now| now == before) {
            return;
        }
        // Where the terminal is gone, there is nothing to put back.
        let _ = tcsetattr(stdin(), SetArg::TCSANOW, &before);
        let _ = stdout().write_all(NO_BRACKETED_PASTE);
        let _ = stdout().write_all(b"\n");
    }
}
