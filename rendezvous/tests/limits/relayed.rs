//! What peers ask each other and what they confirm: how much of it may be open, and what is counted.

use std::time::Duration;

use protocol_core::metrics::{
    ANSWERS_REPEATED, BUSY, CONFIRMED_PASSES, RELAYED_CALLS_TIMED_OUT, REPETITIONS,
    REQUESTS_REFUSED,
};
use protocol_tests::{Pipe, meter, run_paused};
use serde_json::{Value, json};
use tokio::time::advance;

use crate::meeting::{open, settle};

fn ask(id: &str) -> Value {
    json!({"type": "request", "name": "ask", "dest": "bob", "request_id": id})
}

#[test]
fn as_many_relayed_calls_are_open_as_may_be_and_for_2_minutes() {
    run_paused(async {
        let mut meter = meter();
        let place = open(|config| config.server.connection.relayed_calls = 2).await;
        let (mut alice, mut bob) = (place.peer("alice").await, place.peer("bob").await);
        for id in ["a", "b"] {
            alice.send(&ask(id)).await;
        }
        assert!(settle(&mut alice).await.is_empty());
        assert_eq!(meter.count(BUSY), 0);
        alice.send(&ask("c")).await;
        let refused = settle(&mut alice).await;
        assert_eq!(refused[0]["error"]["code"], "busy", "{refused:?}");
        assert_eq!(meter.count_of(BUSY, "relayed"), 1);
        assert_eq!(settle(&mut bob).await.len(), 2);
        for _ in 0..3 {
            advance(Duration::from_secs(39)).await;
            for peer in [&mut alice, &mut bob] {
                assert!(settle(peer).await.is_empty());
            }
        }
        advance(Duration::from_millis(2_999)).await;
        assert_eq!(meter.count(RELAYED_CALLS_TIMED_OUT), 0);
        advance(Duration::from_millis(2)).await;
        for _ in 0..2 {
            let late = alice.frame().await.unwrap();
            assert_eq!(late["error"]["code"], "timeout", "{late}");
        }
        assert_eq!(meter.count(RELAYED_CALLS_TIMED_OUT), 2);
    });
}

#[test]
fn a_numbered_request_that_comes_again_is_answered_again_and_not_run() {
    run_paused(async {
        let mut meter = meter();
        let place = open(|config| config.server.connection.delivery.answers = 1).await;
        let mut alice = Pipe::open(&place.server, 64 * 1_024);
        let login = json!({"id": "alice", "inc": "a life", "grace_ms": 1_000});
        let answer = alice.ask("login", login).await;
        let inc = answer["data"]["inc"].clone();
        let numbered = |seq: u64, name: &str| {
            json!({
                "type": "request", "name": "list_rooms", "data": {"name_contains": name},
                "request_id": format!("r{seq}"), "seq": seq, "dest_inc": inc,
            })
        };
        let mut said = Vec::new();
        for (frame, repeated, refused) in [
            (numbered(1, "x"), 0, None),
            (numbered(1, "x"), 1, None),
            (numbered(1, "y"), 1, Some("id_conflict")),
            (numbered(2, "x"), 1, None),
            // One answer is kept.
            (numbered(1, "x"), 1, Some("expired")),
            (numbered(2, "x"), 2, None),
        ] {
            alice.send(&frame).await;
            let answer = alice.frame().await.unwrap();
            assert_eq!(answer["error"]["code"].as_str(), refused, "{answer}");
            assert_eq!(meter.count(ANSWERS_REPEATED), repeated);
            assert_eq!(meter.count(REPETITIONS), repeated);
            said.extend(refused);
            assert_eq!(meter.count(REQUESTS_REFUSED), said.len() as u64);
        }
        for code in said {
            assert_eq!(meter.count_of(REQUESTS_REFUSED, code), 1);
        }
        assert_eq!(meter.count(CONFIRMED_PASSES), 0);
    });
}
