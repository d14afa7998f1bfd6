//! Reserved names, rooms and types of later versions, with a `dest`.

use protocol_tests::{Seen, both::run};

use crate::hall::{Hall, hall, soon};
use crate::lines::{by, confirm, is_served_next, pass, reads, refused, request};

async fn is_refused(hall: &mut Hall, name: &str, code: &str) {
    assert_eq!(soon(hall.notices.next()).await, Seen::refused(name, code));
}

#[test]
fn a_last_word_is_for_the_own_link_and_not_relayed() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        for name in ["protocol_error", "protocol\\u005ferror"] {
            for dest in ["bob", "alice", "nobody"] {
                let word = pass(dest, r#"{"code":"too_large","message":""}"#);
                alice.send(&word.replace("wave", name)).await;
                is_refused(&mut hall, "protocol_error", "not_allowed").await;
            }
        }
        is_served_next(&mut alice).await;
        is_served_next(&mut bob).await;
    });
}

/// Only a pass of that name ends a link.
#[test]
fn other_events_called_like_the_last_word_are_the_clients_own_business() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let mut alice = hall.enter("alice").await;
        let (mut bob, carol) = (hall.enter("bob").await, hall.guest("carol").await);
        for line in [request("bob", "1", "7"), confirm("bob", "1", "8")] {
            let line = line.replace("\"ask\"", "\"wave\"");
            let line = line.replace("wave", "protocol_error");
            alice.send(&line).await;
            reads(&mut bob, &by("alice", &line)).await;
            alice.send(&line.replace("bob", "carol")).await;
            let answer = soon(alice.json()).await;
            assert_eq!(answer["from"], "carol", "{answer}");
            assert_eq!(answer["error"]["code"], "unknown_event", "{answer}");
        }
        assert_eq!(carol.client.close_reason(), None);
    });
}

#[test]
fn a_cancel_request_is_passed_on_and_a_typed_client_ignores_it() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let mut alice = hall.enter("alice").await;
        let (mut bob, mut carol) = (hall.enter("bob").await, hall.guest("carol").await);
        let cancel = pass("bob", r#"{"request_id":"7"}"#).replace("wave", "cancel_request");
        alice.send(&cancel).await;
        reads(&mut bob, &by("alice", &cancel)).await;
        alice.send(&cancel.replace("bob", "carol")).await;
        alice.send(&pass("carol", "5")).await;
        carol.sees("alice waves 5").await;
        assert_eq!(carol.client.close_reason(), None);
        assert_eq!(hall.notices.try_next(), None);
    });
}

/// What `from` a last word claims cannot make it the server's, and neither can an absent one.
#[test]
fn a_peer_cannot_end_anothers_link_with_a_last_word() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let mut alice = hall.enter("alice").await;
        let mut carol = hall.guest("carol").await;
        let word = pass("carol", r#"{"code":"x","message":""}"#).replace("wave", "protocol_error");
        for line in [
            word.clone(),
            word.replace("{\"type\"", "{\"from\":null,\"type\""),
            word.replace("{\"type\"", "{\"from\":\"bob\",\"type\""),
        ] {
            alice.send(&line).await;
            is_refused(&mut hall, "protocol_error", "not_allowed").await;
        }
        alice.send(&pass("carol", "5")).await;
        carol.sees("alice waves 5").await;
    });
}

#[test]
fn a_room_is_asked_nothing_and_waves_to_it_are_counted() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let mut alice = hall.enter("alice").await;
        for dest in ["#room", "#", "\\u0023room"] {
            alice.send(&request(dest, "1", "7")).await;
            refused(&mut alice, "7", "not_allowed").await;
            alice.send(&confirm(dest, "1", "8")).await;
            refused(&mut alice, "8", "not_allowed").await;
            alice.send(&pass(dest, "1")).await;
            is_refused(&mut hall, "wave", "not_allowed").await;
        }
        is_served_next(&mut alice).await;
    });
}

#[test]
fn types_of_later_versions_are_skipped_also_with_a_dest() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let line = pass("bob", "1").replace("\"pass\"", "\"later\"");
        alice.send(&line).await;
        assert_eq!(soon(hall.notices.next()).await, Seen::TypeUnknown);
        is_served_next(&mut alice).await;
        is_served_next(&mut bob).await;
    });
}

/// `dest` decides: an event of the server's own name goes to the peer, and one of a peer's name
/// without `dest` is none of the server's.
#[test]
fn an_event_with_dest_is_never_the_servers_and_one_without_never_a_peers() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        for name in ["enter", "look", "note", "leave"] {
            let line = request("bob", "{\"name\":\"carol\"}", name)
                .replace("\"ask\"", &format!("\"{name}\""));
            alice.send(&line).await;
            reads(&mut bob, &by("alice", &line)).await;
        }
        alice
            .send(r#"{"type":"request","name":"ask","data":"1","request_id":"7"}"#)
            .await;
        refused(&mut alice, "7", "unknown_event").await;
        alice
            .send(r#"{"type":"request","dest":null,"name":"look","request_id":"look"}"#)
            .await;
        assert_eq!(soon(alice.json()).await["data"], true);
        assert_eq!(hall.notices.try_next(), None);
        is_served_next(&mut bob).await;
    });
}
