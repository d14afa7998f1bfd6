//! An example as a process: typed into and read line by line, killed on drop.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that a test waits for anything; far above what an example takes.
const WATCHDOG: Duration = Duration::from_secs(30);

/// Where cargo puts the examples: beside the folder of this test.
fn path(example: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test is a file");
    let target = test.ancestors().nth(2).expect("a folder of this profile");
    let path = target.join("examples").join(example);
    let path = path.with_extension(std::env::consts::EXE_EXTENSION);
    let shown = path.display();
    assert!(path.exists(), "no {shown}: cargo build --examples");
    path
}

/// A process at work.
pub(crate) struct Process {
    child: Child,
    pub(crate) stdout: Lines,
    pub(crate) stderr: Lines,
}

impl Process {
    pub(crate) fn start(example: &str, args: &[&str]) -> Self {
        let mut child = Command::new(path(example))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the example starts");
        let stdout = Lines::of(child.stdout.take().expect("a pipe"));
        let stderr = Lines::of(child.stderr.take().expect("a pipe"));
        Self {
            child,
            stdout,
            stderr,
        }
    }

    pub(crate) fn types(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().expect("Ctrl-D came later");
        writeln!(stdin, "{line}").expect("the example reads");
    }

    pub(crate) fn types_ctrl_d(&mut self) {
        self.child.stdin = None;
    }

    /// Waits for the end.
    pub(crate) fn exit_code(&mut self) -> i32 {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code().expect("no signal ended it");
            }
            assert!(started.elapsed() < WATCHDOG, "the example goes on");
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
            Err(RecvTimeoutError::Timeout) => panic!("the example writes nothing"),
        }
    }

    /// Waits for this line, and skips those before it.
    pub(crate) fn until(&self, wanted: &str) {
        let mut skipped = String::new();
        while let Some(line) = self.next() {
            if line == wanted {
                return;
            }
            skipped += &(line + "\n");
        }
        panic!("`{wanted}` is not among:\n{skipped}");
    }

    /// Everything that comes until the pipe is closed.
    pub(crate) fn rest(&self) -> String {
        let lines = std::iter::from_fn(|| self.next());
        lines.map(|line| line + "\n").collect()
    }
}
