//! Results, which go to stdout.

use std::io::{ErrorKind, Write, stderr, stdout};

use super::exit::Exit;

/// Writes `result` to stdout. Whoever asked may have closed the pipe meanwhile.
pub(super) fn print(result: &[u8]) -> Exit {
    let mut stdout = stdout().lock();
    match stdout.write_all(result).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let _ = writeln!(stderr(), "error: cannot write to stdout: {error}");
            Exit::Failed
        }
        _ => Exit::Stopped,
    }
}
