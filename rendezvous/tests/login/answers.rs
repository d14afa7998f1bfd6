//! What a login, a ping and a logout are answered with, member by member.

use std::collections::HashSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol_core::PeerId;
use rendezvous::LoginExt;
use rendezvous::events::{LogIn, LogOut, Ping, ProtocolInfo, Secret};
use serde_json::{Value, json};

use crate::house::{Greet, Knock, open};
use crate::log::run;
use crate::peer::Peer;

fn members(value: &Value) -> Vec<&str> {
    let mut members: Vec<_> = value.as_object().unwrap().keys().collect();
    members.sort();
    members.into_iter().map(String::as_str).collect()
}

#[test]
fn a_login_is_answered_with_each_member_and_no_other() {
    run(async {
        let house = open(|_| {}).await;
        let mut alice = Peer::connect(house.address()).await;
        let answer = alice.request("login", json!({"id": "alice"})).await;
        assert_eq!(members(&answer), ["data", "name", "request_id", "type"]);
        assert_eq!(answer["type"], "response");
        assert_eq!(answer["name"], "login");
        assert_eq!(answer["request_id"], "1");
        let data = &answer["data"];
        let expected = ["grace_ms", "id", "inc", "resumed", "rooms", "session"];
        assert_eq!(members(data), expected);
        assert_eq!(data["id"], "alice");
        assert_eq!(data["inc"].as_str().unwrap().len(), 32);
        assert_eq!(data["grace_ms"], 0);
        assert_eq!(data["resumed"], false);
        assert_eq!(data["rooms"], json!([]));
        assert!(!data["session"].as_str().unwrap().is_empty());
    });
}

#[test]
fn what_a_login_offers_beside_its_id_is_taken_and_only_a_grace_grants_more() {
    run(async {
        let house = open(|_| {}).await;
        let mut incs = HashSet::new();
        for (offer, grace_ms) in [
            (
                json!({"id": "alice", "token": "t", "inc": "i", "grace_ms": 0, "client": "c 1"}),
                0,
            ),
            (
                json!({"id": "alice", "token": null, "resume": null, "protocol": null}),
                0,
            ),
            (
                json!({"id": "alice", "protocol": {"name": "house", "version": "7", "later": 1}}),
                0,
            ),
            (
                json!({"id": "alice", "of_a_later_version": {"deep": []}}),
                0,
            ),
            (json!({"id": "alice", "grace_ms": 1}), 1),
            (
                json!({"id": "alice", "inc": "i", "grace_ms": 60_000}),
                60_000,
            ),
            (json!({"id": "alice", "grace_ms": 60_001}), 60_000),
            (json!({"id": "alice", "grace_ms": u64::MAX}), 60_000),
        ] {
            let mut alice = Peer::connect(house.address()).await;
            let data = &alice.request("login", offer).await["data"];
            let mut expected = vec!["grace_ms", "id", "inc", "resumed", "rooms", "session"];
            if grace_ms > 0 {
                expected.insert(3, "resume");
                assert!(!data["resume"].as_str().unwrap().is_empty());
            }
            assert_eq!(members(data), expected);
            assert_eq!(data["grace_ms"], grace_ms);
            assert_eq!(data["resumed"], false);
            incs.insert(data["inc"].as_str().unwrap().to_owned());
            alice.request("logout", Value::Null).await;
        }
        assert_eq!(incs.len(), 1, "a server lives one life");
    });
}

#[test]
fn an_id_comes_back_in_nfc_and_is_reached_by_that() {
    run(async {
        let house = open(|_| {}).await;
        let mut bob = Peer::connect(house.address()).await;
        let answer = bob.request("login", json!({"id": "Bo\u{308}b"})).await;
        assert_eq!(answer["data"]["id"], "B\u{f6}b");

        let (alice, _news) = house.guest().await;
        alice.login("A\u{300}lice").await.unwrap();
        let frame =
            json!({"type": "request", "name": "greet", "dest": "\u{c0}lice", "request_id": "2"});
        let answer = bob.ask(&frame).await;
        assert_eq!(answer["from"], "\u{c0}lice");
        assert_eq!(answer["data"]["text"], "hello, B\u{f6}b");
    });
}

#[test]
fn typed_clients_log_in_greet_each_other_and_log_out() {
    run(async {
        let house = open(|_| {}).await;
        let ((alice, mut news), (bob, _)) = (house.guest().await, house.guest().await);
        let logged_in = alice.login("alice").await.unwrap();
        assert_eq!(logged_in.id.as_str(), "alice");
        assert!(logged_in.resume.is_some());
        assert_eq!(logged_in.grace_ms, 30_000);
        assert!(!logged_in.inc.is_empty());
        assert!(!logged_in.resumed);
        assert_eq!(logged_in.rooms, []);

        let mut login = LogIn::new("bob");
        login.token = Some(Secret::new("t"));
        login.inc = Some("i".into());
        login.grace_ms = Some(60_000);
        login.client = Some("a test".into());
        login.protocol = Some(ProtocolInfo {
            name: "house".into(),
            version: "7".into(),
        });
        let bob_id = bob.request(login).await.unwrap().id;
        assert_eq!(house.rendezvous.sessions(), 2);
        assert_eq!(
            bob.request(Knock {}).await.unwrap().to,
            Some(bob_id.clone())
        );

        let greeting = alice.to(&bob_id).request(Greet {}).await.unwrap();
        assert_eq!(greeting.text, "hello, alice");
        alice.request(LogOut {}).await.unwrap();
        assert_eq!(house.rendezvous.sessions(), 1);
        alice.closed().await;
        assert!(news.next().await.is_none(), "a logout is no news");
    });
}

#[test]
fn each_session_has_an_id_of_its_own() {
    run(async {
        let house = open(|_| {}).await;
        let mut seen = HashSet::new();
        for id in ["alice", "bob", "alice", "bob", "alice"] {
            let mut peer = Peer::connect(house.address()).await;
            let answer = peer.request("login", json!({"id": id})).await;
            let session = answer["data"]["session"].as_str().unwrap();
            assert!(seen.insert(session.to_owned()), "{session} came twice");
            peer.request("logout", json!({})).await;
        }
    });
}

#[test]
fn a_ping_is_answered_with_the_servers_clock_before_and_after_login() {
    run(async {
        let house = open(|_| {}).await;
        let mut peer = Peer::connect(house.address()).await;
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        for _ in 0..2 {
            for data in [Value::Null, json!({}), json!({"later": 1})] {
                let before = now();
                let answer = peer.request("ping", data).await;
                assert_eq!(members(&answer["data"]), ["server_ms"]);
                let server = Duration::from_millis(answer["data"]["server_ms"].as_u64().unwrap());
                let before = before.saturating_sub(Duration::from_millis(1));
                assert!(before <= server && server <= now(), "{answer}");
            }
            let frame = json!({"type": "request", "name": "ping", "request_id": "2"});
            assert!(peer.ask(&frame).await["data"]["server_ms"].is_u64());
            peer.request("login", json!({"id": "alice"})).await;
        }
        let (bob, _news) = house.guest().await;
        assert!(bob.request(Ping::default()).await.unwrap().server_ms > 0);
    });
}

#[test]
fn a_logout_is_answered_with_an_empty_object_and_the_end() {
    run(async {
        let house = open(|_| {}).await;
        let mut alice = Peer::log_in(house.address(), "alice").await;
        alice
            .write("{\"type\":\"request\",\"name\":\"logout\",\"request_id\":\"9\"}\n")
            .await;
        let line = alice.line().await.unwrap();
        let expected =
            "{\"type\":\"response\",\"name\":\"logout\",\"data\":{},\"request_id\":\"9\"}";
        assert_eq!(line, expected);
        assert_eq!(alice.line().await, None);
    });
}

#[test]
fn a_login_and_what_follows_it_may_come_in_one_write() {
    run(async {
        let house = open(|_| {}).await;
        let (bob, _news) = house.guest().await;
        bob.login("bob").await.unwrap();
        let mut alice = Peer::connect(house.address()).await;
        let frames = [
            json!({"type": "request", "name": "login", "data": {"id": "alice"}, "request_id": "1"}),
            json!({"type": "request", "name": "knock", "request_id": "2"}),
            json!({"type": "request", "name": "greet", "dest": "bob", "request_id": "3"}),
            // Longer than all that a stranger may send.
            json!({"type": "request", "name": "knock", "data": {"x": "y".repeat(10_000)}, "request_id": "4"}),
        ];
        alice.send_all(&frames).await;
        let mut answers = Vec::new();
        for _ in 0..4 {
            answers.push(alice.json().await);
        }
        answers.sort_by_key(|answer| answer["request_id"].to_string());
        assert_eq!(answers[0]["data"]["id"], "alice");
        assert_eq!(answers[1]["data"]["to"], "alice");
        assert_eq!(answers[2]["data"]["text"], "hello, alice");
        assert_eq!(answers[3]["data"]["to"], "alice");
        assert_eq!(
            bob.request(Knock {}).await.unwrap().to,
            PeerId::new("bob").ok()
        );
    });
}
