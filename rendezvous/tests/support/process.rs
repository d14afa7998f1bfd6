//! The program as a process: started with a clean environment, read line by line, killed on drop.

use std::io::{BufRead, BufReader, Read, Write, empty};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The longest that a test waits for anything.
pub(crate) const WATCHDOG: Duration = Duration::from_mins(1);

/// `rendezvous` with `args` and without what the environment of the tests says of it.
pub(crate) fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rendezvous"));
    command.args(args);
    for (name, _) in std::env::vars_os() {
        let known = name.to_string_lossy();
        if known.starts_with("RENDEZVOUS_") || known == "NO_COLOR" {
            command.env_remove(&name);
        }
    }
    command
}

/// `rendezvous serve` on a free port, with `flags`.
pub(crate) fn serve(flags: &[&str]) -> Process {
    let args = [&["serve", "--listen", "127.0.0.1:0"], flags].concat();
    Process::start(program(&args))
}

/// Runs a command that ends by itself.
pub(crate) fn run(command: Command) -> Ended {
    let mut process = Process::start(command);
    let code = process.exit_code();
    Ended {
        code,
        stdout: process.stdout.rest(),
        stderr: process.stderr.rest(),
    }
}

/// What a process left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A process at work.
pub(crate) struct Process {
    child: Child,
    pub(crate) stdout: Lines,
    pub(crate) stderr: Lines,
}

impl Process {
    pub(crate) fn start(command: Command) -> Self {
        Self::start_with(command, Stdio::piped(), Stdio::piped())
    }

    pub(crate) fn start_with(mut command: Command, stdout: Stdio, stderr: Stdio) -> Self {
        command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        let mut child = command.spawn().expect("the program starts");
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        Self {
            child,
            stdout: stdout.map_or_else(|| Lines::of(empty()), Lines::of),
            stderr: stderr.map_or_else(|| Lines::of(empty()), Lines::of),
        }
    }

    /// Where it listens, by its first line.
    pub(crate) fn address(&self) -> SocketAddr {
        let line = self.stdout.next().expect("a first line");
        let address = line.strip_prefix("listening on ");
        address.expect(&line).parse().expect(&line)
    }

    /// Sends a signal, such as `TERM`.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let kill = Command::new("kill").args(["-s", name, &id]).status();
        assert!(kill.expect("there is `kill`").success());
    }

    /// Waits for the end.
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

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lines as they are written.
pub(crate) struct Lines(Receiver<String>);

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
    pub(crate) fn next(&self) -> Option<String> {
        match self.0.recv_timeout(WATCHDOG) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the program writes nothing"),
        }
    }

    /// The first line from here on that has `word`.
    pub(crate) fn until(&self, word: &str) -> String {
        let mut passed = String::new();
        while let Some(line) = self.next() {
            if line.contains(word) {
                return line;
            }
            passed += &line;
        }
        panic!("no line has `{word}`: {passed}");
    }

    /// Everything that comes until the pipe is closed.
    pub(crate) fn rest(&self) -> String {
        let lines = std::iter::from_fn(|| self.next());
        lines.map(|line| line + "\n").collect()
    }
}

/// A client that speaks lines.
pub(crate) struct Client {
    pub(crate) stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn connect(server: &Process) -> Self {
        Self::at(server.address())
    }

    pub(crate) fn at(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(WATCHDOG)).unwrap();
        Self {
            stream: BufReader::new(stream),
        }
    }

    pub(crate) fn ask(&mut self, name: &str, data: &str) -> Value {
        let line = format!(
            r#"{{"type":"request","name":"{name}","data":{data},"request_id":"1"}}{}"#,
            "\n"
        );
        self.stream.get_mut().write_all(line.as_bytes()).unwrap();
        let answer = self.read().expect("an answer");
        serde_json::from_str(&answer).unwrap()
    }

    /// The next line; none after the last.
    pub(crate) fn read(&mut self) -> Option<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        (!line.is_empty()).then_some(line)
    }
}
