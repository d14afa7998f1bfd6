//! Commands to rooms, as many as anybody may give at once: members who read miss nothing and stay.

use protocol_tests::run;
use serde_json::{Value, json};

use crate::attacked::Attacked;
use crate::peer::Peer;

/// Join and leave count as two of the thousand frames that may come at once.
const ROUNDS: usize = 480;

const CHURNERS: usize = 8;

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

fn count(heard: &[(String, Value)], name: &str) -> usize {
    heard.iter().filter(|(heard, _)| heard == name).count()
}

#[test]
fn who_joins_and_leaves_without_end_cuts_off_nobody_who_reads() {
    run(async {
        let attacked = Attacked::start(&[]);
        let address = attacked.address();
        let mut host = Peer::log_in(address, "host").await;
        host.send(&request(
            "create_room",
            json!({"name": "lobby", "capacity": 100}),
            2,
        ))
        .await;
        let created = read_until(&mut host, 2).await;
        let room = created[0].1["id"].clone();
        let mut carol = Peer::log_in(address, "carol").await;
        carol
            .send(&request("join_room", json!({"room": room}), 2))
            .await;
        read_until(&mut carol, 2).await;

        let mut churning = Vec::new();
        for number in 0..CHURNERS {
            let mut churner = Peer::log_in(address, &format!("churner {number}")).await;
            let rounds = (0..ROUNDS).flat_map(|round| {
                let id = 10 + 2 * round;
                let data = json!({"room": room});
                [
                    request("join_room", data.clone(), id),
                    request("leave_room", data, id + 1),
                ]
            });
            let rounds: Vec<_> = rounds.collect();
            churning.push(tokio::spawn(async move {
                churner.send_all(&rounds).await;
                read_until(&mut churner, 9 + 2 * ROUNDS).await;
            }));
        }
        let members = [host, carol].map(|mut member| {
            tokio::spawn(async move {
                let mut heard = Vec::new();
                while count(&heard, "player_left") < CHURNERS * ROUNDS {
                    let frame = member.json().await;
                    heard.push((
                        frame["name"].as_str().unwrap().to_owned(),
                        frame["data"].clone(),
                    ));
                }
                heard
            })
        });
        for churner in churning {
            churner.await.unwrap();
        }
        for member in members {
            let heard = member.await.unwrap();
            assert_eq!(count(&heard, "player_left"), CHURNERS * ROUNDS);
            let revs = heard.iter().map(|(_, data)| data["rev"].as_u64().unwrap());
            assert!(revs.is_sorted_by(|one, next| one < next));
        }
        attacked.withstood(16_384);
    });
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
