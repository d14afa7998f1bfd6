//! Much of everything: the server holds a bounded part of it, and others are served meanwhile.

use std::time::Duration;

use protocol_tests::{Seen, run};

use crate::desk::attacked;
use crate::peer::{Peer, SECRET, add, pass, request};

/// More than a pair of sockets holds by itself, so that who takes this much reads on.
const MORE_THAN_SOCKETS_HOLD: usize = 64 << 20;

/// How long nothing may move before it counts as pushed back.
const STILL: Duration = Duration::from_millis(500);

/// Writes `piece` again and again until the server takes no more; how much it took.
async fn pushed_back(peer: &mut Peer, piece: &[u8]) -> usize {
    let mut taken = 0;
    while taken < MORE_THAN_SOCKETS_HOLD {
        match peer.push(&piece[taken % piece.len()..]) {
            0 => match tokio::time::timeout(STILL, peer.writable()).await {
                Ok(()) => {}
                Err(_) => return taken,
            },
            count => taken += count,
        }
    }
    taken
}

#[test]
fn endless_empty_lines_are_nothing() {
    run(async {
        let attacked = attacked(|_| {}).await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        for line in ["\n", "\r\n", "\n\r\n"] {
            peer.write(line.repeat(2_000_000)).await;
            peer.is_served().await;
        }
    });
}

#[test]
fn an_endless_line_is_refused_before_it_ends() {
    run(async {
        let attacked = attacked(|limits| {
            limits.connection.linger = Duration::from_secs(30);
        })
        .await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        peer.write(pass("note", "\"").trim_end_matches('}')).await;
        peer.write(SECRET.repeat(500_000)).await;
        assert_eq!(peer.last_word().await, "too_large");
        attacked.serves_others().await;
    });
}

#[test]
fn ten_thousand_requests_in_one_write_are_answered_in_order() {
    run(async {
        let attacked = attacked(|_| {}).await;
        let (mut peer, mut other) = (
            Peer::connect(attacked.server.address()).await,
            Peer::connect(attacked.server.address()).await,
        );
        let all: String = (0..10_000)
            .map(|n| add(n, 1, &n.to_string()) + "\n")
            .collect();
        peer.write(all).await;
        other.is_served().await;
        for n in 0..10_000 {
            let answer = peer.json().await;
            assert_eq!(answer["request_id"], n.to_string());
            assert_eq!(answer["data"]["sum"], n + 1);
        }
    });
}

#[test]
fn a_flood_of_unknown_types_is_counted_and_skipped() {
    run(async {
        let mut attacked = attacked(|_| {}).await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        let line = format!("{{\"type\":\"{SECRET}\",\"name\":7,\"seq\":[1]}}\n");
        peer.write(line.repeat(10_000)).await;
        peer.is_served().await;
        for _ in 0..10_000 {
            assert_eq!(attacked.notices.try_next(), Some(Seen::TypeUnknown));
        }
        assert_eq!(attacked.notices.try_next(), None);
    });
}

#[test]
fn a_flood_of_refused_passes_is_counted_and_skipped() {
    run(async {
        let mut attacked = attacked(|_| {}).await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        let line = pass("nothing", &format!("\"{SECRET}\"")) + "\n";
        peer.write(line.repeat(10_000)).await;
        peer.is_served().await;
        for _ in 0..10_000 {
            let seen = Seen::refused("nothing", "unknown_event");
            assert_eq!(attacked.notices.try_next(), Some(seen));
        }
    });
}

#[test]
fn a_peer_that_reads_no_answers_is_pushed_back_and_others_are_served() {
    run(async {
        let attacked = attacked(|limits| {
            limits.connection.outbound_bytes = 64 << 10;
            limits.connection.write_stall = Duration::from_hours(1);
        })
        .await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        let flood = (request("fill", "{\"bytes\":10000}", "7") + "\n").repeat(1_000);
        let (taken, ()) = tokio::join!(pushed_back(&mut peer, flood.as_bytes()), async {
            for _ in 0..20 {
                attacked.serves_others().await;
            }
        });
        assert!(taken < MORE_THAN_SOCKETS_HOLD, "{taken} bytes were taken");
        attacked.serves_others().await;
        // It may still read: nothing is lost.
        for _ in 0..1_000 {
            let answer = peer.json().await;
            assert_eq!(answer["data"].as_str().unwrap().len(), 10_000);
        }
    });
}

#[test]
fn a_peer_that_reads_no_refusals_is_pushed_back() {
    run(async {
        let attacked = attacked(|limits| {
            limits.connection.outbound_bytes = 64 << 10;
            limits.connection.write_stall = Duration::from_hours(1);
        })
        .await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        let flood = (request("nothing", "null", &"7".repeat(64)) + "\n").repeat(1_000);
        let taken = pushed_back(&mut peer, flood.as_bytes()).await;
        assert!(taken < MORE_THAN_SOCKETS_HOLD, "{taken} bytes were taken");
        attacked.serves_others().await;
    });
}

#[test]
fn a_handler_at_work_pushes_its_peer_back() {
    run(async {
        let mut attacked = attacked(|_| {}).await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        peer.write(request("hold", "null", "7") + "\n").await;
        attacked.hears("hold").await;
        let flood = (add(1, 2, "a") + "\n").repeat(1_000);
        let taken = pushed_back(&mut peer, flood.as_bytes()).await;
        assert!(taken < MORE_THAN_SOCKETS_HOLD, "{taken} bytes were taken");
        attacked.release.add_permits(1);
        assert_eq!(peer.json().await["request_id"], "7");
        assert_eq!(peer.json().await["data"]["sum"], 3);
    });
}

#[test]
fn as_many_concurrent_handlers_as_are_allowed_push_their_peer_back() {
    run(async {
        let mut attacked = attacked(|limits| limits.connection.concurrent_handlers = 3).await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        let hold = request("hold_beside", "null", "7") + "\n";
        peer.write(hold.repeat(4)).await;
        for _ in 0..3 {
            attacked.hears("hold_beside").await;
        }
        let flood = (add(1, 2, "a") + "\n").repeat(1_000);
        let taken = pushed_back(&mut peer, flood.as_bytes()).await;
        assert!(taken < MORE_THAN_SOCKETS_HOLD, "{taken} bytes were taken");
        assert!(attacked.heard.try_recv().is_err(), "a fourth one runs");
        attacked.serves_others().await;
        attacked.release.add_permits(1);
        attacked.hears("hold_beside").await;
        assert_eq!(peer.json().await["request_id"], "7");
        attacked.release.add_permits(3);
        for _ in 0..3 {
            // Their answers come in any place among the sums.
            while peer.json().await["request_id"] != "7" {}
        }
    });
}

#[test]
fn a_busy_link_that_is_never_without_a_begun_frame_is_not_late() {
    run(async {
        let attacked = attacked(|limits| {
            limits.connection.frame_timeout = Duration::from_millis(300);
        })
        .await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        // Events that are refused, so that no handler ever runs.
        let line = request("nothing", "null", "7") + "\n";
        let (left, right) = line.split_at(9);
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        peer.write(left).await;
        for _ in 0..50 {
            pace.tick().await;
            peer.write(format!("{right}{left}")).await;
            assert_eq!(peer.json().await["error"]["code"], "unknown_event");
        }
    });
}

#[test]
fn answers_of_concurrent_handlers_that_nobody_reads_are_few() {
    const ANSWER: usize = 60_000;
    const REQUESTS: usize = MORE_THAN_SOCKETS_HOLD / ANSWER + 100;
    run(async {
        let mut attacked = attacked(|limits| {
            limits.connection.concurrent_handlers = 4;
            limits.connection.outbound_bytes = 64 << 10;
            limits.connection.write_stall = Duration::from_hours(1);
        })
        .await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        let fill = request("fill_beside", &format!("{{\"bytes\":{ANSWER}}}"), "7") + "\n";
        peer.write(fill.repeat(REQUESTS)).await;
        let mut begun = 0;
        while tokio::time::timeout(STILL, attacked.heard.recv())
            .await
            .is_ok()
        {
            begun += 1;
        }
        assert!(begun < REQUESTS - 100, "{begun} handlers ran");
        attacked.serves_others().await;
        // It may still read: all that ran are answered, and others run.
        for _ in 0..begun {
            assert_eq!(peer.json().await["data"].as_str().unwrap().len(), ANSWER);
        }
        attacked.hears("fill_beside").await;
    });
}
