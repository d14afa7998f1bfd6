//! A client whose standard input is a script, whole or line by line.

use std::io::{PipeReader, Write, pipe};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use protocol_tests::Process;

use crate::process::{Ended, program};

/// Runs `script` as `id` at `server`.
pub(crate) fn talk(server: SocketAddr, id: &str, flags: &[&str], script: &str) -> Ended {
    let mut talk = Talk::start(server, id, flags);
    talk.type_in(script);
    talk.end()
}

/// A client at work.
pub(crate) struct Talk {
    process: Process,
    /// Its output, where nobody reads it.
    unread: Option<PipeReader>,
}

fn client(server: SocketAddr, id: &str, flags: &[&str]) -> Command {
    program(&[&["client", "--id", id, &server.to_string()], flags].concat())
}

impl Talk {
    pub(crate) fn start(server: SocketAddr, id: &str, flags: &[&str]) -> Self {
        Self {
            process: Process::start_typed(client(server, id, flags)),
            unread: None,
        }
    }

    /// One whose output nobody reads.
    pub(crate) fn unread(server: SocketAddr, id: &str, flags: &[&str]) -> Self {
        let (reader, writer) = pipe().unwrap();
        let (stdin, stderr) = (Stdio::piped(), Stdio::piped());
        let command = client(server, id, flags);
        Self {
            process: Process::start_with(command, stdin, writer.into(), stderr),
            unread: Some(reader),
        }
    }

    /// Goes, where the output was not read.
    pub(crate) fn close_output(&mut self) {
        self.unread = None;
    }

    /// How many bytes it has written, wherever to.
    #[cfg(target_os = "linux")]
    pub(crate) fn written(&self) -> u64 {
        let counts = std::fs::read_to_string(format!("/proc/{}/io", self.process.id())).unwrap();
        let mut counts = counts.lines();
        let written = counts.find_map(|line| line.strip_prefix("wchar: "));
        written.expect("it is counted").parse().unwrap()
    }

    /// Whether it writes a line within `time`.
    #[cfg(target_os = "linux")]
    pub(crate) fn goes_on(&self, time: Duration) -> bool {
        self.process.stdout.next_within(time).is_some()
    }

    /// One that has logged in.
    pub(crate) fn logged_in(server: SocketAddr, id: &str) -> Self {
        let talk = Self::start(server, id, &[]);
        talk.until(&format!("logged in as {id}"));
        talk
    }

    /// Types lines. A client that has ended reads them no more.
    pub(crate) fn type_in(&mut self, lines: &str) {
        self.process.types(lines);
    }

    /// Types lines that the client may never read.
    #[cfg(target_os = "linux")]
    pub(crate) fn type_ahead(&mut self, lines: String) {
        let mut stdin = self.process.stdin.take().expect("it was not ended");
        thread::spawn(move || stdin.write_all(lines.as_bytes()));
    }

    /// Sends a signal, such as `TERM`.
    #[cfg(target_os = "linux")]
    pub(crate) fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// The first line from here on that has `word`.
    pub(crate) fn until(&self, word: &str) -> String {
        self.process.stdout.until(word)
    }

    /// Ends the script, and waits for the program to end.
    pub(crate) fn end(&mut self) -> Ended {
        self.process.stdin = None;
        self.ended()
    }

    /// Waits for the program to end by itself.
    pub(crate) fn ended(&mut self) -> Ended {
        let stdout = self.process.stdout.rest();
        let stderr = self.process.stderr.rest();
        Ended {
            code: self.exit_code(),
            stdout,
            stderr,
        }
    }

    /// Waits for the program to end, whatever it still has to say.
    pub(crate) fn exit_code(&mut self) -> i32 {
        self.process.exit_code()
    }
}
