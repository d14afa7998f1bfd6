//! Askers that have said all and still wait, and servers that shut down meanwhile.

use std::time::Duration;

use protocol_core::RequestError;
use protocol_tests::{both::run, still_waits};

use crate::hall::{Hold, hall, patient, peer, soon};
use crate::lines::{
    acknowledgement, by, confirm, id_of, is_served_next, pass, reads, refused, request, response,
};

const FAR: Duration = Duration::from_secs(50);

#[test]
fn an_asker_that_ends_its_half_gets_its_answers_and_then_the_end() {
    run(|| async {
        let hall = hall(patient).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let (ask, knock) = (request("bob", "1", "7"), confirm("bob", "1", "8"));
        alice.write(format!("{ask}\n{knock}\n").as_bytes()).await;
        alice.end().await;
        reads(&mut bob, &by("alice", &ask)).await;
        reads(&mut bob, &by("alice", &knock)).await;
        bob.send(&acknowledgement("alice", "8")).await;
        reads(&mut alice, &by("bob", &acknowledgement("alice", "8"))).await;
        // She is still there for others.
        bob.send(&pass("alice", "1")).await;
        reads(&mut alice, &by("bob", &pass("alice", "1"))).await;
        bob.send(&response("alice", "2", "7")).await;
        reads(&mut alice, &by("bob", &response("alice", "2", "7"))).await;
        assert_eq!(soon(alice.line()).await, None);
        drop(alice);
        hall.has_connections(1).await;
        // Her name is free.
        let _alice = hall.enter("alice").await;
    });
}

#[test]
fn an_asker_that_ends_its_half_hears_that_its_peer_has_left() {
    run(|| async {
        let hall = hall(patient).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        alice.send(&request("bob", "1", "7")).await;
        alice.end().await;
        reads(&mut bob, &by("alice", &request("bob", "1", "7"))).await;
        drop(bob);
        refused(&mut alice, "7", "peer_gone").await;
        assert_eq!(soon(alice.line()).await, None);
    });
}

#[test]
fn an_asker_that_ends_its_half_hears_when_the_relays_patience_is_over() {
    run(|| async {
        let hall = hall(|limits| {
            patient(limits);
            limits.connection.relay_timeout = Duration::from_millis(100);
        })
        .await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        alice.send(&request("bob", "1", "7")).await;
        alice.end().await;
        refused(&mut alice, "7", "timeout").await;
        assert_eq!(soon(alice.line()).await, None);
        reads(&mut bob, &by("alice", &request("bob", "1", "7"))).await;
    });
}

#[test]
fn calls_that_are_refused_do_not_hold_up_the_end() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let mut alice = hall.enter("alice").await;
        alice.send(&request("bob", "1", "7")).await;
        alice.end().await;
        refused(&mut alice, "7", "peer_not_found").await;
        assert_eq!(soon(alice.line()).await, None);
    });
}

#[test]
fn a_shutdown_ends_every_relayed_call_in_time() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let mut alice = hall.enter("alice").await;
        let (mut bob, mut carol) = (hall.enter("bob").await, hall.enter("carol").await);
        for n in 0..20 {
            for (raw, dest) in [(&mut bob, "bob"), (&mut carol, "carol")] {
                let ask = request(dest, "1", &n.to_string());
                alice.send(&ask).await;
                reads(raw, &by("alice", &ask)).await;
            }
        }
        // All three wait for each other.
        bob.send(&request("alice", "1", "7")).await;
        reads(&mut alice, &by("bob", &request("alice", "1", "7"))).await;
        carol.send(&request("bob", "1", "7")).await;
        reads(&mut bob, &by("carol", &request("bob", "1", "7"))).await;
        let ended = soon(async {
            tokio::join!(
                hall.server.shutdown(FAR),
                ends(&mut alice, 40),
                ends(&mut bob, 1),
                ends(&mut carol, 1)
            )
        });
        assert!(ended.await.0);
        assert_eq!(hall.server.connections(), 0);
    });
}

/// Reads what is due and then the end: so many calls that nobody answers any more.
async fn ends(raw: &mut protocol_tests::Raw, calls: usize) {
    let mut gone = 0;
    while let Some(line) = raw.line().await {
        assert!(line.contains("\"peer_gone\""), "{line}");
        gone += 1;
    }
    assert_eq!(gone, calls);
}

#[test]
fn calls_to_peers_that_are_read_in_a_shutdown_are_refused_and_answers_passed_on() {
    const REST: &str = r#"{"type":"request","name":"rest","request_id":"rest"}"#;
    run(|| async {
        let (mut hall, elsewhere) = (hall(|_| {}).await, hall(|_| {}).await);
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let mut carol = elsewhere.enter("carol").await;
        alice.send(&request("bob", "1", "7")).await;
        reads(&mut bob, &by("alice", &request("bob", "1", "7"))).await;
        // A handler for each keeps the links, behind which more arrives. Bob's ends first.
        for raw in [&mut bob, &mut alice] {
            raw.send(REST).await;
            assert_eq!(hall.heard.recv().await.as_deref(), Some("rest"));
        }
        let mut shutdown = Box::pin(hall.server.shutdown(FAR));
        assert!(still_waits(&mut shutdown).await);
        let answer = response("alice", "2", "7");
        bob.send(&answer).await;
        bob.send(&request("alice", "1", "late")).await;
        alice.send(&confirm("bob", "1", "late")).await;
        // The runtime hears of what arrives in its order, so by now of all of that.
        is_served_next(&mut carol).await;
        hall.go.add_permits(1);
        assert_eq!(id_of(&soon(bob.json()).await), "rest");
        refused(&mut bob, "late", "shutting_down").await;
        assert_eq!(soon(bob.line()).await, None);
        reads(&mut alice, &by("bob", &answer)).await;
        hall.go.add_permits(1);
        assert_eq!(id_of(&soon(alice.json()).await), "rest");
        refused(&mut alice, "late", "shutting_down").await;
        assert_eq!(soon(alice.line()).await, None);
        drop((alice, bob));
        assert!(soon(shutdown).await);
    });
}

#[test]
fn calls_of_typed_clients_end_with_a_shutdown() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (alice, mut bob) = (hall.guest("alice").await, hall.guest("bob").await);
        let bobs = peer("bob");
        let mut calls = Vec::new();
        for _ in 0..10 {
            let mut hold = alice.client.to(&bobs).request(Hold);
            assert!(still_waits(&mut hold).await);
            bob.sees("alice holds").await;
            calls.push(hold);
        }
        let shutdown = async {
            let in_time = hall.server.shutdown(FAR).await;
            bob.go.add_permits(10);
            in_time
        };
        assert!(soon(shutdown).await);
        for call in calls {
            let error = soon(call).await.unwrap_err();
            let ended = match &error {
                RequestError::Rejected(error) => error.code == "peer_gone",
                RequestError::Lost(_) => true,
                _ => false,
            };
            assert!(ended, "{error:?}");
            assert!(error.is_unknown(), "{error:?}");
        }
    });
}
