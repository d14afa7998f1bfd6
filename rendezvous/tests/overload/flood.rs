//! Bare sockets in pairs, one of which sends passes to the other: as fast as they are answered for,
//! or by the clock whether or not the server takes them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::bare::Bare;

/// Passes that are sent before their sender waits for an answer that comes after them.
const BATCH: usize = 128;

/// Between two looks at the clock.
const TICK: Duration = Duration::from_millis(2);

/// How the senders send.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Speed {
    /// Not at all.
    Rest,
    /// The next as soon as the last ones were relayed.
    Closed,
    /// So many passes a second of each. Those that the server does not take in time wait with their
    /// sender until the speed changes, and are not sent then.
    Open(u32),
}

pub(crate) struct Flood {
    pub(crate) pairs: u32,
    speed: watch::Sender<Speed>,
    arrived: Arc<AtomicU64>,
    tasks: JoinSet<()>,
}

impl Flood {
    /// Logs so many pairs in, who rest.
    pub(crate) async fn start(address: SocketAddr, pairs: u32) -> Self {
        let (speed, speeds) = watch::channel(Speed::Rest);
        let (arrived, mut tasks) = (Arc::<AtomicU64>::default(), JoinSet::new());
        for number in 0..pairs {
            let mut bob = Bare::connect(address).await;
            bob.log_in(json!({"id": format!("bob {number}")})).await;
            let (counts, mut link) = (Arc::clone(&arrived), bob.stream);
            tasks.spawn(async move {
                let mut read = vec![0; 65_536];
                loop {
                    let count = link.read(&mut read).await.expect("the link is up");
                    assert_ne!(count, 0, "a reader is cut off");
                    let lines = read[..count].iter().filter(|byte| **byte == b'\n');
                    let lines = lines.count() as u64;
                    counts.fetch_add(lines, Ordering::Relaxed);
                }
            });
            let mut carol = Bare::connect(address).await;
            carol.log_in(json!({"id": format!("carol {number}")})).await;
            let sender = Sender {
                link: carol,
                wave: wave(&format!("bob {number}")),
            };
            tasks.spawn(sender.sends(speeds.clone()));
        }
        Self {
            pairs,
            speed,
            arrived,
            tasks,
        }
    }

    pub(crate) fn set(&self, speed: Speed) {
        self.speed.send_replace(speed);
    }

    /// Has all pairs together send so many passes a second.
    pub(crate) fn offer(&self, a_second: u32) {
        self.set(Speed::Open(a_second / self.pairs));
    }

    /// Passes that have arrived.
    pub(crate) fn arrived(&self) -> u64 {
        self.arrived.load(Ordering::Relaxed)
    }

    /// Has everybody rest; each of them was served to the end.
    pub(crate) fn ends(mut self) {
        while let Some(ended) = self.tasks.try_join_next() {
            ended.expect("the flood is served");
        }
    }
}

fn wave(dest: &str) -> String {
    let wave = json!({"type": "pass", "name": "wave", "dest": dest, "data": "x".repeat(64)});
    format!("{wave}\n")
}

struct Sender {
    link: Bare,
    wave: String,
}

impl Sender {
    async fn sends(mut self, mut speeds: watch::Receiver<Speed>) {
        loop {
            let speed = *speeds.borrow_and_update();
            match speed {
                Speed::Rest => {
                    if speeds.changed().await.is_err() {
                        return;
                    }
                }
                Speed::Closed => {
                    self.link.write(&self.wave.repeat(BATCH)).await;
                    self.link.ask("ping", json!({})).await;
                }
                Speed::Open(a_second) => self.floods(a_second, &mut speeds).await,
            }
        }
    }

    async fn floods(&mut self, a_second: u32, speeds: &mut watch::Receiver<Speed>) {
        let batch = self.wave.repeat(BATCH).into_bytes();
        let (start, mut written) = (Instant::now(), 0);
        let mut pace = tokio::time::interval(TICK);
        let due = |time: Duration| {
            let passes = u128::from(a_second) * time.as_micros() / 1_000_000;
            usize::try_from(passes).expect("not so many") * self.wave.len()
        };
        while !speeds.has_changed().unwrap_or(true) {
            pace.tick().await;
            let due = due(start.elapsed());
            while written < due {
                let begin = written % batch.len();
                let end = batch.len().min(begin + due - written);
                // An error says that the server takes no more now.
                let Ok(count) = self.link.stream.try_write(&batch[begin..end]) else {
                    break;
                };
                written += count;
            }
        }
        // The frame that has begun is ended.
        let rest = written.next_multiple_of(self.wave.len()) - written;
        let rest = self.wave[self.wave.len() - rest..].to_owned();
        self.link.write(&rest).await;
    }
}
