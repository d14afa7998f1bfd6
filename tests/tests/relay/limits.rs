//! How long relayed frames may be, and how many calls may be open.

use protocol_tests::{Raw, Seen, both::run};

use crate::hall::{hall, soon};
use crate::lines::{
    acknowledgement, by, confirm, id_of, is_served_next, pass, reads, refused, request, response,
};

const LONGEST: usize = 65_536;

/// `line`, whose data is `""`, made so many bytes long.
fn padded(line: &str, bytes: usize) -> String {
    let (before, after) = line.split_once("\"data\":\"").expect("data");
    let padding = "x".repeat(bytes - line.len());
    format!("{before}\"data\":\"{padding}{after}")
}

#[test]
fn the_longest_legal_frame_passes_both_ways_and_breaks_nobody() {
    run(|| async {
        let hall = hall(|_| {}).await;
        // The longest name, of which every byte is escaped.
        let name = "\\".repeat(256);
        let written = "\\".repeat(512);
        let (mut alice, mut bob) = (hall.enter(&name).await, hall.enter("bob").await);
        for _ in 0..3 {
            let ask = padded(&request("bob", "\"\"", "7"), LONGEST);
            alice.send(&ask).await;
            reads(&mut bob, &by(&written, &ask)).await;
            let answer = padded(&response(&written, "\"\"", "7"), LONGEST);
            bob.send(&answer).await;
            reads(&mut alice, &by("bob", &answer)).await;
            for wave in [pass("bob", "\"\""), confirm("bob", "\"\"", "8")] {
                let wave = padded(&wave, LONGEST);
                alice.write((wave.clone() + "\r\n").as_bytes()).await;
                reads(&mut bob, &by(&written, &wave)).await;
            }
            bob.send(&acknowledgement(&written, "8")).await;
            reads(&mut alice, &by("bob", &acknowledgement(&written, "8"))).await;
        }
    });
}

#[test]
fn one_byte_more_ends_its_senders_link_and_reaches_nobody() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let ask = padded(&request("bob", "\"\"", "7"), LONGEST + 1);
        alice.send(&ask).await;
        let word = soon(alice.json()).await;
        assert_eq!(word["data"]["code"], "too_large", "{word}");
        assert_eq!(soon(alice.line()).await, None);
        is_served_next(&mut bob).await;
    });
}

#[test]
fn a_frame_that_is_too_long_for_its_receiver_alone_is_refused() {
    run(|| async {
        let mut hall = hall(|limits| limits.connection.frame_out = 500).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let added = by("alice", "{").len() - 1;
        for (room, fits) in [(500 - added, true), (501 - added, false)] {
            for line in [request("bob", "\"\"", "7"), confirm("bob", "\"\"", "7")] {
                let line = padded(&line, room);
                alice.send(&line).await;
                if fits {
                    reads(&mut bob, &by("alice", &line)).await;
                } else {
                    refused(&mut alice, "7", "too_large").await;
                }
            }
        }
        alice.send(&padded(&pass("bob", "\"\""), 500)).await;
        assert_eq!(
            soon(hall.notices.next()).await,
            Seen::refused("wave", "too_large")
        );
        is_served_next(&mut bob).await;
        is_served_next(&mut alice).await;
    });
}

/// `PROTOCOL.md` §5.3: an answer that would be longer than the other end accepts becomes `internal`.
#[test]
fn an_answer_that_is_too_long_for_its_asker_still_ends_the_call() {
    run(|| async {
        let hall = hall(|limits| limits.connection.frame_out = 500).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        alice.send(&request("bob", "1", "7")).await;
        reads(&mut bob, &by("alice", &request("bob", "1", "7"))).await;
        bob.send(&padded(&response("alice", "\"\"", "7"), 500))
            .await;
        let answer = soon(alice.json()).await;
        assert_eq!(id_of(&answer), "7");
        assert_eq!(answer["error"]["code"], "internal", "{answer}");
    });
}

/// Opens calls of alice to bob, who reads and keeps them.
async fn open(alice: &mut Raw, bob: &mut Raw, ids: std::ops::Range<usize>) {
    for id in ids {
        let line = if id % 2 == 0 {
            request("bob", "1", &id.to_string())
        } else {
            confirm("bob", "1", &id.to_string())
        };
        alice.send(&line).await;
        reads(bob, &by("alice", &line)).await;
    }
}

#[test]
fn above_a_thousand_open_calls_further_ones_are_busy_until_one_is_answered() {
    const MOST: usize = 1_024;
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let mut carol = hall.enter("carol").await;
        open(&mut alice, &mut bob, 0..MOST).await;
        for dest in ["bob", "carol", "alice", "nobody"] {
            alice.send(&request(dest, "1", "over")).await;
            refused(&mut alice, "over", "busy").await;
            alice.send(&confirm(dest, "1", "over")).await;
            refused(&mut alice, "over", "busy").await;
        }
        // That is for calls of hers alone.
        alice.send(&pass("bob", "1")).await;
        reads(&mut bob, &by("alice", &pass("bob", "1"))).await;
        is_served_next(&mut alice).await;
        carol.send(&request("alice", "1", "c")).await;
        reads(&mut alice, &by("carol", &request("alice", "1", "c"))).await;
        alice.send(&response("carol", "2", "c")).await;
        reads(&mut carol, &by("alice", &response("carol", "2", "c"))).await;
        carol.send(&request("bob", "1", "c")).await;
        reads(&mut bob, &by("carol", &request("bob", "1", "c"))).await;

        for id in [0, 1, MOST - 1] {
            let answer = if id % 2 == 0 {
                response("alice", "2", &id.to_string())
            } else {
                acknowledgement("alice", &id.to_string())
            };
            bob.send(&answer).await;
            reads(&mut alice, &by("bob", &answer)).await;
            open(&mut alice, &mut bob, MOST + id..MOST + id + 1).await;
            alice.send(&request("bob", "1", "over")).await;
            refused(&mut alice, "over", "busy").await;
        }
        assert_eq!(hall.notices.try_next(), None);
        drop(bob);
        for _ in 0..MOST {
            let gone = soon(alice.json()).await;
            assert_eq!(gone["error"]["code"], "peer_gone", "{gone}");
        }
        refused(&mut carol, "c", "peer_gone").await;
        alice.send(&request("carol", "1", "free")).await;
        reads(&mut carol, &by("alice", &request("carol", "1", "free"))).await;
    });
}

#[test]
fn refused_calls_are_not_open() {
    run(|| async {
        let hall = hall(|limits| limits.connection.relayed_calls = 1).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        for _ in 0..3 {
            alice.send(&request("nobody", "1", "7")).await;
            refused(&mut alice, "7", "peer_not_found").await;
            alice.send(&request("#room", "1", "7")).await;
            refused(&mut alice, "7", "not_allowed").await;
        }
        open(&mut alice, &mut bob, 0..1).await;
        alice.send(&request("bob", "1", "over")).await;
        refused(&mut alice, "over", "busy").await;
    });
}

/// What is refused is the frame, not the call that is open.
#[test]
fn a_call_that_is_sent_again_stays_one_even_where_the_second_is_refused() {
    run(|| async {
        let mut hall = hall(|limits| limits.connection.frame_out = 500).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let ask = request("bob", "1", "7");
        for _ in 0..3 {
            alice.send(&ask).await;
            reads(&mut bob, &by("alice", &ask)).await;
        }
        alice.send(&padded(&request("bob", "\"\"", "7"), 500)).await;
        refused(&mut alice, "7", "too_large").await;
        let answer = response("alice", "2", "7");
        bob.send(&answer).await;
        reads(&mut alice, &by("bob", &answer)).await;
        bob.send(&answer).await;
        assert_eq!(soon(hall.notices.next()).await, Seen::AnswerIgnored);
        is_served_next(&mut alice).await;
        // The id is free again.
        alice.send(&ask).await;
        reads(&mut bob, &by("alice", &ask)).await;
        bob.send(&answer).await;
        reads(&mut alice, &by("bob", &answer)).await;
    });
}

#[test]
fn calls_of_one_id_and_both_kinds_are_two() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        for line in [confirm("bob", "1", "7"), request("bob", "1", "7")] {
            alice.send(&line).await;
            reads(&mut bob, &by("alice", &line)).await;
        }
        for answer in [response("alice", "2", "7"), acknowledgement("alice", "7")] {
            bob.send(&answer).await;
            reads(&mut alice, &by("bob", &answer)).await;
        }
    });
}
