//! Commands to rooms, as many as anybody may give at once: members who read miss nothing and stay.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use protocol_tests::run;
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use crate::attacked::Attacked;
use crate::peer::Peer;

/// Join and leave count as two of the thousand frames that may come at once.
const ROUNDS: usize = 480;

fn request(name: &str, data: Value, id: usize) -> Value {
    json!({"type": "request", "name": name, "data": data, "request_id": id.to_string()})
}

/// Reads until the answer to the request `id`; how often each event came before it.
async fn read_until(peer: &mut Peer, id: usize) -> Vec<(String, Value)> {
    let mut heard = Vec::new();
    loop {
        let frame = peer.json().await;
        if frame["request_id"] == json!(id.to_string()) {
            assert!(frame.get("error").is_none(), "{frame}");
            return heard;
        }
        let name = frame["name"].as_str().unwrap().to_owned();
        heard.push((name, frame["data"].clone()));
    }
}

/// Two members of a new room, which is told to `opened`; they read until so many peers have left it.
async fn stay(address: SocketAddr, opened: oneshot::Sender<Value>, leaves: usize) {
    let mut host = Peer::log_in(address, "host").await;
    let create = json!({"name": "lobby", "capacity": 1_000});
    host.send(&request("create_room", create, 2)).await;
    let room = read_until(&mut host, 2).await[0].1["id"].clone();
    let mut carol = Peer::log_in(address, "carol").await;
    let join = json!({"room": room});
    carol.send(&request("join_room", join, 2)).await;
    read_until(&mut carol, 2).await;
    opened.send(room).unwrap();
    tokio::join!(hear(&mut host, leaves), hear(&mut carol, leaves));
}

/// Reads until so many peers have left; nothing is missing before that.
async fn hear(member: &mut Peer, leaves: usize) {
    let (mut left, mut last) = (0, 0);
    while left < leaves {
        let frame = member.json().await;
        left += usize::from(frame["name"] == "player_left");
        let rev = frame["data"]["rev"].as_u64().unwrap();
        assert!(rev > last, "{frame}");
        last = rev;
    }
}

/// Has so many peers join and leave a room so often, as fast as they may, while two members read.
///
/// The members have a thread to themselves. Beside hundreds of others on one they would not read, but
/// wait for their turn, and whoever does not read is cut off.
async fn churn(churners: usize, rounds: usize) {
    let attacked = Attacked::start(&[]);
    let address = attacked.address();
    let (opened, room) = oneshot::channel();
    let members = thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build();
        let staying = stay(address, opened, churners * rounds);
        runtime.unwrap().block_on(staying);
    });
    let room = room.await.unwrap();

    let mut ready = Vec::new();
    for number in 0..churners {
        ready.push(Peer::log_in(address, &format!("churner {number}")).await);
    }
    let commands = (0..rounds).flat_map(|round| {
        let (id, data) = (10 + 2 * round, json!({"room": room}));
        let join = request("join_room", data.clone(), id);
        [join, request("leave_room", data, id + 1)]
    });
    let commands: Vec<_> = commands.collect();
    let commands = Arc::new(commands);
    let churning = ready.into_iter().map(|mut churner| {
        let commands = Arc::clone(&commands);
        tokio::spawn(async move {
            churner.send_all(&commands).await;
            read_until(&mut churner, 9 + 2 * rounds).await;
        })
    });
    let churning: Vec<_> = churning.collect();
    for churner in churning {
        churner.await.unwrap();
    }
    spawn_blocking(|| members.join()).await.unwrap().unwrap();
    attacked.withstood(65_536);
}

#[test]
fn who_joins_and_leaves_without_end_cuts_off_nobody_who_reads() {
    run(churn(8, ROUNDS));
}

#[test]
fn nor_do_many_who_do() {
    run(churn(300, 12));
}

#[test]
fn who_changes_a_room_without_end_cuts_off_nobody_who_reads() {
    run(async {
        let attacked = Attacked::start(&[]);
        let address = attacked.address();
        let mut host = Peer::log_in(address, "host").await;
        let meta = "x".repeat(4_000);
        host.send(&request(
            "create_room",
            json!({"name": "lobby", "meta": meta}),
            2,
        ))
        .await;
        let room = read_until(&mut host, 2).await[0].1["id"].clone();
        let mut carol = Peer::log_in(address, "carol").await;
        carol
            .send(&request("join_room", json!({"room": room}), 2))
            .await;
        read_until(&mut carol, 2).await;

        let updates: Vec<_> = (0..ROUNDS)
            .map(|n| {
                request(
                    "update_room",
                    json!({"room": room, "locked": n % 2 == 0}),
                    10 + n,
                )
            })
            .collect();
        host.send_all(&updates).await;
        let hosting = tokio::spawn(async move {
            read_until(&mut host, 9 + ROUNDS).await;
            host
        });
        for n in 0..ROUNDS {
            let news = carol.json().await;
            assert_eq!(news["name"], "room_updated");
            assert_eq!(news["data"]["rev"], json!(n + 3));
        }
        hosting.await.unwrap();
        attacked.withstood(16_384);
    });
}
