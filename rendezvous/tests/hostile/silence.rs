//! Clients that say nothing, or next to nothing: they are gone in time and cost little.

use std::time::{Duration, Instant};

use protocol_tests::run;
use serde_json::{Value, json};

use crate::attacked::Attacked;
use crate::peer::Peer;

/// As many as the system lets this process open, with room for other tests.
fn a_thousand() -> usize {
    let files = rlimit::increase_nofile_limit(4_096).expect("the limit can be read");
    let count = files.saturating_sub(500).min(1_000);
    if count < 1_000 {
        println!("only {count}: this process may open no more files");
    }
    usize::try_from(count).expect("at most a thousand")
}

#[test]
fn who_says_nothing_is_gone_after_the_time_to_log_in() {
    run(async {
        let attacked = Attacked::start(&["--login-timeout=500ms"]);
        let start = Instant::now();
        let mut silent = Vec::new();
        for _ in 0..50 {
            silent.push(Peer::connect(attacked.address()).await);
        }
        for peer in &mut silent {
            assert_eq!(peer.last_word().await, "timeout");
        }
        let gone = start.elapsed();
        let times = Duration::from_millis(500)..Duration::from_secs(3);
        assert!(times.contains(&gone), "gone after {gone:?}");
        attacked.withstood(4_096);
    });
}

#[test]
fn a_thousand_silent_sockets_cost_little_and_are_gone_in_time() {
    run(async {
        let attacked = Attacked::start(&["--login-timeout=2s"]);
        let mut silent = Vec::new();
        for number in 1..=a_thousand() {
            let mut peer = Peer::connect(attacked.address()).await;
            if number % 100 == 0 {
                // Whoever is before it has been accepted too: no backlog overflows.
                peer.request("ping", Value::Null).await;
            }
            silent.push(peer);
        }
        for mut peer in silent {
            assert_eq!(peer.last_word().await, "timeout");
        }
        // At most 16 KiB each.
        attacked.withstood(16_000);
    });
}

#[test]
fn who_sends_byte_by_byte_has_no_more_time() {
    run(async {
        let attacked = Attacked::start(&["--login-timeout=500ms"]);
        let mut slow = Vec::new();
        for _ in 0..100 {
            slow.push(Peer::connect(attacked.address()).await);
        }
        let start = Instant::now();
        let frame = "{\"type\":\"request\",\"name\":\"ping\",\"data\":\"";
        let endless = frame.bytes().chain(std::iter::repeat(b'x'));
        let mut pace = tokio::time::interval(Duration::from_millis(10));
        for byte in endless.take(50) {
            pace.tick().await;
            for peer in &mut slow {
                // Its time may be over.
                let _ = peer.stream.try_write(&[byte]);
            }
        }
        for mut peer in slow {
            assert_eq!(peer.last_word().await, "timeout");
        }
        let gone = start.elapsed();
        assert!(gone < Duration::from_secs(3), "gone after {gone:?}");
        attacked.withstood(4_096);
    });
}

#[test]
fn who_logs_in_byte_by_byte_is_served() {
    run(async {
        let attacked = Attacked::start(&[]);
        let mut carol = Peer::connect(attacked.address()).await;
        let frame =
            json!({"type": "request", "name": "login", "data": {"id": "carol"}, "request_id": "1"});
        for byte in format!("\n{frame}\r\n").bytes() {
            carol.write([byte]).await;
        }
        assert_eq!(carol.json().await["data"]["id"], "carol");
        carol.end().await;
        assert_eq!(carol.line().await, None);
        attacked.withstood(2_048);
    });
}
