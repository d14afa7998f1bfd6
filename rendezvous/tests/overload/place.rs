//! The server under load: a process, and what can be asked of it from outside.

use std::io::stdin;
use std::net::SocketAddr;
use std::process::{Command, ExitCode};
use std::thread::sleep;
use std::time::{Duration, Instant};

use protocol_core::Server;
use protocol_tests::Process;
use rendezvous::{Config, Rendezvous};
use tokio::runtime::Builder;

use crate::SERVER;
use crate::crowd::{Crowd, Desk};

/// Between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// Memory that has not grown for so long will not.
const SETTLED: Duration = Duration::from_millis(300);

/// The server as its test sees it.
pub(crate) struct Place {
    process: Process,
    address: SocketAddr,
}

/// Who is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) sessions: usize,
    pub(crate) connections: usize,
}

impl Place {
    /// Starts a server without rates whose limits are changed as `knobs` say, each `name=value`.
    pub(crate) fn start(knobs: &[String]) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this test is a file"));
        command.arg(SERVER).args(knobs);
        // With more of them it depends on chance how much of what was freed is found again.
        command.env("MALLOC_ARENA_MAX", "1");
        let process = Process::start_typed(command);
        Self {
            address: process.address(),
            process,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn standing(&mut self) -> Standing {
        self.process.types("standing\n");
        let line = self.process.stdout.next().expect("the server is up");
        let (sessions, connections) = line.split_once(' ').expect("two numbers");
        Standing {
            sessions: sessions.parse().expect("a number"),
            connections: connections.parse().expect("a number"),
        }
    }

    /// Waits until there are so many sessions and no other connections.
    ///
    /// # Panics
    ///
    /// Where it takes longer than `at_most`.
    pub(crate) async fn until(&mut self, sessions: usize, at_most: Duration) {
        let started = Instant::now();
        let wanted = Standing {
            sessions,
            connections: sessions,
        };
        loop {
            let standing = self.standing();
            if standing == wanted {
                return;
            }
            let time = started.elapsed();
            assert!(time < at_most, "{standing:?} after {time:?}");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// What the process has allocated and touched, in KiB, as [`memory`](Self::memory) says, once it
    /// does not grow any more.
    pub(crate) fn settled_memory(&self) -> Option<usize> {
        let (mut most, mut since) = (self.memory()?, Instant::now());
        while since.elapsed() < SETTLED {
            sleep(LOOK);
            let memory = self.memory()?;
            if memory > most {
                (most, since) = (memory, Instant::now());
            }
        }
        self.memory()
    }

    /// Resident memory without pages of files, such as the code, in KiB; none where the system does
    /// not say.
    pub(crate) fn memory(&self) -> Option<usize> {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    }
}

/// How much more `now` is than `before`, both in KiB.
pub(crate) fn grown(before: Option<usize>, now: Option<usize>) -> Option<usize> {
    let grown = before.zip(now);
    if grown.is_none() {
        println!("skipped: memory is measured on Linux only");
    }
    grown.map(|(before, now)| now.saturating_sub(before))
}

/// Is the server, until nobody types any more.
pub(crate) fn serve(knobs: impl Iterator<Item = String>) -> ExitCode {
    let mut config = Config::default();
    config.server.connection.rate_in = None;
    for knob in knobs {
        turn(&mut config, &knob);
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let rendezvous = Rendezvous::new(config);
    let bind = rendezvous.bind::<Crowd>("127.0.0.1:0");
    let opens = async { bind.handle((rendezvous.clone(), Desk)).await };
    let server: Server<Crowd> = runtime.block_on(opens).expect("the place opens");
    println!("listening on {}", server.address());
    for _ in stdin().lines() {
        println!("{} {}", rendezvous.sessions(), server.connections());
    }
    ExitCode::SUCCESS
}

fn turn(config: &mut Config, knob: &str) {
    let (name, value) = knob.split_once('=').expect(knob);
    let value: usize = value.parse().expect(knob);
    let millis = Duration::from_millis(value as u64);
    let limits = &mut config.server.connection;
    match name {
        "connections" => config.server.connections = value,
        "rooms_a_peer" => config.rooms_a_peer = value,
        "login_ms" => {
            limits.stranger.get_or_insert_default().timeout = millis;
            limits.handshake_timeout = limits.handshake_timeout.min(millis);
        }
        "frame_ms" => limits.frame_timeout = millis,
        "silence_ms" => limits.silence = millis,
        "stall_ms" => limits.write_stall = millis,
        "frame_in" => limits.frame_in = value,
        "outbound_bytes" => limits.outbound_bytes = value,
        "queued_bytes" => limits.queued_bytes = value,
        "held_bytes" => limits.delivery.held_bytes = value,
        "answers_bytes" => limits.delivery.answers_bytes = value,
        _ => panic!("no limit is called {name}"),
    }
}
