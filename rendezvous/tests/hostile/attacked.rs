//! The program under attack, and two honest clients that measure how it fares.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use protocol_core::{AtPeer, Client, Context, Event, EventSet, PeerId, Protocol, ignore};
use rendezvous::{Login, LoginExt, SessionNews};
use tokio::runtime::Builder;

use crate::process::program;

/// The longest that an honest event may take to another client and back while others attack. In
/// peace it takes less than a millisecond.
const WORST_ROUND_TRIP: Duration = Duration::from_secs(1);

/// Between two events of an honest client; far from what it may send.
const PACE: Duration = Duration::from_millis(5);

/// How many round trips there are before the attack, so that what they need is there.
const WARM_UP: usize = 40;

/// How many round trips an attack lasts at least.
const AT_LEAST: usize = 10;

#[derive(Debug, PartialEq, Event)]
#[event(request, response = Echoed)]
struct Echo {
    number: usize,
}

#[derive(Debug, PartialEq, Event)]
#[event(response)]
struct Echoed {
    number: usize,
}

#[derive(Debug, EventSet)]
enum Between {
    Echo(Echo),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = Login, to_client = SessionNews, to_peer = Between)]
struct Honest;

struct Echoing;

impl BetweenHandler<Honest, AtPeer> for Echoing {
    async fn on_echo(&self, _cx: &Context<Honest, AtPeer>, event: Echo) -> Echoed {
        Echoed {
            number: event.number,
        }
    }
}

/// The program at work, while alice and bob speak to each other through it.
pub(crate) struct Attacked {
    child: Child,
    log: Option<JoinHandle<String>>,
    address: SocketAddr,
    memory_before: Option<usize>,
    stop: Arc<AtomicBool>,
    honest: Option<JoinHandle<Seen>>,
}

/// What the honest clients saw.
struct Seen {
    rounds: usize,
    worst: Duration,
    /// The most memory that the program had meanwhile, in KiB.
    memory: Option<usize>,
}

impl Attacked {
    /// Starts `rendezvous serve` with `flags`, and the honest clients.
    pub(crate) fn start(flags: &[&str]) -> Self {
        // No more connections than any system lets it have, so that it has nothing to warn of.
        let always = [
            "serve",
            "--listen=127.0.0.1:0",
            "--max-connections=2000",
            "--log=warn",
        ];
        let mut command = program(&[&always, flags].concat());
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let log = child.stderr.take().map(|mut stderr| {
            thread::spawn(move || {
                let mut log = String::new();
                stderr.read_to_string(&mut log).expect("text");
                log
            })
        });
        let stdout = child.stdout.take().expect("a pipe");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("text");
        let address = line.trim_end().strip_prefix("listening on ");
        let address = address.and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("{line:?} is no first line"));

        let stop = Arc::new(AtomicBool::new(false));
        let (tell, warm) = channel();
        let (stopped, process) = (Arc::clone(&stop), child.id());
        let honest = thread::spawn(move || {
            // A runtime of their own, so that the attackers' work is not on their account.
            let runtime = Builder::new_current_thread().enable_all().build();
            runtime
                .expect("a runtime")
                .block_on(speak(address, process, &stopped, &tell))
        });
        warm.recv().expect("the honest clients are served");
        Self {
            memory_before: memory_of(child.id()),
            child,
            log,
            address,
            stop,
            honest: Some(honest),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends the attack: the program is alive, has nothing to warn of, took at most `memory` KiB
    /// more than before, and nobody waited for long.
    pub(crate) fn withstood(mut self, memory: usize) {
        self.stop.store(true, Ordering::Relaxed);
        let honest = self.honest.take().expect("not asked before");
        let seen = honest.join().expect("the honest clients were served");
        let ended = self.child.try_wait().expect("a child");
        assert!(ended.is_none(), "the program has ended: {ended:?}");
        self.child.kill().expect("a child");
        let log = self.log.take().expect("not asked before");
        let log = log.join().expect("its log is text");
        assert!(log.is_empty(), "{log}");
        assert!(
            seen.worst <= WORST_ROUND_TRIP,
            "a round trip took {:?}",
            seen.worst
        );
        match (self.memory_before, seen.memory) {
            (Some(before), Some(most)) => {
                let grown = most.saturating_sub(before);
                println!(
                    "{grown} KiB more than {before}; {} round trips, the worst {:?}",
                    seen.rounds, seen.worst
                );
                assert!(grown <= memory, "it took {grown} KiB more than {before}");
            }
            _ => println!("skipped: memory is measured on Linux only"),
        }
    }
}

impl Drop for Attacked {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(honest) = self.honest.take() {
            // The test has failed already.
            let _ = honest.join();
        }
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Alice asks bob until it is time to stop.
async fn speak(address: SocketAddr, process: u32, stop: &AtomicBool, warm: &Sender<()>) -> Seen {
    let connect = || Client::<Honest>::connect(address).handle((ignore::<SessionNews>(), Echoing));
    let (alice, bob) = (connect().await.unwrap(), connect().await.unwrap());
    alice.login("alice").await.unwrap();
    bob.login("bob").await.unwrap();
    let bob_id = PeerId::new("bob").unwrap();
    let mut seen = Seen {
        rounds: 0,
        worst: Duration::ZERO,
        memory: None,
    };
    let mut pace = tokio::time::interval(PACE);
    while seen.rounds < WARM_UP + AT_LEAST || !stop.load(Ordering::Relaxed) {
        pace.tick().await;
        let number = seen.rounds;
        let start = Instant::now();
        let echoed = alice.to(&bob_id).request(Echo { number }).await.unwrap();
        assert_eq!(echoed, Echoed { number });
        seen.rounds += 1;
        if seen.rounds > WARM_UP {
            seen.worst = seen.worst.max(start.elapsed());
            seen.memory = seen.memory.max(memory_of(process));
        } else if seen.rounds == WARM_UP {
            // Who started this may have given up.
            let _ = warm.send(());
        }
    }
    seen
}

/// What a process has allocated and touched, in KiB: its resident memory without pages of files,
/// such as its own code; none where the system does not say.
fn memory_of(process: u32) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
