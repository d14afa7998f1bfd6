//! Clients that confirm parcels to each other at a fixed pace, whatever else happens, and measure
//! how long that takes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use protocol_core::{AtPeer, Client, Context, PeerId, ignore};
use rendezvous::{LoginExt, RoomNews, SessionNews};
use tokio::runtime::Builder;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{interval_at, timeout};

use crate::crowd::{BetweenHandler, Crowd, FromDesk, Parcel, Wave};

/// How long calls may take to end after the last was made; their own deadlines are 30 s.
const TO_THE_END: Duration = Duration::from_secs(35);

/// Who is in it, and what they do.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) members: u32,
    /// Between two parcels of one member.
    pub(crate) every: Duration,
    /// Somebody at whom each member waves with each parcel.
    pub(crate) wave_at: Option<PeerId>,
}

/// The ring at work, on a thread of its own.
pub(crate) struct Ring {
    samples: Samples,
    stop: watch::Sender<bool>,
    thread: JoinHandle<Ledger>,
}

/// When each confirmation was due to begin, and how long it took from then.
type Samples = Arc<Mutex<Vec<(Instant, Duration)>>>;

/// What became of all parcels.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) confirmed: usize,
    /// Why others were not.
    pub(crate) failed: Vec<String>,
}

impl Ring {
    /// Starts it, once all are logged in.
    pub(crate) async fn start(address: SocketAddr, plan: Plan) -> Self {
        let samples = Samples::default();
        let (stop, stopped) = watch::channel(false);
        let (ready, started) = oneshot::channel();
        let kept = Arc::clone(&samples);
        let thread = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            let turns = turn(address, plan, kept, ready, stopped);
            runtime.expect("a runtime").block_on(turns)
        });
        started.await.expect("the ring is served");
        Self {
            samples,
            stop,
            thread,
        }
    }

    /// How long what began since then took, as far as it has ended.
    pub(crate) fn since(&self, start: Instant) -> Vec<Duration> {
        let samples = lock(&self.samples);
        let since = samples.iter().filter(|(began, _)| *began >= start);
        since.map(|(_, took)| *took).collect()
    }

    /// Works on for so long; how long parcels took meanwhile.
    pub(crate) async fn works(&self, time: Duration) -> Vec<Duration> {
        let start = Instant::now();
        tokio::time::sleep(time).await;
        self.since(start)
    }

    /// Makes no more calls, and waits for the end of all.
    ///
    /// # Panics
    ///
    /// Where one does not end, or a confirmed parcel was not handled exactly once, in its turn.
    pub(crate) async fn ends(self) -> Ledger {
        self.stop.send_replace(true);
        let joined = tokio::task::spawn_blocking(|| self.thread.join()).await;
        let joined = joined.expect("a thread");
        joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// The numbers of what a member has handled.
#[derive(Clone, Default)]
struct Mailbox(Arc<Mutex<Vec<u64>>>);

impl BetweenHandler<Crowd, AtPeer> for Mailbox {
    async fn on_parcel(&self, _cx: &Context<Crowd, AtPeer>, event: Parcel) {
        lock(&self.0).push(event.number);
    }

    async fn on_wave(&self, _cx: &Context<Crowd, AtPeer>, _event: Wave) {}
}

async fn turn(
    address: SocketAddr,
    plan: Plan,
    samples: Samples,
    ready: oneshot::Sender<()>,
    stopped: watch::Receiver<bool>,
) -> Ledger {
    let mut members = Vec::new();
    for number in 0..plan.members {
        let mailbox = Mailbox::default();
        let handlers = (
            ignore::<SessionNews>(),
            ignore::<RoomNews>(),
            ignore::<FromDesk>(),
            mailbox.clone(),
        );
        let client = Client::<Crowd>::connect(address).handle(handlers).await;
        let client = client.expect("a connection");
        let id = client
            .login(format!("alice {number}"))
            .await
            .expect("a login")
            .id;
        members.push((Arc::new(client), id, mailbox));
    }
    let mut working = JoinSet::new();
    for (number, (client, ..)) in members.iter().enumerate() {
        let number = u32::try_from(number).expect("few");
        // Nobody sends together with another.
        let first = Instant::now() + plan.every * number / plan.members;
        let next = &members[(number as usize + 1) % members.len()];
        let member = Member {
            client: Arc::clone(client),
            next: next.1.clone(),
            plan: plan.clone(),
            samples: Arc::clone(&samples),
        };
        let mailbox = next.2.clone();
        let stopped = stopped.clone();
        working.spawn(async move { (member.works(first, stopped).await, mailbox) });
    }
    // Who started this may have given up.
    let _ = ready.send(());
    let mut ledger = Ledger::default();
    while let Some(ended) = working.join_next().await {
        let ((confirmed, failed), mailbox) = ended.expect("a member's work ends");
        let handled = lock(&mailbox.0);
        assert!(
            handled.is_sorted_by(|a, b| a < b),
            "twice, or out of turn: {handled:?}"
        );
        for number in &confirmed {
            let found = handled.binary_search(number).is_ok();
            assert!(found, "{number} was confirmed and not handled");
        }
        ledger.confirmed += confirmed.len();
        ledger.failed.extend(failed);
    }
    ledger
}

struct Member {
    client: Arc<Client<Crowd>>,
    next: PeerId,
    plan: Plan,
    samples: Samples,
}

impl Member {
    /// Sends until it is time to stop; the numbers that were confirmed, and why others were not.
    async fn works(
        &self,
        first: Instant,
        mut stopped: watch::Receiver<bool>,
    ) -> (Vec<u64>, Vec<String>) {
        let (mut confirmed, mut failed) = (Vec::new(), Vec::new());
        let mut calls = JoinSet::new();
        let mut pace = interval_at(first.into(), self.plan.every);
        for number in 1.. {
            let due = tokio::select! {
                due = pace.tick() => due.into_std(),
                _ = stopped.wait_for(|stopped| *stopped) => break,
            };
            if let Some(peer) = &self.plan.wave_at {
                // What is dropped is dropped there.
                let wave = Wave("x".repeat(500));
                self.client
                    .to(peer)
                    .send(wave)
                    .await
                    .expect("a place in the queue");
            }
            let (client, next) = (Arc::clone(&self.client), self.next.clone());
            let samples = Arc::clone(&self.samples);
            calls.spawn(async move {
                let ended = client.to(&next).confirm(Parcel { number }).await;
                // From when it was due, so that one that had to wait for its turn counts as slow.
                lock(&samples).push((due, due.elapsed()));
                (number, ended.map_err(|error| error.to_string()))
            });
            while let Some(ended) = calls.try_join_next() {
                note(ended.expect("a call ends"), &mut confirmed, &mut failed);
            }
        }
        let rest = timeout(TO_THE_END, calls.join_all()).await;
        for ended in rest.expect("all calls end") {
            note(ended, &mut confirmed, &mut failed);
        }
        (confirmed, failed)
    }
}

fn note(
    (number, ended): (u64, Result<(), String>),
    confirmed: &mut Vec<u64>,
    failed: &mut Vec<String>,
) {
    match ended {
        Ok(()) => confirmed.push(number),
        Err(why) => failed.push(why),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
