//! Limits of a rendezvous server, at the limit and one beyond it, and what is counted of them.

use std::time::Duration;

use protocol_core::metrics::{READERS_PAUSED, STRANGERS_TIMED_OUT, STRANGERS_TOO_LOUD, VIOLATIONS};
use protocol_core::{RateLimits, StrangerLimits};
use protocol_tests::{Pipe, meter, run_paused};
use rendezvous::metrics::{
    COMMANDS_REFUSED, GRACES_CUT, LOGINS, LOGINS_EXHAUSTED, LOGINS_REFUSED, PASSWORDS_LIMITED,
    SESSIONS_OPEN, SESSIONS_REPLACED,
};
use rendezvous::{Tokens, events::LogOut};
use serde_json::json;
use tokio::time::advance;

use crate::meeting::{open, settle};

const WIDE: usize = 64 * 1_024;

#[test]
fn sessions_are_open_until_they_end_in_any_way() {
    run_paused(async {
        let mut meter = meter();
        let place = open(|config| config.sessions = 2).await;
        let mut alice = place.peer("alice").await;
        let bob = place.peer("bob").await;
        assert_eq!(meter.gauge(SESSIONS_OPEN), 2);
        let mut carol = Pipe::open(&place.server, WIDE);
        for (id, code) in [("carol", "server_full"), ("bob", "id_taken")] {
            let refused = carol.ask("login", json!({"id": id})).await;
            assert_eq!(refused["error"]["code"], code, "{refused}");
            assert_eq!(meter.count_of(LOGINS_REFUSED, code), 1);
        }
        assert_eq!(meter.count(LOGINS), 2);
        assert_eq!(meter.gauge(SESSIONS_OPEN), 2);
        alice
            .ask(<LogOut as protocol_core::Event>::NAME, json!({}))
            .await;
        assert_eq!(meter.gauge(SESSIONS_OPEN), 1);
        drop(bob);
        while place.rendezvous.sessions() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(meter.gauge(SESSIONS_OPEN), 0);
    });
}

#[test]
fn a_session_that_its_own_peer_replaces_is_counted_once() {
    run_paused(async {
        let mut meter = meter();
        let token = "a token of twenty characters, at least";
        let tokens = Tokens::new([("alice", token)]).unwrap();
        let place = open(|config| config.tokens = Some(tokens)).await;
        for replaced in 0..3 {
            let mut alice = Pipe::open(&place.server, WIDE);
            let answer = alice
                .ask("login", json!({"id": "alice", "token": token}))
                .await;
            assert!(answer["error"].is_null(), "{answer}");
            assert_eq!(meter.count(SESSIONS_REPLACED), replaced);
            assert_eq!(meter.gauge(SESSIONS_OPEN), 1);
            // Her link stands when the next comes.
            std::mem::forget(alice);
        }
    });
}

#[test]
fn five_refused_logins_close_a_connection() {
    run_paused(async {
        let mut meter = meter();
        let place = open(|_| {}).await;
        let mut alice = Pipe::open(&place.server, WIDE);
        for failures in 1..=5 {
            assert_eq!(meter.count(LOGINS_EXHAUSTED), 0);
            alice.ask("login", json!({"id": ""})).await;
            assert_eq!(meter.count_of(LOGINS_REFUSED, "id_invalid"), failures);
        }
        assert_eq!(meter.count(LOGINS_EXHAUSTED), 1);
        alice.ends().await;
    });
}

#[test]
fn a_grace_is_cut_to_what_the_server_grants() {
    run_paused(async {
        let mut meter = meter();
        let place = open(|config| config.grace = Duration::from_secs(7)).await;
        for (id, asked, granted, cut) in [("alice", 7_000, 7_000, 0), ("bob", 7_001, 7_000, 1)] {
            let mut peer = Pipe::open(&place.server, WIDE);
            let login = json!({"id": id, "grace_ms": asked});
            let answer = peer.ask("login", login).await;
            assert_eq!(answer["data"]["grace_ms"], granted, "{answer}");
            assert_eq!(meter.count(GRACES_CUT), cut);
        }
    });
}

#[test]
fn a_stranger_has_5_s() {
    run_paused(async {
        let mut meter = meter();
        let place = open(|_| {}).await;
        assert_eq!(StrangerLimits::default().timeout, Duration::from_secs(5));
        let mut late = Pipe::open(&place.server, WIDE);
        let mut in_time = Pipe::open(&place.server, WIDE);
        settle(&mut late).await;
        settle(&mut in_time).await;
        advance(Duration::from_millis(4_999)).await;
        in_time.ask("login", json!({"id": "alice"})).await;
        assert_eq!(meter.count(STRANGERS_TIMED_OUT), 0);
        advance(Duration::from_millis(2)).await;
        assert_eq!(late.last_word().await, "timeout");
        settle(&mut in_time).await;
        assert_eq!(meter.count(STRANGERS_TIMED_OUT), 1);
        assert_eq!(meter.count_of(VIOLATIONS, "timeout"), 1);
    });
}

#[test]
fn a_stranger_has_8_kib() {
    run_paused(async {
        let mut meter = meter();
        let place = open(|_| {}).await;
        let most = StrangerLimits::default().bytes_in;
        assert_eq!(most, 8_192);
        for (beyond, too_loud) in [(0, 0), (1, 1)] {
            let mut stranger = Pipe::open(&place.server, WIDE);
            // Empty lines count, and say nothing.
            let ping = b"{\"type\":\"request\",\"name\":\"ping\",\"request_id\":\"1\"}\n";
            let mut bytes = vec![b'\n'; most + beyond - ping.len()];
            bytes.extend(ping);
            stranger.write(&bytes).await;
            if beyond == 0 {
                assert!(stranger.frame().await.unwrap()["data"]["server_ms"].is_u64());
            } else {
                assert_eq!(stranger.last_word().await, "too_large");
            }
            assert_eq!(meter.count(STRANGERS_TOO_LOUD), too_loud);
        }
    });
}

#[test]
fn a_burst_of_two_seconds_is_no_pause_and_one_event_more_is() {
    run_paused(async {
        let mut meter = meter();
        let place = open(|config| {
            let mut rates = RateLimits::default();
            rates.events_per_second = 10;
            config.server.connection.rate_in = Some(rates);
        })
        .await;
        let mut alice = place.peer("alice").await;
        for _ in 1..20 {
            settle(&mut alice).await;
        }
        assert_eq!(meter.count(READERS_PAUSED), 0);
        settle(&mut alice).await;
        assert_eq!(meter.count_of(READERS_PAUSED, "events"), 1);
        assert_eq!(meter.count(READERS_PAUSED), 1);
    });
}

#[test]
fn rooms_and_places_in_them_are_counted_by_the_limit_that_refuses() {
    run_paused(async {
        let mut meter = meter();
        let place = open(|config| {
            config.rooms = 3;
            config.rooms_a_peer = 2;
        })
        .await;
        let (mut alice, mut bob) = (place.peer("alice").await, place.peer("bob").await);
        let lobby = json!({"name": "lobby", "capacity": 1});
        let room = alice.ask("create_room", lobby.clone()).await["data"]["id"].clone();
        alice.ask("create_room", lobby.clone()).await;
        assert_eq!(meter.count(COMMANDS_REFUSED), 0);
        alice.ask("create_room", lobby.clone()).await;
        assert_eq!(meter.count_of(COMMANDS_REFUSED, "too_many_rooms"), 1);
        bob.ask("create_room", lobby.clone()).await;
        assert_eq!(meter.count(COMMANDS_REFUSED), 1);
        bob.ask("create_room", lobby).await;
        assert_eq!(meter.count_of(COMMANDS_REFUSED, "server_full"), 1);
        let refused = bob.ask("join_room", json!({"room": room})).await;
        assert_eq!(refused["error"]["code"], "room_full", "{refused}");
        assert_eq!(meter.count_of(COMMANDS_REFUSED, "room_full"), 1);
    });
}

#[test]
fn as_many_passwords_are_worked_on_as_a_burst_allows() {
    run_paused(async {
        let mut meter = meter();
        let place = open(|config| {
            config.password_burst = 2;
            config.password_interval = Duration::from_hours(1);
        })
        .await;
        let mut alice = place.peer("alice").await;
        let lobby = json!({"name": "lobby", "password": "open sesame"});
        for limited in [0, 0, 1] {
            let answer = alice.ask("create_room", lobby.clone()).await;
            let is_limited = answer["error"]["code"] == "too_many_tries";
            assert_eq!(is_limited, limited == 1, "{answer}");
            assert_eq!(meter.count_of(PASSWORDS_LIMITED, "address"), limited);
        }
    });
}
