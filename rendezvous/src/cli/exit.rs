//! How the program ends, as the number that it leaves behind.

use std::io::{ErrorKind, Write, stderr};
use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Stopped = 0,
    Failed = 1,
    Usage = 2,
    CannotListen = 3,
    CutOff = 4,
    CannotConnect = 5,
    LoginRefused = 6,
    LinkLost = 7,
    KeyFile = 8,
    OtherKey = 9,
}

impl Exit {
    /// Says on stderr what is wrong with how the program was called.
    pub(super) fn usage(problems: &[String]) -> Self {
        let mut stderr = stderr().lock();
        for problem in problems {
            let _ = writeln!(stderr, "error: {problem}");
        }
        Self::Usage
    }
}

/// Whether a command failed for nobody reads its output any more: whoever did has seen enough, so
/// it ends as if it had stopped in order.
pub(super) fn is_unread(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The table of exit codes, as help shows it.
macro_rules! codes {
    () => {
        "Exit codes:
  0  stopped in order, or nobody reads the output any more
  1  failed for a reason that has no code of its own
  2  a flag, a variable or the configuration file is wrong
  3  cannot listen on the address
  4  stopped, but connections were cut off, or bindings are not written: something may be lost
  5  cannot connect to the server, or it does not answer
  6  the server refused the login
  7  the link to the server was lost
  8  a file of keys, tokens or bindings cannot be used
  9  the server holds another key than the one that is remembered or given"
    };
}
pub(super) use codes;
