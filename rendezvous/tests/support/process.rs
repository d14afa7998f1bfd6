//! The program as a process, with a clean environment, and a client that speaks lines to it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use protocol_core::PublicKey;
use protocol_tests::{Process, WATCHDOG};
use serde_json::Value;

/// `rendezvous` with `args`, a new folder for its keys, and without what the environment of the tests
/// says of it.
pub(crate) fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rendezvous"));
    command.args(args);
    for (name, _) in std::env::vars_os() {
        let known = name.to_string_lossy();
        if known.starts_with("RENDEZVOUS_") || known == "NO_COLOR" {
            command.env_remove(&name);
        }
    }
    let keys = new_folder();
    command.env("XDG_CONFIG_HOME", &keys).env("APPDATA", keys);
    command
}

/// A folder of its own, which is not there yet.
pub(crate) fn new_folder() -> PathBuf {
    static MADE: AtomicUsize = AtomicUsize::new(0);

    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let tests = format!("{}-{}", env!("CARGO_CRATE_NAME"), std::process::id());
    let name = format!("folders/{tests}/{number}");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // Another run, whose process had this number, may have left one.
    let _ = fs::remove_dir_all(&folder);
    folder
}

/// `rendezvous serve` on a free port, with `flags`.
pub(crate) fn serve(flags: &[&str]) -> Process {
    let args = [&["serve", "--listen", "127.0.0.1:0"], flags].concat();
    Process::start(program(&args))
}

/// By which key clients know a server, by its line after that with the address.
pub(crate) fn public_key(server: &Process) -> PublicKey {
    key_in(&server.stdout.next().expect("a second line"))
}

/// The key that a line tells of.
pub(crate) fn key_in(line: &str) -> PublicKey {
    let key = line.trim_end().strip_prefix("public key ");
    key.expect(line).parse().expect(line)
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
