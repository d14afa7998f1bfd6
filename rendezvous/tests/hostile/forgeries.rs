//! Clients that pretend to be somebody else.

use std::net::SocketAddr;

use protocol_tests::run;
use serde_json::{Value, json};

use crate::attacked::Attacked;
use crate::peer::Peer;

#[test]
fn of_a_hundred_who_race_for_an_id_one_gets_it() {
    run(async {
        let attacked = Attacked::start(&[]);
        for round in 0..10 {
            let id = format!("carol {round}");
            let mut racers = Vec::new();
            for number in 0..100 {
                let mut peer = Peer::connect(attacked.address()).await;
                // Twins race too.
                let id = if number % 2 == 0 {
                    id.clone()
                } else {
                    id.to_uppercase()
                };
                racers.push(tokio::spawn(async move {
                    let answer = peer.request("login", json!({"id": id})).await;
                    (peer, answer)
                }));
            }
            let mut winners = Vec::new();
            for racer in racers {
                let (peer, answer) = racer.await.unwrap();
                if answer["error"].is_null() {
                    winners.push(peer);
                } else {
                    assert_eq!(answer["error"]["code"], "id_taken", "{answer}");
                }
            }
            assert_eq!(winners.len(), 1);
            let mut winner = winners.remove(0);
            winner.request("logout", Value::Null).await;
            // Now it is free for whoever comes.
            Peer::log_in(attacked.address(), &id).await;
        }
        attacked.withstood(8_192);
    });
}

#[test]
fn ids_that_only_look_different_are_taken_and_reach_nobody() {
    run(async {
        let attacked = Attacked::start(&["--login-failures=0"]);
        let mut stranger = Peer::connect(attacked.address()).await;
        let mut carol = Peer::log_in(attacked.address(), "carol").await;
        for twin in [
            "Alice",
            "\u{ff41}lice",
            "a\u{200b}lice",
            "\u{feff}alice",
            "\u{1d4ea}lice",
            "al\u{2170}ce",
        ] {
            let answer = stranger.request("login", json!({"id": twin})).await;
            assert_eq!(answer["error"]["code"], "id_taken", "{twin:?}: {answer}");
            let frame = json!({"type": "request", "name": "echo", "dest": twin, "request_id": "1"});
            let answer = carol.ask(&frame).await;
            let code = &answer["error"]["code"];
            assert_eq!(code, "peer_not_found", "{twin:?}: {answer}");
        }
        attacked.withstood(2_048);
    });
}

#[test]
fn nobody_sends_in_anothers_name() {
    run(async {
        let attacked = Attacked::start(&[]);
        let mut carol = Peer::log_in(attacked.address(), "carol").await;
        let mut victim = Peer::log_in(attacked.address(), "carol 2").await;
        for line in [
            r#"{"type":"pass","name":"wave","dest":"carol 2","from":"alice"}"#,
            r#"{"from":"alice","type":"pass","name":"wave","dest":"carol 2"}"#,
            r#"{"fr\u006fm":"alice","type":"pass","name":"wave","dest":"carol 2"}"#,
            r#"{"type":"pass","name":"wave","dest":"carol 2","data":{"from":"alice"},"from":null}"#,
            r#"{"type":"pass","name":"wave","dest":"carol 2","x":{"from":"alice"}}"#,
        ] {
            carol.write(format!("{line}\n")).await;
            let wave = victim.json().await;
            assert_eq!(wave["from"], "carol", "{line}: {wave}");
            assert_eq!(wave["name"], "wave");
        }
        // To name oneself twice is no frame at all.
        carol
            .write("{\"type\":\"pass\",\"name\":\"wave\",\"dest\":\"carol 2\",\"from\":\"alice\",\"fr\\u006fm\":\"bob\"}\n")
            .await;
        assert_eq!(carol.last_word().await, "bad_frame");
        assert_eq!(victim.request("ping", Value::Null).await["name"], "ping");
        attacked.withstood(2_048);
    });
}

/// Carol asks two others the same: one who does not answer yet, with the id 1, and one with the id 2.
async fn asked(address: SocketAddr) -> [Peer; 3] {
    let mut asker = Peer::log_in(address, "carol").await;
    let mut honest = Peer::log_in(address, "carol 2").await;
    let mut forger = Peer::log_in(address, "carol 3").await;
    for (dest, id) in [("carol 2", "1"), ("carol 3", "2")] {
        let request = json!({"type": "request", "name": "echo", "dest": dest, "request_id": id});
        asker.send(&request).await;
    }
    assert_eq!(honest.json().await["from"], "carol");
    assert_eq!(forger.json().await["from"], "carol");
    [asker, honest, forger]
}

fn answer(id: &str, data: &str) -> Value {
    json!({"type": "response", "name": "echo", "data": data, "request_id": id, "dest": "carol"})
}

/// What a forger tries who was asked as 2: to answer for the one who was asked as 1, to answer as
/// the server would, and to answer what nobody asked.
fn forgeries() -> [Value; 7] {
    let error = json!({"code": "peer_gone"});
    [
        answer("1", "forged"),
        json!({"type": "response", "name": "echo", "data": "forged", "request_id": "1", "dest": "carol", "from": "carol 2"}),
        json!({"type": "response", "name": "echo", "error": error, "request_id": "1", "dest": "carol"}),
        json!({"type": "response", "name": "echo", "data": "forged", "request_id": "1"}),
        json!({"type": "confirm_pass", "pass_id": "1", "dest": "carol"}),
        json!({"type": "confirm_pass", "pass_id": "2", "dest": "carol"}),
        answer("3", "forged"),
    ]
}

/// Waits until everything that these sent has been handled.
async fn settle<const N: usize>(peers: [&mut Peer; N]) {
    for peer in peers {
        assert_eq!(peer.request("ping", Value::Null).await["name"], "ping");
    }
}

#[test]
fn nobody_answers_in_anothers_name() {
    run(async {
        let attacked = Attacked::start(&[]);
        let [mut asker, mut honest, mut forger] = asked(attacked.address()).await;
        for forged in forgeries() {
            forger.send(&forged).await;
            // The next that the asker hears is not the forgery.
            settle([&mut forger, &mut asker]).await;
        }
        honest.send(&answer("1", "true")).await;
        let heard = asker.json().await;
        assert_eq!(
            (&heard["data"], &heard["from"]),
            (&json!("true"), &json!("carol 2"))
        );
        // Its own answer counts, once.
        forger
            .send_all(&[answer("2", "mine"), answer("2", "again")])
            .await;
        let heard = asker.json().await;
        assert_eq!(
            (&heard["data"], &heard["from"]),
            (&json!("mine"), &json!("carol 3"))
        );
        settle([&mut forger, &mut asker]).await;
        attacked.withstood(2_048);
    });
}

#[test]
fn an_answer_that_counts_for_nothing_costs_nobody_the_true_one_behind_it() {
    run(async {
        let attacked = Attacked::start(&[]);
        let [mut asker, _honest, mut forger] = asked(attacked.address()).await;
        let mut frames = forgeries().to_vec();
        frames.push(answer("2", "mine"));
        forger.send_all(&frames).await;
        settle([&mut forger]).await;
        // If the answer is lost, it is the ping's that comes.
        let heard = asker.request("ping", Value::Null).await;
        assert_eq!(heard["data"], "mine", "{heard}");
        attacked.withstood(2_048);
    });
}

#[test]
fn nobody_speaks_for_the_server() {
    run(async {
        let attacked = Attacked::start(&[]);
        let mut carol = Peer::log_in(attacked.address(), "carol").await;
        // To the honest clients, who would lose their links or their calls.
        for dest in ["alice", "bob"] {
            for name in [
                "protocol_error",
                "cancel_request",
                "session_ended",
                "server_closing",
                "dropped",
            ] {
                let data = json!({"code": "unavailable", "reason": "removed", "may_resume": false});
                carol
                    .send(&json!({"type": "pass", "name": name, "dest": dest, "data": data}))
                    .await;
            }
            let login =
                json!({"type": "request", "name": "login", "dest": dest, "request_id": "1"});
            assert_eq!(carol.ask(&login).await["error"]["code"], "unknown_event");
        }
        attacked.withstood(2_048);
    });
}
