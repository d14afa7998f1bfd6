//! A program as a process: typed into and read line by line, killed on drop.

use std::io::{BufRead, BufReader, Read, Write, empty};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that a test waits for a process to write or to end.
pub const WATCHDOG: Duration = Duration::from_mins(1);

/// A process at work.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// What can be typed into; none is what Ctrl-D leaves.
    pub stdin: Option<ChildStdin>,
    /// What it prints, where that is piped.
    pub stdout: Lines,
    /// What it complains of, where that is piped.
    pub stderr: Lines,
}

impl Process {
    /// Starts a program that nobody types into.
    pub fn start(command: Command) -> Self {
        Self::start_with(command, Stdio::null(), Stdio::piped(), Stdio::piped())
    }

    /// Starts a program that is typed into.
    pub fn start_typed(command: Command) -> Self {
        Self::start_with(command, Stdio::piped(), Stdio::piped(), Stdio::piped())
    }

    /// Starts a program with these streams.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub fn start_with(mut command: Command, stdin: Stdio, stdout: Stdio, stderr: Stdio) -> Self {
        command.stdin(stdin).stdout(stdout).stderr(stderr);
        let mut child = command.spawn().expect("the program starts");
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        Self {
            stdin: child.stdin.take(),
            stdout: stdout.map_or_else(|| Lines::of(empty()), Lines::of),
            stderr: stderr.map_or_else(|| Lines::of(empty()), Lines::of),
            child,
        }
    }

    /// The system's number for it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where a server listens, by its first line.
    ///
    /// # Panics
    ///
    /// Where that line says something else.
    pub fn address(&self) -> SocketAddr {
        let line = self.stdout.next().expect("a first line");
        let address = line.strip_prefix("listening on ");
        address.expect(&line).parse().expect(&line)
    }

    /// Types lines. A program that has ended reads them no more.
    ///
    /// # Panics
    ///
    /// Where it is not typed into.
    pub fn types(&mut self, lines: &str) {
        let stdin = self.stdin.as_mut().expect("Ctrl-D came later");
        let _ = stdin.write_all(lines.as_bytes());
    }

    /// Sends a signal, such as `TERM`.
    ///
    /// # Panics
    ///
    /// Where there is no such signal or no `kill`.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let kill = Command::new("kill").args(["-s", name, &id]).status();
        assert!(kill.expect("there is `kill`").success());
    }

    /// Waits for the end, whatever is still to be read.
    ///
    /// # Panics
    ///
    /// Where it does not come in time, or by a signal.
    pub fn exit_code(&mut self) -> i32 {
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

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lines as they are written.
#[derive(Debug)]
pub struct Lines(Receiver<String>);

impl Lines {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let (sender, receiver) = channel();
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines() {
                // A test that no longer looks closes the pipe.
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self(receiver)
    }

    /// The next line; none after the last.
    ///
    /// # Panics
    ///
    /// Where none comes in time.
    pub fn next(&self) -> Option<String> {
        match self.0.recv_timeout(WATCHDOG) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the program writes nothing"),
        }
    }

    /// The next line, if one comes within `time`.
    pub fn next_within(&self, time: Duration) -> Option<String> {
        self.0.recv_timeout(time).ok()
    }

    /// The first line from here on that is `wanted`, by `is`.
    fn find(&self, wanted: &str, is: impl Fn(&str) -> bool) -> String {
        let mut passed = String::new();
        while let Some(line) = self.next() {
            if is(&line) {
                return line;
            }
            passed += &(line + "\n");
        }
        panic!("`{wanted}` is not among:\n{passed}");
    }

    /// The first line from here on that has `word`.
    ///
    /// # Panics
    ///
    /// Where there is none.
    pub fn until(&self, word: &str) -> String {
        self.find(word, |line| line.contains(word))
    }

    /// Waits for just this line.
    ///
    /// # Panics
    ///
    /// Where it does not come.
    pub fn until_line(&self, wanted: &str) {
        self.find(wanted, |line| line == wanted);
    }

    /// Everything that comes until the pipe is closed.
    pub fn rest(&self) -> String {
        let lines = std::iter::from_fn(|| self.next());
        lines.map(|line| line + "\n").collect()
    }
}
