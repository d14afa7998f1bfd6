//! Peers that leave, in every way, while others wait for them or they for others.

use protocol_tests::{Raw, Seen, both::run};

use crate::hall::{Hall, hall, patient, soon};
use crate::lines::{
    acknowledgement, by, confirm, id_of, is_served_next, pass, reads, refused, request, response,
};

/// Has `asker` ask bob three times and wave at him, and bob read all of it.
async fn asks(asker: &mut Raw, name: &str, bob: &mut Raw) {
    for line in [
        confirm("bob", "1", "c1"),
        request("bob", "2", "r2"),
        pass("bob", "3"),
        confirm("bob", "4", "c4"),
        request("bob", "5", "r5"),
    ] {
        asker.send(&line).await;
        reads(bob, &by(name, &line)).await;
    }
}

/// Each call ends once, in its order, and nothing else comes.
async fn all_gone(asker: &mut Raw) {
    for id in ["c1", "r2", "c4", "r5"] {
        let refused = refused(asker, id, "peer_gone").await;
        if id.starts_with('r') {
            assert_eq!(refused["type"], "response");
            assert_eq!(refused["name"], "ask");
        } else {
            assert_eq!(refused["type"], "confirm_pass");
            assert!(refused.get("name").is_none(), "{refused}");
        }
        assert!(refused.get("data").is_none(), "{refused}");
    }
    is_served_next(asker).await;
}

/// Bob is asked by alice and carol, leaves, and both hear of it at once.
async fn everybody_hears(leaves: impl AsyncFnOnce(&Hall, Raw) -> Option<Raw>) {
    let mut hall = hall(|_| {}).await;
    let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
    let mut carol = hall.enter("carol").await;
    asks(&mut alice, "alice", &mut bob).await;
    asks(&mut carol, "carol", &mut bob).await;
    let kept = leaves(&hall, bob).await;
    all_gone(&mut alice).await;
    all_gone(&mut carol).await;
    assert_eq!(hall.notices.try_next(), None);
    alice.send(&request("bob", "1", "7")).await;
    refused(&mut alice, "7", "peer_not_found").await;
    // The name is free for the next one.
    let mut bob = hall.enter("bob").await;
    alice.send(&request("bob", "1", "8")).await;
    reads(&mut bob, &by("alice", &request("bob", "1", "8"))).await;
    drop(kept);
}

#[test]
fn calls_to_a_peer_that_closes_end_at_once_in_their_order() {
    run(|| {
        everybody_hears(async |_: &Hall, bob: Raw| {
            drop(bob);
            None
        })
    });
}

#[test]
fn calls_to_a_peer_that_is_killed_end_at_once_in_their_order() {
    run(|| {
        everybody_hears(async |_: &Hall, bob: Raw| {
            bob.reset();
            None
        })
    });
}

#[test]
fn calls_to_a_peer_that_ends_its_half_end_at_once_in_their_order() {
    run(|| {
        everybody_hears(async |_: &Hall, mut bob: Raw| {
            bob.end().await;
            assert_eq!(soon(bob.line()).await, None);
            Some(bob)
        })
    });
}

#[test]
fn calls_to_a_peer_that_the_server_closes_end_at_once_in_their_order() {
    run(|| {
        everybody_hears(async |hall: &Hall, mut bob: Raw| {
            hall.close("bob");
            assert_eq!(soon(bob.line()).await, None);
            Some(bob)
        })
    });
}

#[test]
fn calls_to_a_peer_whose_handler_closes_it_end_at_once_in_their_order() {
    run(|| {
        everybody_hears(async |_: &Hall, mut bob: Raw| {
            let leave = r#"{"type":"request","name":"leave","request_id":"1"}"#;
            assert_eq!(soon(bob.ask(leave)).await["data"], true);
            assert_eq!(soon(bob.line()).await, None);
            Some(bob)
        })
    });
}

#[test]
fn calls_to_a_peer_that_breaks_the_protocol_end_at_once_in_their_order() {
    run(|| {
        everybody_hears(async |_: &Hall, mut bob: Raw| {
            bob.send("{\"type\":\"response\",\"dest\":\"alice\"}").await;
            let word = soon(bob.json()).await;
            assert_eq!(word["name"], "protocol_error");
            Some(bob)
        })
    });
}

#[test]
fn only_the_calls_to_the_peer_that_left_end() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let mut carol = hall.enter("carol").await;
        let to_carol = request("carol", "1", "7");
        alice.send(&to_carol).await;
        reads(&mut carol, &by("alice", &to_carol)).await;
        asks(&mut alice, "alice", &mut bob).await;
        // One of them is answered in time.
        bob.send(&response("alice", "2", "r2")).await;
        reads(&mut alice, &by("bob", &response("alice", "2", "r2"))).await;
        drop(bob);
        for id in ["c1", "c4", "r5"] {
            refused(&mut alice, id, "peer_gone").await;
        }
        carol.send(&response("alice", "1", "7")).await;
        reads(&mut alice, &by("carol", &response("alice", "1", "7"))).await;
        is_served_next(&mut alice).await;
    });
}

#[test]
fn what_was_sent_to_a_peer_before_the_server_closes_it_still_arrives() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let lines: Vec<_> = (0..100).map(|n| pass("bob", &n.to_string())).collect();
        alice.write((lines.join("\n") + "\n").as_bytes()).await;
        is_served_next(&mut alice).await;
        hall.close("bob");
        for line in &lines {
            reads(&mut bob, &by("alice", line)).await;
        }
        assert_eq!(soon(bob.line()).await, None);
    });
}

#[test]
fn answers_that_were_sent_right_before_leaving_win() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let mut alice = hall.enter("alice").await;
        for round in 0..50 {
            let mut bob = hall.enter("bob").await;
            asks(&mut alice, "alice", &mut bob).await;
            let answers = [
                acknowledgement("alice", "c1"),
                response("alice", "2", "r2"),
                acknowledgement("alice", "c4"),
                response("alice", "5", "r5"),
            ];
            bob.write((answers.join("\n") + "\n").as_bytes()).await;
            if round % 2 == 0 {
                drop(bob);
            } else {
                bob.end().await;
                assert_eq!(soon(bob.line()).await, None);
            }
            for answer in &answers {
                reads(&mut alice, &by("bob", answer)).await;
            }
            is_served_next(&mut alice).await;
            hall.has_connections(1).await;
        }
    });
}

#[test]
fn the_answer_to_an_asker_that_has_left_is_ignored() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let mut bob = hall.enter("bob").await;
        for round in 0..3 {
            let mut alice = hall.enter("alice").await;
            asks(&mut alice, "alice", &mut bob).await;
            match round {
                0 => alice.reset(),
                1 => hall.close("alice"),
                _ => alice.send("no frame").await,
            }
            hall.has_connections(1).await;
            for id in ["c1", "c4"] {
                bob.send(&acknowledgement("alice", id)).await;
                assert_eq!(soon(hall.notices.next()).await, Seen::AnswerIgnored);
            }
            for id in ["r2", "r5"] {
                bob.send(&response("alice", "1", id)).await;
                assert_eq!(soon(hall.notices.next()).await, Seen::AnswerIgnored);
            }
            is_served_next(&mut bob).await;
        }
    });
}

/// A close looks like the end of the sending half, behind which answers are still awaited.
#[test]
fn an_asker_that_has_closed_is_gone_once_its_calls_are_answered() {
    run(|| async {
        let hall = hall(patient).await;
        let mut bob = hall.enter("bob").await;
        let mut alice = hall.enter("alice").await;
        asks(&mut alice, "alice", &mut bob).await;
        drop(alice);
        for id in ["c1", "c4"] {
            bob.send(&acknowledgement("alice", id)).await;
        }
        for id in ["r2", "r5"] {
            bob.send(&response("alice", "1", id)).await;
        }
        hall.has_connections(1).await;
        is_served_next(&mut bob).await;
        let _alice = hall.enter("alice").await;
    });
}

#[test]
fn a_thousand_askers_come_and_go_and_the_asked_peer_serves_on() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let mut bob = hall.enter("bob").await;
        for round in 0..1_000 {
            let mut alice = hall.enter("alice").await;
            let ask = request("bob", &round.to_string(), "7");
            alice.send(&ask).await;
            reads(&mut bob, &by("alice", &ask)).await;
            if round % 2 == 0 {
                bob.send(&response("alice", "1", "7")).await;
                reads(&mut alice, &by("bob", &response("alice", "1", "7"))).await;
                drop(alice);
            } else {
                alice.reset();
            }
            hall.has_connections(1).await;
        }
        is_served_next(&mut bob).await;
    });
}

#[test]
fn peers_that_come_and_go_under_one_asker_are_each_told_apart() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let mut alice = hall.enter("alice").await;
        for round in 0..200 {
            let mut bob = hall.enter("bob").await;
            let id = round.to_string();
            alice.send(&request("bob", "1", &id)).await;
            let asked = soon(bob.json()).await;
            assert_eq!(id_of(&asked), id);
            drop(bob);
            refused(&mut alice, &id, "peer_gone").await;
        }
        is_served_next(&mut alice).await;
    });
}

/// Neither can answer any more, and neither waits for long.
#[test]
fn two_that_ask_each_other_and_end_their_halves_wait_no_longer_than_a_linger() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        alice.send(&request("bob", "1", "7")).await;
        reads(&mut bob, &by("alice", &request("bob", "1", "7"))).await;
        bob.send(&request("alice", "1", "8")).await;
        reads(&mut alice, &by("bob", &request("alice", "1", "8"))).await;
        alice.end().await;
        bob.end().await;
        given_up(&mut alice, "7").await;
        given_up(&mut bob, "8").await;
        soon(hall.has_connections(0)).await;
    });
}

/// Reads why a call has no answer, and then the end.
async fn given_up(raw: &mut Raw, id: &str) {
    let answer = soon(raw.json()).await;
    assert_eq!(id_of(&answer), id);
    let code = answer["error"]["code"].as_str();
    assert!(matches!(code, Some("timeout" | "peer_gone")), "{answer}");
    assert!(answer.get("from").is_none(), "{answer}");
    assert_eq!(soon(raw.line()).await, None);
}

#[test]
fn who_asks_itself_and_ends_its_half_waits_no_longer_than_a_linger() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let mut alice = hall.enter("alice").await;
        let ask = request("alice", "1", "7");
        alice.send(&ask).await;
        reads(&mut alice, &by("alice", &ask)).await;
        alice.end().await;
        given_up(&mut alice, "7").await;
    });
}

/// So the name of a client that was killed while it waited is free again soon.
#[test]
fn an_asker_that_has_closed_keeps_its_name_no_longer_than_a_linger() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let mut bob = hall.enter("bob").await;
        let mut alice = hall.enter("alice").await;
        asks(&mut alice, "alice", &mut bob).await;
        drop(alice);
        soon(hall.has_connections(1)).await;
        let _alice = hall.enter("alice").await;
        is_served_next(&mut bob).await;
    });
}

/// Nobody can say sooner that no answer comes: he may still have things to do here.
#[test]
fn a_peer_that_ended_its_half_is_gone_when_its_own_calls_have_ended() {
    run(|| async {
        let hall = hall(patient).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        bob.send(&request("alice", "1", "8")).await;
        reads(&mut alice, &by("bob", &request("alice", "1", "8"))).await;
        bob.end().await;
        alice.send(&request("bob", "1", "7")).await;
        reads(&mut bob, &by("alice", &request("bob", "1", "7"))).await;
        alice.send(&response("bob", "2", "8")).await;
        reads(&mut bob, &by("alice", &response("bob", "2", "8"))).await;
        assert_eq!(soon(bob.line()).await, None);
        refused(&mut alice, "7", "peer_gone").await;
    });
}
