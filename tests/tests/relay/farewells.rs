//! What is done once a connection is gone, however it goes.

use std::time::Duration;

use protocol_tests::{Raw, both::run};

use crate::hall::{Gone, Hall, hall, soon};
use crate::lines::{by, is_served_next, reads, refused, request};

const LEAVE: &str = r#"{"type":"request","name":"leave","request_id":"leave"}"#;

async fn watch(raw: &mut Raw, panics: bool, too_late: bool) {
    let data = format!(r#"{{"panics":{panics},"too_late":{too_late}}}"#);
    let line = format!(r#"{{"type":"request","name":"watch","data":{data},"request_id":"watch"}}"#);
    assert_eq!(soon(raw.ask(&line)).await["data"], true);
}

fn gone(name: &str) -> Gone {
    Gone {
        name: Some(name.to_owned()),
        reachable: false,
    }
}

#[test]
fn a_farewell_is_said_once_however_the_connection_goes() {
    type Way = fn(&Hall, Raw) -> Option<Raw>;
    let ways: [Way; 4] = [
        |_, alice| {
            drop(alice);
            None
        },
        |_, alice| {
            alice.reset();
            None
        },
        |hall, alice| {
            hall.close("alice");
            Some(alice)
        },
        |hall, alice| {
            // Both ends at once.
            hall.close("alice");
            alice.reset();
            None
        },
    ];
    run(move || async move {
        let mut hall = hall(|_| {}).await;
        for way in ways {
            let mut alice = hall.enter("alice").await;
            watch(&mut alice, false, false).await;
            let kept = way(&hall, alice);
            is_gone_once(&mut hall).await;
            drop(kept);
        }
        for line in ["no frame", LEAVE, "", &request("alice", "1", "7")] {
            let mut alice = hall.enter("alice").await;
            watch(&mut alice, false, false).await;
            alice.send(line).await;
            alice.end().await;
            is_gone_once(&mut hall).await;
        }
    });
}

/// Waits until alice is gone, and nobody else.
async fn is_gone_once(hall: &mut Hall) {
    assert_eq!(soon(hall.gone.recv()).await, Some(gone("alice")));
    soon(hall.has_connections(0)).await;
    assert!(hall.gone.try_recv().is_err(), "once for each connection");
}

#[test]
fn each_of_several_farewells_is_said() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let mut alice = hall.enter("alice").await;
        for panics in [false, true, false] {
            watch(&mut alice, panics, false).await;
        }
        hall.close("alice");
        for _ in 0..3 {
            assert_eq!(soon(hall.gone.recv()).await, Some(gone("alice")));
        }
        soon(hall.has_connections(0)).await;
        assert!(hall.gone.try_recv().is_err());
    });
}

#[test]
fn a_farewell_to_a_connection_that_is_gone_is_said_at_once() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let mut alice = hall.enter("alice").await;
        watch(&mut alice, false, true).await;
        assert_eq!(hall.gone.try_recv(), Ok(gone("alice")));
        assert_eq!(soon(alice.line()).await, None);
        drop(alice);
        soon(hall.has_connections(0)).await;
        assert!(hall.gone.try_recv().is_err());
    });
}

#[test]
fn strangers_get_their_farewell_too() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let mut stranger = hall.stranger().await;
        watch(&mut stranger, false, false).await;
        drop(stranger);
        let nobody = Gone {
            name: None,
            reachable: false,
        };
        assert_eq!(soon(hall.gone.recv()).await, Some(nobody));
    });
}

#[test]
fn a_shutdown_says_farewell_to_all_also_to_those_that_it_cuts_off() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let mut carol = hall.enter("carol").await;
        for raw in [&mut alice, &mut bob, &mut carol] {
            watch(raw, false, false).await;
        }
        carol
            .send(r#"{"type":"request","name":"rest","request_id":"1"}"#)
            .await;
        assert_eq!(hall.heard.recv().await.as_deref(), Some("rest"));
        assert!(!hall.server.shutdown(Duration::from_millis(200)).await);
        let mut names = Vec::new();
        while let Ok(gone) = hall.gone.try_recv() {
            names.push(gone.name.expect("all have entered"));
        }
        names.sort();
        assert_eq!(names, ["alice", "bob", "carol"]);
    });
}

#[test]
fn a_dropped_server_says_farewell_to_all() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        watch(&mut alice, false, false).await;
        watch(&mut bob, true, false).await;
        let Hall {
            server,
            gone: mut left,
            ..
        } = hall;
        drop(server);
        let mut names = Vec::new();
        while let Some(gone) = soon(left.recv()).await {
            names.push(gone.name.expect("all have entered"));
        }
        names.sort();
        assert_eq!(names, ["alice", "bob"]);
        assert_eq!(soon(alice.line()).await, None);
        assert_eq!(soon(bob.line()).await, None);
    });
}

#[test]
fn a_farewell_that_panics_harms_nobody() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let mut bob = hall.enter("bob").await;
        for way in 0..4 {
            let mut alice = hall.enter("alice").await;
            watch(&mut alice, true, false).await;
            alice.send(&request("bob", "1", "7")).await;
            reads(&mut bob, &by("alice", &request("bob", "1", "7"))).await;
            bob.send(&request("alice", "1", "8")).await;
            reads(&mut alice, &by("bob", &request("alice", "1", "8"))).await;
            match way {
                0 => alice.reset(),
                1 => hall.close("alice"),
                2 => alice.send("no frame").await,
                _ => assert_eq!(soon(alice.ask(LEAVE)).await["data"], true),
            }
            refused(&mut bob, "8", "peer_gone").await;
            assert_eq!(soon(hall.gone.recv()).await, Some(gone("alice")));
            soon(hall.has_connections(1)).await;
            is_served_next(&mut bob).await;
        }
        assert!(hall.gone.try_recv().is_err());
        assert!(soon(hall.server.shutdown(Duration::from_secs(50))).await);
    });
}
