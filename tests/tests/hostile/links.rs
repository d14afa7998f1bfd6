//! Links that are made and unmade in every unkind way: no place is lost, nobody waits for ever.

use std::time::Duration;

use protocol_tests::run;

use crate::desk::{Attacked, attacked};
use crate::peer::{Peer, add, pass, request};

#[test]
fn a_thousand_peers_come_and_go() {
    run(async {
        let attacked = attacked(|limits| limits.connections = 2_000).await;
        for round in 0..1_000 {
            let mut peer = Peer::connect(attacked.server.address()).await;
            match round % 5 {
                0 => drop(peer),
                1 => peer.reset(),
                2 => peer.is_served().await,
                3 => peer.write("{\"type\":").await,
                _ => {
                    peer.write(add(1, 2, "a") + "\n").await;
                    peer.half_close().await;
                    assert_eq!(peer.json().await["data"]["sum"], 3);
                    assert_eq!(peer.line().await, None);
                }
            }
        }
        attacked.serves_others().await;
        attacked.has_connections(0).await;
    });
}

#[test]
fn silent_peers_take_places_and_nothing_else() {
    run(async {
        let attacked = attacked(|limits| limits.connections = 301).await;
        let mut silent = Vec::new();
        for _ in 0..300 {
            silent.push(Peer::connect(attacked.server.address()).await);
        }
        attacked.has_connections(300).await;
        attacked.serves_others().await;
        for peer in &mut silent {
            peer.is_served().await;
        }
        drop(silent);
        attacked.has_connections(0).await;
    });
}

#[test]
fn a_full_server_says_so_and_takes_the_next_one_when_there_is_room() {
    run(async {
        let attacked = attacked(|limits| limits.connections = 2).await;
        let address = attacked.server.address();
        let mut inside = Peer::connect(address).await;
        inside.is_served().await;
        let second = Peer::connect(address).await;
        attacked.has_connections(2).await;
        for _ in 0..20 {
            let mut outside = Peer::connect(address).await;
            // What it sends at once must not cost it the word, or turn the end into a reset.
            let _ = outside.try_write((add(1, 2, "a") + "\n").repeat(100)).await;
            assert_eq!(outside.last_word().await, "unavailable");
        }
        inside.is_served().await;
        drop(second);
        attacked.has_connections(1).await;
        Peer::connect(address).await.is_served().await;
    });
}

#[test]
fn a_reset_in_the_middle_of_a_frame_frees_the_place() {
    run(async {
        let attacked = attacked(|_| {}).await;
        for sent in ["", "{", "{\"type\":\"pass\"", &(add(1, 2, "a") + "\n{")] {
            let mut peer = Peer::connect(attacked.server.address()).await;
            peer.is_served().await;
            peer.write(sent).await;
            peer.reset();
            attacked.has_connections(0).await;
        }
    });
}

/// Asks for far more than its socket holds and reads none of it.
async fn stuffed(attacked: &Attacked) -> Peer {
    let mut peer = Peer::connect(attacked.server.address()).await;
    peer.is_served().await;
    let flood = (request("fill", "{\"bytes\":60000}", "7") + "\n").repeat(400);
    peer.write(flood).await;
    peer
}

#[test]
fn a_peer_that_never_reads_loses_its_place_after_the_stall() {
    run(async {
        for outbound_bytes in [1_000, 64 << 10, 64 << 20] {
            let attacked = attacked(|limits| {
                limits.connection.outbound_bytes = outbound_bytes;
                limits.connection.write_stall = Duration::from_millis(300);
            })
            .await;
            let peer = stuffed(&attacked).await;
            attacked.has_connections(0).await;
            drop(peer);
        }
    });
}

#[test]
fn a_peer_that_never_reads_and_resets_loses_its_place_at_once() {
    run(async {
        for outbound_bytes in [1_000, 64 << 10, 64 << 20] {
            let attacked = attacked(|limits| {
                limits.connection.outbound_bytes = outbound_bytes;
                limits.connection.write_stall = Duration::from_hours(1);
            })
            .await;
            stuffed(&attacked).await.reset();
            attacked.has_connections(0).await;
        }
    });
}

#[test]
fn a_peer_that_never_reads_the_last_word_loses_its_place_after_the_stall() {
    run(async {
        let attacked = attacked(|limits| {
            limits.connection.outbound_bytes = 64 << 20;
            limits.connection.write_stall = Duration::from_millis(300);
        })
        .await;
        let mut peer = stuffed(&attacked).await;
        let _ = peer.try_write("\nx\n").await;
        attacked.has_connections(0).await;
    });
}

#[test]
fn a_peer_that_leaves_while_its_handler_works_frees_its_place_when_that_is_done() {
    run(async {
        for name in ["hold", "hold_beside"] {
            for reset in [false, true] {
                let mut attacked = attacked(|_| {}).await;
                let mut peer = Peer::connect(attacked.server.address()).await;
                peer.write(request(name, "null", "7") + "\n").await;
                attacked.hears(name).await;
                if reset {
                    peer.reset();
                } else {
                    drop(peer);
                }
                attacked.serves_others().await;
                attacked.release.add_permits(1);
                attacked.has_connections(0).await;
            }
        }
    });
}

#[test]
fn a_peer_that_leaves_without_its_answer_ends_the_handlers_call() {
    run(async {
        for reset in [false, true] {
            let mut attacked = attacked(|limits| {
                limits.connection.request_timeout = Duration::from_hours(1);
            })
            .await;
            let mut peer = Peer::connect(attacked.server.address()).await;
            let asked = peer.ask(&request("ask_back", "null", "7")).await;
            assert_eq!(asked["name"], "back");
            if reset {
                peer.reset();
            } else {
                drop(peer);
            }
            let heard = attacked.heard.recv().await.unwrap();
            assert!(heard.starts_with("Err(Lost("), "{heard}");
            attacked.has_connections(0).await;
        }
    });
}

#[test]
fn a_handler_that_watches_for_the_end_of_its_link_sees_it_break() {
    run(async {
        let mut attacked = attacked(|_| {}).await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        peer.write(request("watch", "null", "7") + "\n").await;
        attacked.hears("watch").await;
        peer.reset();
        let heard = attacked.heard.recv().await.unwrap();
        assert!(heard.starts_with("the link broke: "), "{heard}");
        attacked.has_connections(0).await;
    });
}

#[test]
fn a_half_closed_peer_gets_all_its_answers() {
    run(async {
        let mut attacked = attacked(|_| {}).await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        let all: String = (0..100).map(|n| add(n, 0, "a") + "\n").collect();
        let held = request("hold_beside", "null", "b") + "\n";
        peer.write(held + &all + &pass("note", "{\"text\":\"last\"}") + "\n{\"unfinished")
            .await;
        peer.half_close().await;
        attacked.hears("hold_beside").await;
        for n in 0..100 {
            assert_eq!(peer.json().await["data"]["sum"], n);
        }
        attacked.hears("last").await;
        attacked.release.add_permits(1);
        assert_eq!(peer.json().await["request_id"], "b");
        assert_eq!(peer.line().await, None);
        attacked.has_connections(0).await;
    });
}
