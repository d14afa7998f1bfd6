//! Clients that do not read what is sent to them, or vanish by halves.

use std::time::{Duration, Instant};

use protocol_core::{Event, EventSet, PeerId, Protocol, Server};
use protocol_tests::{Notices, Seen, notices, run};
use rendezvous::{Config, Login, Rendezvous, SessionNews};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::attacked::Attacked;
use crate::peer::Peer;

/// How long a write may take before the other end counts as full.
const STUCK: Duration = Duration::from_millis(500);

fn wave(dest: &str, size: usize) -> String {
    let data = "x".repeat(size);
    let frame = json!({"type": "pass", "name": "wave", "dest": dest, "data": data});
    format!("{frame}\n")
}

#[test]
fn passes_to_one_who_never_reads_are_dropped_and_their_sender_is_served() {
    run(async {
        let attacked = Attacked::start(&["--events-per-second=0", "--bytes-per-second=0"]);
        let mut carol = Peer::log_in(attacked.address(), "carol").await;
        let _deaf = Peer::log_in(attacked.address(), "carol 2").await;
        let flood = wave("carol 2", 60_000);
        let confirm =
            json!({"type": "confirm_pass", "name": "wave", "dest": "carol 2", "pass_id": "1"});
        // Until everything between them is full, and again as much.
        let mut slow = 0;
        for _ in 0..400 {
            for _ in 0..4 {
                timeout(STUCK, carol.write(&flood))
                    .await
                    .expect("its sender waits for nobody");
            }
            carol.send(&confirm).await;
            let ping = carol.request("ping", Value::Null).await;
            if ping["error"]["code"] == "peer_slow" {
                slow += 1;
                assert!(carol.json().await["data"]["server_ms"].is_u64());
                if slow == 50 {
                    break;
                }
            }
        }
        assert_eq!(slow, 50, "nothing was dropped");
        attacked.withstood(8_192);
    });
}

#[test]
fn one_who_never_reads_its_answers_is_pushed_back() {
    run(async {
        let attacked = Attacked::start(&["--events-per-second=0", "--bytes-per-second=0"]);
        let mut carol = Peer::log_in(attacked.address(), "carol").await;
        let ping = json!({"type": "request", "name": "ping", "request_id": "x".repeat(64)});
        let flood = format!("{ping}\n").repeat(1_000);
        let mut taken = 0;
        while timeout(STUCK, carol.write(&flood)).await.is_ok() {
            taken += flood.len();
            assert!(taken < 256 << 20, "it takes everything");
        }
        attacked.withstood(8_192);
    });
}

#[test]
fn one_who_says_no_more_and_never_reads_frees_its_id() {
    run(async {
        let attacked = Attacked::start(&["--max-sessions=3"]);
        let mut kept = Vec::new();
        for _ in 0..100 {
            // Of the three places two are taken by honest clients.
            let mut carol = loop {
                let mut carol = Peer::connect(attacked.address()).await;
                let answer = carol.request("login", json!({"id": "carol"})).await;
                if answer["error"].is_null() {
                    break carol;
                }
            };
            carol.end().await;
            kept.push(carol);
            let mut stranger = Peer::connect(attacked.address()).await;
            stranger.end().await;
            kept.push(stranger);
        }
        for mut peer in kept {
            assert_eq!(peer.line().await, None);
        }
        attacked.withstood(4_096);
    });
}

#[derive(Debug, Event)]
#[event(pass)]
struct Wave(String);

#[derive(Debug, EventSet)]
enum Between {
    Wave(Wave),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = Login, to_client = SessionNews, to_peer = Between)]
struct Waving;

/// A server in this process, where limits that the program has no flags for can be set, and what
/// is dropped can be seen. Bob has logged in and not read until so much was due that a pass of
/// carol's was dropped.
struct Deafened {
    server: Server<Waving>,
    rendezvous: Rendezvous,
    dropped: Notices,
    carol: Peer,
    bob: Peer,
    sent: usize,
}

const SIZE: usize = 60_000;

impl Deafened {
    async fn new() -> Self {
        Self::with_stall(Duration::from_hours(1)).await
    }

    /// Gives bob up where nothing gets through to him for so long.
    async fn with_stall(write_stall: Duration) -> Self {
        let mut config = Config::default();
        config.server.connection.rate_in = None;
        config.server.connection.outbound_bytes = 256 << 10;
        config.server.connection.write_stall = write_stall;
        let rendezvous = Rendezvous::new(config);
        let (observer, dropped) = notices();
        let bind = rendezvous.bind::<Waving>("127.0.0.1:0").observe(observer);
        let server = bind.handle(rendezvous.clone()).await.unwrap();
        let mut this = Self {
            carol: Peer::log_in(server.address(), "carol").await,
            bob: Peer::log_in(server.address(), "bob").await,
            server,
            rendezvous,
            dropped,
            sent: 0,
        };
        this.is_dropped(1).await;
        this
    }

    /// Waves at bob until so many waves were dropped.
    async fn is_dropped(&mut self, count: usize) {
        let flood = wave("bob", SIZE);
        let mut dropped = 0;
        while dropped < count {
            self.carol.write(&flood).await;
            assert!(self.carol.request("ping", Value::Null).await["error"].is_null());
            self.sent += 1;
            while let Some(seen) = self.dropped.try_next() {
                assert_eq!(seen, Seen::refused("wave", "peer_slow"));
                dropped += 1;
            }
        }
    }
}

#[test]
fn each_pass_to_one_who_never_reads_arrives_or_is_counted() {
    run(async {
        let mut deafened = Deafened::new().await;
        deafened.is_dropped(99).await;
        let mut bob = deafened.bob;
        for _ in 0..deafened.sent - 100 {
            assert_eq!(bob.json().await["name"], "wave");
        }
        // He reads again, and nothing comes twice.
        assert_eq!(bob.request("ping", Value::Null).await["name"], "ping");
    });
}

#[test]
fn one_who_never_reads_is_removed_as_anybody_is() {
    run(async {
        let mut deafened = Deafened::new().await;
        let bob = PeerId::new("bob").unwrap();
        assert!(deafened.rendezvous.remove(&deafened.server, &bob).await);
        assert_eq!(deafened.rendezvous.sessions(), 1);
        let mut next = Peer::log_in(deafened.server.address(), "bob").await;
        let wave = json!({"type": "pass", "name": "wave", "dest": "bob", "data": "new"});
        deafened.carol.send(&wave).await;
        assert_eq!(next.json().await["data"], "new");
        // What was due is still there for him, the reason behind it.
        for _ in 0..deafened.sent - 1 {
            assert_eq!(deafened.bob.json().await["name"], "wave");
        }
        assert_eq!(deafened.bob.json().await["name"], "session_ended");
        assert_eq!(deafened.bob.line().await, None);
    });
}

#[test]
fn one_who_never_reads_holds_up_no_shutdown() {
    run(async {
        let deafened = Deafened::new().await;
        let deadline = Duration::from_millis(300);
        let start = Instant::now();
        let in_order = deafened.rendezvous.shutdown(&deafened.server, deadline);
        assert!(!in_order.await, "bob has not read");
        assert!(start.elapsed() >= deadline);
        assert_eq!(deafened.rendezvous.sessions(), 0);
        assert_eq!(deafened.server.connections(), 0);
    });
}

#[test]
fn one_who_never_reads_loses_its_link_and_its_id_after_the_stall() {
    run(async {
        for says_no_more in [false, true] {
            let stall = Duration::from_millis(300);
            let mut deafened = Deafened::with_stall(stall).await;
            if says_no_more {
                deafened.bob.end().await;
            }
            let start = Instant::now();
            let flood = wave("bob", SIZE);
            while deafened.rendezvous.sessions() == 2 {
                deafened.carol.write(&flood).await;
                deafened.carol.request("ping", Value::Null).await;
            }
            let stalled = start.elapsed();
            assert!(says_no_more || stalled > stall / 2, "after {stalled:?}");
            Peer::log_in(deafened.server.address(), "bob").await;
        }
    });
}
