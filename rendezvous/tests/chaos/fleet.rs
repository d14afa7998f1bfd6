//! The processes of a test: a server, couriers, and what their journals say.

use std::collections::HashSet;
use std::fs;
use std::iter;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use protocol_core::{PublicKey, SecretKey};
use protocol_tests::{Links, Process};

use crate::courier::Flags;
use crate::journal::{Entry, Kind, Reader, Verb};
use crate::process::{new_folder, program};

/// The longest that anything may take that a test waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Between two looks at what a test waits for.
const LOOK: Duration = Duration::from_millis(5);

/// Lines of each process that are shown where something went wrong.
const LAST: usize = 16;

/// Waits until something is so.
///
/// # Panics
///
/// Where it is not so in time.
pub(crate) fn until(what: &str, mut is: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is() {
        assert!(started.elapsed() < PATIENCE, "{what}: not in {PATIENCE:?}");
        sleep(LOOK);
    }
}

/// Which server there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serves {
    /// `rendezvous serve`.
    Program,
    /// A server that receives mail itself.
    Office,
}

/// A server that can be killed and started again where it was.
#[derive(Debug)]
pub(crate) struct Server {
    kind: Serves,
    links: Links,
    folder: PathBuf,
    address: SocketAddr,
    key: SecretKey,
    incarnation: u32,
    /// Who may log in, by token.
    tokens: Vec<(&'static str, String)>,
    process: Option<Process>,
    /// What it has logged.
    log: Vec<String>,
}

impl Server {
    /// Starts it. With tokens, each id in `tokens` has one.
    pub(crate) fn start(kind: Serves, links: Links, tokens: &[&'static str]) -> Self {
        let folder = new_folder();
        fs::create_dir_all(&folder).expect("a folder");
        let key = SecretKey::generate().expect("randomness");
        key.to_new_file(folder.join("server.key"))
            .expect("a key file");
        let tokens = tokens.iter().map(|id| {
            let token = SecretKey::generate().expect("randomness").to_text();
            (*id, token[..32].to_owned())
        });
        let mut server = Self {
            kind,
            links,
            address: (Ipv4Addr::LOCALHOST, free_port()).into(),
            key,
            incarnation: 0,
            tokens: tokens.collect(),
            process: None,
            log: Vec::new(),
            folder,
        };
        server.write_tokens();
        server.restart();
        server
    }

    fn write_tokens(&self) {
        let path = self.folder.join("tokens.toml");
        let lines = self
            .tokens
            .iter()
            .map(|(id, token)| format!("{id} = \"{token}\"\n"));
        fs::write(&path, lines.collect::<String>()).expect("a file of tokens");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;

            let private = fs::Permissions::from_mode(0o600);
            fs::set_permissions(&path, private).expect("a file of ours");
        }
    }

    /// Starts it again after [`kill`](Self::kill), as it was.
    pub(crate) fn restart(&mut self) {
        self.incarnation += 1;
        let command = match self.kind {
            Serves::Program => self.program(),
            Serves::Office => self.office(),
        };
        let process = Process::start_typed(command);
        assert_eq!(process.address(), self.address);
        self.process = Some(process);
    }

    fn program(&self) -> Command {
        let address = self.address.to_string();
        let mut command = program(&[
            "serve",
            "--listen",
            &address,
            "--events-per-second=0",
            "--bytes-per-second=0",
            "--deliveries-per-second=0",
            "--encryption",
            self.links.choose("plain", "encrypted"),
        ]);
        if self.links == Links::Encrypted {
            command
                .arg("--key-file")
                .arg(self.folder.join("server.key"));
        }
        if !self.tokens.is_empty() {
            command
                .arg("--auth-token-file")
                .arg(self.folder.join("tokens.toml"));
        }
        command
    }

    fn office(&self) -> Command {
        assert!(self.tokens.is_empty(), "the office asks for none");
        let mut flags = Flags::office(self.address, self.journal());
        flags.incarnation = self.incarnation;
        flags.keys = self.key().map(|key| (key, self.folder.join("server.key")));
        courier(&flags)
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        kill(&mut self.process, &mut self.log);
    }

    /// What there is to know where something went wrong: its last words.
    pub(crate) fn traces(&self) -> String {
        traces("server", &self.log)
    }

    pub(crate) fn kind(&self) -> Serves {
        self.kind
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// By which key it is known, on encrypted links.
    pub(crate) fn key(&self) -> Option<PublicKey> {
        self.links.choose(None, Some(self.key.public()))
    }

    /// Where an office writes.
    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.join("office.journal")
    }

    fn token(&self, id: &str) -> Option<String> {
        let found = self.tokens.iter().find(|(of, _)| *of == id);
        found.map(|(_, token)| token.clone())
    }
}

/// A free port that the system gives to nobody else: one that clients call from may be the very port
/// that they call, while nobody listens there, and then they reach themselves.
fn free_port() -> u16 {
    static LOOKED: AtomicU16 = AtomicU16::new(0);

    let first = u16::try_from(std::process::id() % 8_000).expect("few") + 20_000;
    // A test that runs beside this one looks elsewhere.
    let mut ports = first + LOOKED.fetch_add(40, Ordering::Relaxed)..u16::MAX;
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    ports.find(is_free).expect("a free port")
}

fn courier(flags: &Flags) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this test is a file"));
    command.arg(crate::COURIER).args(flags.args());
    command
}

/// A courier that can be killed and started again.
#[derive(Debug)]
pub(crate) struct Courier {
    pub(crate) journal: Reader,
    flags: Flags,
    process: Option<Process>,
    /// What it has complained of.
    log: Vec<String>,
}

impl Courier {
    /// Starts `id`, who reaches `server` at `at` and sends to `destinations` once it
    /// [works](Self::works).
    pub(crate) fn start(id: &str, server: &Server, at: SocketAddr, destinations: &[&str]) -> Self {
        let folder = new_folder();
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join(format!("{id}.journal"));
        let mut flags = Flags::courier(id, at, path.clone());
        flags.incarnation = 0;
        flags.destinations = destinations.iter().map(|&to| to.to_owned()).collect();
        flags.token = server.token(id);
        flags.keys = server.key().map(|key| (key, own_key(&folder)));
        let mut courier = Self {
            journal: Reader::new(id, &path),
            flags,
            process: None,
            log: Vec::new(),
        };
        courier.restart();
        courier.arrives();
        courier
    }

    /// Starts it again after [`kill`](Self::kill). Whether it [arrives](Self::arrives) is another
    /// question.
    pub(crate) fn restart(&mut self) {
        self.flags.incarnation += 1;
        self.process = Some(Process::start_typed(courier(&self.flags)));
    }

    /// Waits until it is logged in.
    pub(crate) fn arrives(&self) {
        if let Some(process) = &self.process {
            process.stdout.until_line("logged in");
        }
    }

    /// Has it make calls from when it is logged in.
    pub(crate) fn works(&mut self) {
        if let Some(process) = &mut self.process {
            process.types("start\n");
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        kill(&mut self.process, &mut self.log);
    }

    /// Waits until parcels to each destination are confirmed that are yet to be sent.
    pub(crate) fn gets_through(&mut self, why: &str) {
        self.journal.read_on();
        let mut looked = self.journal.entries.len();
        let mut started = HashSet::new();
        let mut missing: HashSet<_> = self.flags.destinations.iter().cloned().collect();
        let what = format!("all that {} sends gets through {why}", self.journal.of);
        let journal = &mut self.journal;
        until(&what, || {
            journal.read_on();
            let new = journal.entries[looked..].iter();
            for entry in new.filter(|entry| entry.kind == Kind::Parcel) {
                let call = (entry.peer.clone(), entry.number);
                match entry.verb {
                    Verb::Started => drop(started.insert(call)),
                    Verb::Confirmed if started.contains(&call) => {
                        missing.remove(&entry.peer);
                    }
                    _ => {}
                }
            }
            looked = journal.entries.len();
            missing.is_empty()
        });
    }

    /// Has it start no more calls, and waits until all have ended.
    pub(crate) fn ends_calls(&mut self) {
        if let Some(process) = &mut self.process {
            process.types("stop\n");
            process.stdout.until_line("done");
        }
        self.journal.read_on();
    }

    /// What there is to know where something went wrong: its last lines and words.
    pub(crate) fn traces(&self) -> String {
        let entries: Vec<_> = self.journal.entries.iter().map(Entry::to_string).collect();
        let of = &self.journal.of;
        traces(&format!("{of}'s journal"), &entries) + &traces(of, &self.log)
    }

    /// Has it leave.
    pub(crate) fn leaves(&mut self) {
        if let Some(process) = &mut self.process {
            process.stdin = None;
            assert_eq!(process.exit_code(), 0);
        }
        self.journal.read_on();
    }
}

/// Kills a process and keeps its last words.
fn kill(process: &mut Option<Process>, log: &mut Vec<String>) {
    if let Some(process) = process.take() {
        log.extend(iter::from_fn(|| process.stderr.next_within(Duration::ZERO)));
    }
}

/// The last of these lines, each with whose it is.
fn traces(of: &str, lines: &[String]) -> String {
    let lines = &lines[lines.len().saturating_sub(LAST)..];
    lines.iter().fold(String::new(), |traces, line| {
        traces + &format!("  {of} | {line}\n")
    })
}

/// By which key a courier is known, whichever start of it.
fn own_key(folder: &Path) -> PathBuf {
    let path = folder.join("client.key");
    let key = SecretKey::generate().expect("randomness");
    key.to_new_file(&path).expect("a key file");
    path
}
