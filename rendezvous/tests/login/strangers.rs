//! What a connection may do before it has logged in: log in, ask for a sign of life, nothing else,
//! and not for long.

use std::time::{Duration, Instant};

use protocol_core::StrangerLimits;
use protocol_tests::Seen;
use rendezvous::Config;
use serde_json::{Value, json};

use crate::house::open;
use crate::log::run;
use crate::peer::Peer;

fn stranger(config: &mut Config) -> &mut StrangerLimits {
    let connection = &mut config.server.connection;
    connection.stranger.get_or_insert_default()
}

#[test]
fn requests_and_confirmed_passes_of_strangers_are_not_logged_in() {
    run(async {
        let mut house = open(|_| {}).await;
        let mut bob = Peer::log_in(house.address(), "bob").await;
        let mut stranger = Peer::connect(house.address()).await;
        for name in [
            "knock", "leaflet", "logout", "greet", "nothing", "", "Login",
        ] {
            for dest in [Value::Null, json!("bob"), json!("nobody"), json!("#room")] {
                let frame = json!({
                    "type": "request", "name": name, "dest": dest, "request_id": "7", "from": "alice",
                });
                let answer = stranger.ask(&frame).await;
                assert_eq!(answer["type"], "response");
                assert_eq!(answer["name"], name);
                assert_eq!(answer["request_id"], "7");
                assert_eq!(answer["error"]["code"], "not_logged_in", "{frame}");

                let frame = json!({
                    "type": "confirm_pass", "name": name, "dest": dest, "pass_id": "8",
                });
                let answer = stranger.ask(&frame).await;
                assert_eq!(answer["type"], "confirm_pass");
                assert_eq!(answer["pass_id"], "8");
                assert_eq!(answer["error"]["code"], "not_logged_in", "{frame}");
            }
        }
        assert_eq!(house.notices.try_next(), None);
        assert!(bob.request("ping", json!({})).await["error"].is_null());
    });
}

#[test]
fn passes_of_strangers_are_counted_and_reach_nobody() {
    run(async {
        let mut house = open(|_| {}).await;
        let mut bob = Peer::log_in(house.address(), "bob").await;
        let mut stranger = Peer::connect(house.address()).await;
        for dest in [Value::Null, json!("bob"), json!("nobody"), json!("#room")] {
            stranger
                .send(&json!({"type": "pass", "name": "leaflet", "dest": dest}))
                .await;
            let refused = Seen::refused("leaflet", "not_logged_in");
            assert_eq!(house.notices.next().await, refused, "{dest}");
        }
        assert!(stranger.request("ping", json!({})).await["error"].is_null());
        // The next that bob hears is his own answer.
        assert_eq!(bob.request("ping", json!({})).await["name"], "ping");
    });
}

#[test]
fn answers_of_strangers_are_counted_and_reach_nobody() {
    run(async {
        let mut house = open(|_| {}).await;
        let mut bob = Peer::log_in(house.address(), "bob").await;
        let mut stranger = Peer::connect(house.address()).await;
        for dest in [Value::Null, json!("bob")] {
            for frame in [
                json!({"type": "response", "name": "greet", "data": 1, "request_id": "1", "dest": dest}),
                json!({"type": "confirm_pass", "pass_id": "1", "dest": dest}),
            ] {
                stranger.send(&frame).await;
                assert_eq!(house.notices.next().await, Seen::AnswerIgnored);
            }
        }
        assert_eq!(bob.request("ping", json!({})).await["name"], "ping");
    });
}

#[test]
fn a_login_sent_as_a_pass_opens_nothing() {
    run(async {
        let mut house = open(|_| {}).await;
        let mut alice = Peer::connect(house.address()).await;
        let data = json!({"id": "alice"});
        alice
            .send(&json!({"type": "pass", "name": "login", "data": data}))
            .await;
        assert_eq!(
            house.notices.next().await,
            Seen::refused("login", "bad_type")
        );
        let frame = json!({"type": "confirm_pass", "name": "login", "data": data, "pass_id": "1"});
        assert_eq!(alice.ask(&frame).await["error"]["code"], "bad_type");
        assert_eq!(house.rendezvous.sessions(), 0);
    });
}

#[test]
fn after_login_the_same_events_are_handled() {
    run(async {
        let house = open(|_| {}).await;
        let (bob, _news) = house.guest().await;
        rendezvous::LoginExt::login(&bob, "bob").await.unwrap();
        let mut alice = Peer::log_in(house.address(), "alice").await;
        assert_eq!(
            alice.request("knock", json!({})).await["data"]["to"],
            "alice"
        );
        let frame = json!({"type": "confirm_pass", "name": "leaflet", "pass_id": "8"});
        assert_eq!(
            alice.ask(&frame).await,
            json!({"type": "confirm_pass", "pass_id": "8"})
        );
        let frame = json!({"type": "request", "name": "greet", "dest": "bob", "request_id": "9"});
        assert_eq!(alice.ask(&frame).await["data"]["text"], "hello, alice");
        let frame =
            json!({"type": "request", "name": "greet", "dest": "nobody", "request_id": "9"});
        assert_eq!(alice.ask(&frame).await["error"]["code"], "peer_not_found");
    });
}

/// A ping of so many bytes, without its line end.
fn ping_of(bytes: usize) -> String {
    let frame = |text: &str| {
        format!(
            "{{\"type\":\"request\",\"name\":\"ping\",\"data\":{{\"x\":\"{text}\"}},\"request_id\":\"1\"}}"
        )
    };
    let frame = frame(&"x".repeat(bytes - frame("").len()));
    assert_eq!(frame.len(), bytes);
    frame
}

#[test]
fn a_strangers_frame_has_at_most_4_kib() {
    run(async {
        let house = open(|_| {}).await;
        let mut alice = Peer::connect(house.address()).await;
        alice.write(ping_of(4_096) + "\n").await;
        assert!(alice.json().await["data"]["server_ms"].is_u64());
        let mut bob = Peer::connect(house.address()).await;
        // Refused as soon as it is too long: its end never comes.
        bob.write(ping_of(4_097)).await;
        assert_eq!(bob.last_word().await, "too_large");

        alice.request("login", json!({"id": "alice"})).await;
        alice.write(ping_of(65_536) + "\n").await;
        assert!(alice.json().await["data"]["server_ms"].is_u64());
        alice.write(ping_of(65_537)).await;
        assert_eq!(alice.last_word().await, "too_large");
    });
}

#[test]
fn a_stranger_sends_at_most_8_kib_in_all() {
    run(async {
        let house = open(|_| {}).await;
        let mut alice = Peer::connect(house.address()).await;
        for _ in 0..2 {
            alice.write(ping_of(4_095) + "\n").await;
            assert!(alice.json().await["data"]["server_ms"].is_u64());
        }
        alice.write("{}\n").await;
        assert_eq!(alice.last_word().await, "too_large");

        // What came before a login does not count after it.
        let mut bob = Peer::connect(house.address()).await;
        bob.write(ping_of(4_095) + "\n").await;
        assert!(bob.json().await["data"]["server_ms"].is_u64());
        bob.request("login", json!({"id": "bob"})).await;
        for _ in 0..4 {
            bob.write(ping_of(4_095) + "\n").await;
            assert!(bob.json().await["data"]["server_ms"].is_u64());
        }
    });
}

#[test]
fn empty_lines_of_a_stranger_are_counted_as_all_its_bytes_are() {
    run(async {
        let house = open(|_| {}).await;
        for line in ["\n", "\r\n"] {
            let mut alice = Peer::connect(house.address()).await;
            alice.write(line.repeat(8_192 / line.len())).await;
            alice.write("\n").await;
            assert_eq!(alice.last_word().await, "too_large", "{line:?}");
        }
    });
}

#[test]
fn who_does_not_log_in_in_time_hears_so_and_is_gone() {
    run(async {
        let time = Duration::from_millis(300);
        let house = open(|config| stranger(config).timeout = time).await;
        let start = Instant::now();
        let silent = Peer::connect(house.address()).await;
        let mut begun = Peer::connect(house.address()).await;
        begun.write("{\"type\":\"request\",").await;
        let mut refused = Peer::connect(house.address()).await;
        refused.request("login", json!({"id": ""})).await;
        let mut lively = Peer::connect(house.address()).await;
        // Signs of life do not help.
        let ping = json!({"type": "request", "name": "ping", "request_id": "1"});
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        while lively.ask(&ping).await["name"] == "ping" {
            pace.tick().await;
        }
        assert!(start.elapsed() >= time, "after {:?}", start.elapsed());
        assert_eq!(lively.line().await, None);
        drop(lively);
        for mut peer in [silent, begun, refused] {
            assert_eq!(peer.last_word().await, "timeout");
        }
        house.has_connections(0).await;
    });
}

#[test]
fn who_logs_in_in_time_may_be_silent_for_longer() {
    run(async {
        let time = Duration::from_millis(300);
        let house = open(|config| stranger(config).timeout = time).await;
        let mut alice = Peer::log_in(house.address(), "alice").await;
        let mut silent = Peer::connect(house.address()).await;
        // By then alice's time would have been over too.
        assert_eq!(silent.last_word().await, "timeout");
        assert_eq!(
            alice.request("knock", json!({})).await["data"]["to"],
            "alice"
        );
    });
}
