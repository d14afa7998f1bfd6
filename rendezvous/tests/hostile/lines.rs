//! Lines that never end, and lines that are nothing.

use std::time::{Duration, Instant};

use protocol_tests::run;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::attacked::Attacked;
use crate::peer::Peer;

/// Far more than a line may have, and less than is discarded after the last word.
const TOO_LONG: usize = 512 << 10;

/// Begins a line and goes on as far as the other end lets it; how much that was.
async fn write_line(peer: &mut Peer, length: usize) -> usize {
    peer.write("{\"type\":\"pass\",\"name\":\"").await;
    let piece = [b'x'; 4_096];
    let mut written = 0;
    while written < length && peer.stream.write_all(&piece).await.is_ok() {
        written += piece.len();
    }
    written
}

#[test]
fn a_strangers_line_that_does_not_end_ends_its_link_and_nothing_else() {
    run(async {
        let attacked = Attacked::start(&[]);
        for _ in 0..50 {
            let mut peer = Peer::connect(attacked.address()).await;
            write_line(&mut peer, TOO_LONG).await;
            assert_eq!(peer.last_word().await, "too_large");
        }
        attacked.withstood(4_096);
    });
}

#[test]
fn a_peers_line_that_does_not_end_ends_its_link_and_nothing_else() {
    run(async {
        let attacked = Attacked::start(&[]);
        for _ in 0..50 {
            // The id is free once the server has seen the end of the last link.
            let mut peer = loop {
                let mut peer = Peer::connect(attacked.address()).await;
                let answer = peer.request("login", json!({"id": "carol"})).await;
                if answer["error"]["code"] != "id_taken" {
                    break peer;
                }
            };
            write_line(&mut peer, TOO_LONG).await;
            assert_eq!(peer.last_word().await, "too_large");
        }
        attacked.withstood(4_096);
    });
}

#[test]
fn who_writes_on_after_the_last_word_is_cut_off() {
    run(async {
        let attacked = Attacked::start(&[]);
        let start = Instant::now();
        let mut deaf = Vec::new();
        for _ in 0..4 {
            let mut peer = Peer::connect(attacked.address()).await;
            deaf.push(tokio::spawn(async move {
                write_line(&mut peer, usize::MAX).await;
            }));
        }
        for peer in deaf {
            peer.await.unwrap();
        }
        // After a second of discarding what still came.
        let cut_off = start.elapsed();
        assert!(cut_off < Duration::from_secs(4), "after {cut_off:?}");
        attacked.withstood(4_096);
    });
}

#[test]
fn endless_empty_lines_hold_up_nobody() {
    run(async {
        let attacked = Attacked::start(&["--login-timeout=1s", "--bytes-per-second=0"]);
        let mut carol = Peer::log_in(attacked.address(), "carol").await;
        let mut stranger = Peer::connect(attacked.address()).await;
        let lines = "\n".repeat(64 << 10);
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(2) {
            for peer in [&mut carol, &mut stranger] {
                // As much as fits: the stranger's link ends meanwhile.
                let _ = peer.stream.try_write(lines.as_bytes());
            }
            tokio::task::yield_now().await;
        }
        drop(stranger);
        carol.end().await;
        assert_eq!(carol.line().await, None);
        attacked.withstood(4_096);
    });
}

#[test]
fn endless_empty_lines_are_paced_as_all_bytes_are() {
    run(async {
        let attacked = Attacked::start(&["--bytes-per-second=1MiB"]);
        let mut carol = Peer::log_in(attacked.address(), "carol").await;
        let start = Instant::now();
        // One second's worth more than the two that may come at once.
        let all = "\n".repeat(3 << 20);
        carol.write(all).await;
        assert!(carol.request("ping", Value::Null).await["error"].is_null());
        let taken = start.elapsed();
        assert!(taken >= Duration::from_millis(900), "after {taken:?}");
        attacked.withstood(4_096);
    });
}
