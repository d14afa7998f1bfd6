//! A server in memory, and what its peers have in common.

use protocol_core::{Protocol, Server};
use protocol_tests::{Notices, Pipe, Seen, notices};
use rendezvous::{Config, Login, Rendezvous, RoomNews, Rooms, SessionNews};
use serde_json::{Value, json};

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = (Login, Rooms), to_client = (SessionNews, RoomNews))]
pub(crate) struct Meeting;

/// What the pipe of one who reads holds.
const WIDE: usize = 64 * 1_024;

/// What the pipe of one who may not read holds: less than a frame.
const NARROW: usize = 64;

/// For how long sessions outlive their links.
pub(crate) const GRACE_MS: u64 = 30_000;

pub(crate) struct Place {
    pub(crate) server: Server<Meeting>,
    pub(crate) rendezvous: Rendezvous,
    notices: Notices,
}

/// A server without rates.
pub(crate) async fn open(change: impl FnOnce(&mut Config)) -> Place {
    let mut config = Config::default();
    config.server.connection.rate_in = None;
    change(&mut config);
    let rendezvous = Rendezvous::new(config);
    let (observer, notices) = notices();
    let bind = rendezvous.attach(Server::in_memory()).observe(observer);
    Place {
        server: bind.handle(rendezvous.clone()).await.unwrap(),
        rendezvous,
        notices,
    }
}

impl Place {
    /// Somebody who reads, and whose session ends with the link.
    pub(crate) async fn peer(&self, id: &str) -> Pipe {
        let mut peer = Pipe::open(&self.server, WIDE);
        let answer = peer.ask("login", json!({"id": id})).await;
        assert_eq!(answer["data"]["id"], id, "{answer}");
        peer
    }

    /// Carol, who reads when she is told to, and what resumes her session.
    pub(crate) async fn carol(&self) -> (Pipe, Value) {
        let mut carol = Pipe::open(&self.server, NARROW);
        let login = json!({"id": "carol", "grace_ms": GRACE_MS});
        let answer = carol.ask("login", login).await;
        assert_eq!(answer["data"]["grace_ms"], GRACE_MS, "{answer}");
        (carol, answer["data"]["resume"].clone())
    }

    /// Carol on another link, with the session that she had; or why not.
    pub(crate) async fn resume(&self, token: &Value, received: u64) -> (Pipe, Value) {
        let mut carol = Pipe::open(&self.server, NARROW);
        let login = json!({
            "id": "carol", "resume": token, "received": received, "grace_ms": GRACE_MS,
        });
        let answer = carol.ask("login", login).await;
        (carol, answer)
    }

    /// How many passes were refused since the last time, all with `code`.
    pub(crate) fn refused(&mut self, code: &str) -> u64 {
        let mut refused = 0;
        while let Some(seen) = self.notices.try_next() {
            assert_eq!(seen, Seen::refused("wave", code));
            refused += 1;
        }
        refused
    }
}

/// Sends so many passes and waits until the server has passed on what it could.
pub(crate) async fn wave(alice: &mut Pipe, dest: &str, times: u64) {
    let data = "x".repeat(200);
    let wave = json!({"type": "pass", "name": "wave", "dest": dest, "data": data});
    for _ in 0..times {
        alice.send(&wave).await;
    }
    settle(alice).await;
    // Whom the server has told of them has its turn behind the first answer.
    settle(alice).await;
}

/// What the server has for a peer now.
pub(crate) async fn settle(peer: &mut Pipe) -> Vec<Value> {
    peer.ask("ping", json!({})).await;
    peer.take_heard()
}

/// A room with alice and carol in it, and others; how a frame is addressed to it.
pub(crate) async fn room_of(members: &mut [&mut Pipe]) -> String {
    let (host, others) = members.split_first_mut().expect("a host");
    let made = host.ask("create_room", json!({"name": "lobby"})).await;
    let room = made["data"]["id"].as_str().expect("an id").to_owned();
    for other in others {
        let joined = other.ask("join_room", json!({"room": room})).await;
        assert!(joined["error"].is_null(), "{joined}");
        settle(other).await;
    }
    settle(host).await;
    format!("#{room}")
}

/// Of what was heard: how many waves, and the counts of the notices that others were dropped.
pub(crate) fn tally(heard: &[Value]) -> (u64, Vec<u64>) {
    let is = |name: &'static str| move |frame: &&Value| frame["name"] == name;
    let waves = heard.iter().filter(is("wave")).count() as u64;
    let dropped = heard.iter().filter(is("dropped"));
    let dropped = dropped.map(|frame| frame["data"]["count"].as_u64().unwrap());
    (waves, dropped.collect())
}
