//! Which ids are taken, by whom, and when they are free again.

use protocol_core::RequestError;
use rendezvous::LoginExt;
use rendezvous::events::LoginError;
use serde_json::{Value, json};

use crate::house::open;
use crate::log::run;
use crate::peer::Peer;

#[test]
fn an_id_that_breaks_a_rule_is_refused_with_the_rule() {
    run(async {
        let house = open(|config| config.login_failures = 0).await;
        let mut peer = Peer::connect(house.address()).await;
        let (long, huge) = ("a".repeat(65), "a".repeat(1_025));
        let decomposed = "e\u{301}".repeat(65);
        for (id, rule) in [
            ("", "is empty: give it 1 to 64 characters"),
            (&*long, "has 65 characters: at most 64 are allowed"),
            (&*decomposed, "has 65 characters: at most 64 are allowed"),
            (&*huge, "has 1025 bytes: at most 256 are allowed"),
            ("a\nb", "has the control character U+000A: leave it out"),
            ("a\0", "has the control character U+0000: leave it out"),
            (
                "\u{1b}[2J",
                "has the control character U+001B: leave it out",
            ),
            (
                "a\u{2028}",
                "has the line or paragraph separator U+2028: leave it out",
            ),
            ("\u{202e}ecila", "has the bidi control U+202E: leave it out"),
            (
                "a\u{fdd0}",
                "has the unassigned code point U+FDD0: leave it out",
            ),
            (" alice", "starts with white space: leave it out"),
            ("alice\u{3000}", "ends with white space: leave it out"),
            (
                "\u{200b}",
                "has only characters that show nothing: give it one that shows",
            ),
            (
                "#alice",
                "starts with `#` (U+0023), which marks rooms: leave it out",
            ),
            (
                "\u{ff03}alice",
                "starts with `#` (U+FF03), which marks rooms: leave it out",
            ),
        ] {
            let error = &peer.request("login", json!({"id": id})).await["error"];
            assert_eq!(error["code"], "id_invalid", "{id:?}: {error}");
            assert_eq!(error["message"], format!("the id {rule}"), "{id:?}");
            assert_eq!(error["data"], json!({"rule": rule}), "{id:?}");
        }
        assert_eq!(house.rendezvous.sessions(), 0);
        let answer = peer.request("login", json!({"id": "alice"})).await;
        assert_eq!(answer["data"]["id"], "alice");
    });
}

#[test]
fn an_id_that_is_no_string_is_bad_data() {
    run(async {
        let house = open(|_| {}).await;
        let mut peer = Peer::connect(house.address()).await;
        for id in [Value::Null, json!(7), json!(["alice"])] {
            let error = &peer.request("login", json!({"id": id})).await["error"];
            assert_eq!(error["code"], "bad_data", "{error}");
            assert_eq!(error["data"]["path"], "id");
        }
        let error = &peer.request("login", json!({})).await["error"];
        assert_eq!(error["data"]["expected"], "missing field `id`");
    });
}

#[test]
fn a_typed_client_is_told_the_rule() {
    run(async {
        let house = open(|_| {}).await;
        let (alice, _news) = house.guest().await;
        let refused = alice.login(" ").await.unwrap_err();
        let RequestError::Refused(LoginError::IdInvalid { rule }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(rule, "starts with white space: leave it out");
    });
}

#[test]
fn an_id_has_up_to_64_characters_in_nfc_of_any_script() {
    run(async {
        let house = open(|_| {}).await;
        for id in ["a", &"a".repeat(64), &"字".repeat(64), &"😀".repeat(64)] {
            let mut peer = Peer::connect(house.address()).await;
            let answer = peer.request("login", json!({"id": id})).await;
            assert_eq!(answer["data"]["id"], *id);
        }
        let mut peer = Peer::connect(house.address()).await;
        let answer = peer
            .request("login", json!({"id": "e\u{301}".repeat(64)}))
            .await;
        assert_eq!(answer["data"]["id"], "\u{e9}".repeat(64));
    });
}

#[test]
fn an_id_in_use_is_taken_and_so_is_all_that_looks_like_it() {
    run(async {
        let house = open(|config| config.login_failures = 0).await;
        let mut alice = Peer::log_in(house.address(), "Alice").await;
        let mut other = Peer::connect(house.address()).await;
        for twin in [
            "Alice",
            "alice",
            "ALICE",
            "\u{ff21}\u{ff4c}\u{ff49}\u{ff43}\u{ff45}", // full width
            "Ali\u{200b}ce",                            // zero-width space
            "\u{2060}Alice\u{fe0f}",                    // word joiner, variation selector
            "\u{1d400}lice",                            // mathematical bold
        ] {
            let error = &other.request("login", json!({"id": twin})).await["error"];
            assert_eq!(error["code"], "id_taken", "{twin:?}: {error}");
            assert!(error["data"].is_null(), "{error}");
        }
        assert_eq!(house.rendezvous.sessions(), 1);
        alice.request("logout", json!({})).await;
        let answer = other.request("login", json!({"id": "aLICE"})).await;
        assert_eq!(answer["data"]["id"], "aLICE");
    });
}

#[test]
fn ids_that_fold_apart_are_two_peers() {
    run(async {
        let house = open(|_| {}).await;
        let mut peers = Vec::new();
        for id in ["alice", "al1ce", "\u{e1}lice", "a lice", "alice\u{2026}"] {
            peers.push(Peer::log_in(house.address(), id).await);
        }
        assert_eq!(house.rendezvous.sessions(), peers.len());
    });
}

#[test]
fn an_id_is_free_once_its_link_has_ended_in_any_way() {
    run(async {
        let house = open(|_| {}).await;
        for way in 0..6 {
            let mut alice = Peer::log_in(house.address(), "alice").await;
            match way {
                0 => drop(alice),
                1 => alice.reset(),
                2 => {
                    alice.end().await;
                    assert_eq!(alice.line().await, None);
                }
                3 => {
                    alice.write("no frame\n").await;
                    assert_eq!(alice.last_word().await, "bad_frame");
                }
                4 => {
                    alice.write("{\"type\":").await;
                    drop(alice);
                }
                _ => {
                    alice.write("{\"type\":").await;
                    alice.reset();
                }
            }
            house.has_sessions(0).await;
        }
        let (alice, _news) = house.guest().await;
        alice.login("alice").await.unwrap();
        alice.close().await;
        house.has_sessions(0).await;
        Peer::log_in(house.address(), "alice").await;
    });
}

#[test]
fn an_id_is_free_as_soon_as_its_logout_is_answered() {
    run(async {
        let house = open(|_| {}).await;
        let mut links = Vec::new();
        for _ in 0..200 {
            let mut alice = Peer::connect(house.address()).await;
            let answer = alice.request("login", json!({"id": "alice"})).await;
            assert_eq!(answer["data"]["id"], "alice", "{answer}");
            let answer = alice.request("logout", json!({})).await;
            assert_eq!(answer["data"], json!({}), "{answer}");
            // The link itself may stand for a while.
            links.push(alice);
        }
        house.has_sessions(0).await;
    });
}

#[test]
fn a_typed_client_may_come_back_as_soon_as_its_logout_is_answered() {
    run(async {
        let house = open(|_| {}).await;
        for _ in 0..200 {
            let (alice, _news) = house.guest().await;
            alice.login("alice").await.unwrap();
            alice.request(rendezvous::events::LogOut {}).await.unwrap();
        }
        house.has_connections(0).await;
    });
}

#[test]
fn a_refused_twin_takes_nothing_from_the_one_who_has_the_id() {
    run(async {
        let house = open(|_| {}).await;
        let mut alice = Peer::log_in(house.address(), "alice").await;
        for twin in ["alice", "ALICE"] {
            let mut other = Peer::connect(house.address()).await;
            let answer = other.request("login", json!({"id": twin})).await;
            assert_eq!(answer["error"]["code"], "id_taken");
            drop(other);
            house.has_connections(1).await;
        }
        let mut bob = Peer::log_in(house.address(), "bob").await;
        bob.send(&json!({"type": "pass", "name": "wave", "dest": "alice"}))
            .await;
        let wave = alice.json().await;
        assert_eq!(wave["from"], "bob");
        assert_eq!(house.rendezvous.sessions(), 2);
    });
}
