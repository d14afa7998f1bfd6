//! A client whose standard input is a script, whole or line by line.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
#[cfg(target_os = "linux")]
use std::process::Command;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::{Ended, WATCHDOG, program};

/// Runs `script` as `id` at `server`.
pub(crate) fn talk(server: SocketAddr, id: &str, flags: &[&str], script: &str) -> Ended {
    let mut talk = Talk::start(server, id, flags);
    talk.type_in(script);
    talk.end()
}

/// A client at work.
pub(crate) struct Talk {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Talk {
    pub(crate) fn start(server: SocketAddr, id: &str, flags: &[&str]) -> Self {
        let mut talk = Self::unread(server, id, flags);
        let stdout = talk.child.stdout.take();
        talk.stdout = lines(stdout.expect("it is piped"));
        talk
    }

    /// One whose output nobody reads.
    pub(crate) fn unread(server: SocketAddr, id: &str, flags: &[&str]) -> Self {
        let server = server.to_string();
        let mut command = program(&[&["client", "--id", id, &server], flags].concat());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let stderr = child.stderr.take().expect("it is piped");
        Self {
            stdin: child.stdin.take(),
            stdout: channel().1,
            stderr: lines(stderr),
            child,
        }
    }

    /// Goes, where the output was not read.
    pub(crate) fn close_output(&mut self) {
        self.child.stdout = None;
    }

    /// How many bytes it has written, wherever to.
    #[cfg(target_os = "linux")]
    pub(crate) fn written(&self) -> u64 {
        let counts = std::fs::read_to_string(format!("/proc/{}/io", self.child.id())).unwrap();
        let mut counts = counts.lines();
        let written = counts.find_map(|line| line.strip_prefix("wchar: "));
        written.expect("it is counted").parse().unwrap()
    }

    /// Whether it writes a line within `time`.
    #[cfg(target_os = "linux")]
    pub(crate) fn goes_on(&self, time: Duration) -> bool {
        self.stdout.recv_timeout(time).is_ok()
    }

    /// One that has logged in.
    pub(crate) fn logged_in(server: SocketAddr, id: &str) -> Self {
        let talk = Self::start(server, id, &[]);
        talk.until(&format!("logged in as {id}"));
        talk
    }

    /// Types lines. A client that has ended reads them no more.
    pub(crate) fn type_in(&mut self, lines: &str) {
        let stdin = self.stdin.as_mut().expect("it was not ended");
        let _ = stdin.write_all(lines.as_bytes());
    }

    /// Types lines that the client may never read.
    #[cfg(target_os = "linux")]
    pub(crate) fn type_ahead(&mut self, lines: String) {
        let mut stdin = self.stdin.take().expect("it was not ended");
        thread::spawn(move || stdin.write_all(lines.as_bytes()));
    }

    /// Sends a signal, such as `TERM`.
    #[cfg(target_os = "linux")]
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let kill = Command::new("kill").args(["-s", name, &id]).status();
        assert!(kill.expect("there is `kill`").success());
    }

    /// The first line from here on that has `word`.
    pub(crate) fn until(&self, word: &str) -> String {
        let mut passed = String::new();
        while let Some(line) = next(&self.stdout) {
            if line.contains(word) {
                return line;
            }
            passed += &line;
            passed.push('\n');
        }
        let complaints: Vec<_> = std::iter::from_fn(|| next(&self.stderr)).collect();
        panic!("no line has `{word}`: {passed}{complaints:?}");
    }

    /// Ends the script, and waits for the program to end.
    pub(crate) fn end(&mut self) -> Ended {
        self.stdin = None;
        self.ended()
    }

    /// Waits for the program to end by itself.
    pub(crate) fn ended(&mut self) -> Ended {
        let rest = |lines: &Receiver<String>| {
            let lines = std::iter::from_fn(|| next(lines));
            lines.map(|line| line + "\n").collect()
        };
        let (stdout, stderr) = (rest(&self.stdout), rest(&self.stderr));
        Ended {
            code: self.exit_code(),
            stdout,
            stderr,
        }
    }

    /// Waits for the program to end, whatever it still has to say.
    pub(crate) fn exit_code(&mut self) -> i32 {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code().expect("no signal ended it");
            }
            assert!(started.elapsed() < WATCHDOG, "the program goes on");
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn next(lines: &Receiver<String>) -> Option<String> {
    match lines.recv_timeout(WATCHDOG) {
        Ok(line) => Some(line),
        Err(RecvTimeoutError::Disconnected) => None,
        Err(RecvTimeoutError::Timeout) => panic!("the program writes nothing"),
    }
}
