//! Clients that come and go without end.

use protocol_tests::run;
use serde_json::{Value, json};

use crate::attacked::Attacked;
use crate::peer::Peer;

/// Two of them are the honest clients'.
const SESSIONS: usize = 12;

#[test]
fn ten_thousand_logins_that_end_in_every_way_leave_nothing_behind() {
    run(async {
        let flag = format!("--max-sessions={SESSIONS}");
        let attacked = Attacked::start(&[&flag]);
        let address = attacked.address();
        let mut workers = Vec::new();
        for worker in 0..4 {
            workers.push(tokio::spawn(async move {
                let id = format!("carol {worker}");
                for round in 0..2_500 {
                    // The name is free once the server has seen the last link end.
                    let mut peer = loop {
                        let mut peer = Peer::connect(address).await;
                        let answer = peer.request("login", json!({"id": id})).await;
                        if answer["error"].is_null() {
                            break peer;
                        }
                        assert_eq!(answer["error"]["code"], "id_taken", "{answer}");
                        peer.reset();
                    };
                    match round % 5 {
                        0 => drop(peer.request("logout", Value::Null).await),
                        1 => drop(peer),
                        2 => peer.reset(),
                        3 => peer.write("no frame\n").await,
                        _ => peer.write("{\"type\":").await,
                    }
                }
            }));
        }
        for worker in workers {
            worker.await.unwrap();
        }
        // As many as there is room for, so nobody is left.
        let mut peers = Vec::new();
        while peers.len() < SESSIONS - 2 {
            let mut peer = Peer::connect(address).await;
            let id = format!("carol {}", peers.len());
            let answer = peer.request("login", json!({"id": id})).await;
            if answer["error"].is_null() {
                peers.push(peer);
            }
        }
        let mut peer = Peer::connect(address).await;
        let answer = peer.request("login", json!({"id": "carol"})).await;
        assert_eq!(answer["error"]["code"], "server_full");
        attacked.withstood(4_096);
    });
}
