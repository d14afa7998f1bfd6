//! Answers that are no answers: of others, of another kind, too late, to nobody.

use protocol_core::RequestError;
use std::time::Duration;

use protocol_core::wire::ErrorCode;
use protocol_tests::{
    Raw, Seen,
    both::{run, run_on_one_thread},
    still_waits,
};

use crate::hall::{Ask, Hall, Hold, hall, peer, soon, told};
use crate::lines::{
    acknowledgement, by, confirm, is_served_next, reads, refused, request, response,
};

/// Alice, bob and carol.
async fn three(hall: &Hall) -> [Raw; 3] {
    [
        hall.enter("alice").await,
        hall.enter("bob").await,
        hall.enter("carol").await,
    ]
}

/// Sends a line that must be ignored, and nothing else.
async fn is_ignored(hall: &mut Hall, raw: &mut Raw, line: &str) {
    raw.send(line).await;
    assert_eq!(
        soon(hall.notices.next()).await,
        Seen::AnswerIgnored,
        "{line}"
    );
    assert_eq!(hall.notices.try_next(), None, "{line}");
}

fn error(dest: &str, id: &str) -> String {
    format!(
        r#"{{"type":"response","dest":"{dest}","name":"ask","request_id":"{id}","error":{{"code":"no"}}}}"#
    )
}

#[test]
fn an_answer_of_somebody_who_was_not_asked_is_ignored() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let [mut alice, mut bob, mut carol] = three(&hall).await;
        alice.send(&request("bob", "1", "7")).await;
        reads(&mut bob, &by("alice", &request("bob", "1", "7"))).await;
        for forged in [
            response("alice", "\"forged\"", "7"),
            error("alice", "7"),
            acknowledgement("alice", "7"),
            response("alice", "\"forged\"", "7").replace('{', "{\"from\":\"bob\","),
        ] {
            is_ignored(&mut hall, &mut carol, &forged).await;
        }
        bob.send(&response("alice", "\"bob's\"", "7")).await;
        reads(&mut alice, &by("bob", &response("alice", "\"bob's\"", "7"))).await;
        is_served_next(&mut alice).await;
        is_served_next(&mut carol).await;
    });
}

#[test]
fn an_answer_of_somebody_who_was_asked_something_else_is_ignored() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let [mut alice, mut bob, mut carol] = three(&hall).await;
        for (raw, dest, id) in [(&mut bob, "bob", "7"), (&mut carol, "carol", "8")] {
            alice.send(&request(dest, "1", id)).await;
            reads(raw, &by("alice", &request(dest, "1", id))).await;
        }
        is_ignored(&mut hall, &mut carol, &response("alice", "0", "7")).await;
        is_ignored(&mut hall, &mut carol, &error("alice", "7")).await;
        is_ignored(&mut hall, &mut bob, &response("alice", "0", "8")).await;
        carol.send(&response("alice", "3", "8")).await;
        reads(&mut alice, &by("carol", &response("alice", "3", "8"))).await;
        bob.send(&response("alice", "2", "7")).await;
        reads(&mut alice, &by("bob", &response("alice", "2", "7"))).await;
        is_served_next(&mut alice).await;
    });
}

#[test]
fn one_id_may_be_open_with_two_peers_and_each_answers_its_own() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let [mut alice, mut bob, mut carol] = three(&hall).await;
        for (raw, dest) in [(&mut bob, "bob"), (&mut carol, "carol")] {
            alice.send(&request(dest, "1", "7")).await;
            reads(raw, &by("alice", &request(dest, "1", "7"))).await;
        }
        carol.send(&response("alice", "3", "7")).await;
        reads(&mut alice, &by("carol", &response("alice", "3", "7"))).await;
        bob.send(&response("alice", "2", "7")).await;
        reads(&mut alice, &by("bob", &response("alice", "2", "7"))).await;
    });
}

#[test]
fn an_answer_with_a_wrong_id_or_a_second_one_is_ignored() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let [mut alice, mut bob, _carol] = three(&hall).await;
        alice.send(&request("bob", "1", "7")).await;
        reads(&mut bob, &by("alice", &request("bob", "1", "7"))).await;
        for id in ["8", "77", "7 ", "\\u0038", &"7".repeat(64)] {
            is_ignored(&mut hall, &mut bob, &response("alice", "0", id)).await;
        }
        bob.send(&response("alice", "2", "7")).await;
        reads(&mut alice, &by("bob", &response("alice", "2", "7"))).await;
        is_ignored(&mut hall, &mut bob, &response("alice", "0", "7")).await;
        is_ignored(&mut hall, &mut bob, &error("alice", "7")).await;
        is_served_next(&mut alice).await;
    });
}

#[test]
fn an_answer_of_the_other_kind_is_ignored_and_the_right_one_still_counts() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let [mut alice, mut bob, _carol] = three(&hall).await;
        alice.send(&request("bob", "1", "7")).await;
        reads(&mut bob, &by("alice", &request("bob", "1", "7"))).await;
        alice.send(&confirm("bob", "1", "8")).await;
        reads(&mut bob, &by("alice", &confirm("bob", "1", "8"))).await;
        is_ignored(&mut hall, &mut bob, &acknowledgement("alice", "7")).await;
        is_ignored(&mut hall, &mut bob, &response("alice", "0", "8")).await;
        is_ignored(&mut hall, &mut bob, &error("alice", "8")).await;
        bob.send(&acknowledgement("alice", "8")).await;
        reads(&mut alice, &by("bob", &acknowledgement("alice", "8"))).await;
        bob.send(&response("alice", "2", "7")).await;
        reads(&mut alice, &by("bob", &response("alice", "2", "7"))).await;
    });
}

#[test]
fn answers_to_somebody_who_never_asked_or_is_not_there_are_ignored() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let [mut alice, mut bob, mut carol] = three(&hall).await;
        // That alice was asked is no leave to answer.
        bob.send(&request("alice", "1", "7")).await;
        reads(&mut alice, &by("bob", &request("alice", "1", "7"))).await;
        for dest in ["alice", "carol", "bob", "nobody", "#room", "\\u0000"] {
            is_ignored(&mut hall, &mut bob, &response(dest, "0", "7")).await;
            is_ignored(&mut hall, &mut bob, &acknowledgement(dest, "7")).await;
        }
        let mut stranger = hall.stranger().await;
        is_ignored(&mut hall, &mut stranger, &response("bob", "0", "7")).await;
        is_served_next(&mut carol).await;
        is_served_next(&mut bob).await;
        is_served_next(&mut alice).await;
    });
}

#[test]
fn an_answer_after_its_sender_was_given_up_is_ignored() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let [mut alice, mut bob, _carol] = three(&hall).await;
        alice.send(&request("bob", "1", "7")).await;
        reads(&mut bob, &by("alice", &request("bob", "1", "7"))).await;
        // The server closes the link, and still reads what is on its way for a while.
        hall.close("bob");
        refused(&mut alice, "7", "peer_gone").await;
        is_ignored(&mut hall, &mut bob, &response("alice", "0", "7")).await;
        is_served_next(&mut alice).await;
    });
}

#[test]
fn a_newcomer_under_the_same_name_does_not_answer_for_who_has_left() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let [mut alice, mut bob, _carol] = three(&hall).await;
        alice.send(&request("bob", "1", "7")).await;
        reads(&mut bob, &by("alice", &request("bob", "1", "7"))).await;
        drop(bob);
        refused(&mut alice, "7", "peer_gone").await;
        let mut bob = hall.enter("bob").await;
        is_ignored(&mut hall, &mut bob, &response("alice", "0", "7")).await;
        alice.send(&request("bob", "1", "8")).await;
        reads(&mut bob, &by("alice", &request("bob", "1", "8"))).await;
        is_ignored(&mut hall, &mut bob, &response("alice", "0", "7")).await;
        bob.send(&response("alice", "2", "8")).await;
        reads(&mut alice, &by("bob", &response("alice", "2", "8"))).await;
    });
}

#[test]
fn an_answer_to_an_asker_that_has_left_does_not_reach_its_successor() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let [mut alice, mut bob, _carol] = three(&hall).await;
        alice.send(&request("bob", "1", "7")).await;
        reads(&mut bob, &by("alice", &request("bob", "1", "7"))).await;
        alice.reset();
        hall.has_connections(2).await;
        let mut alice = hall.enter("alice").await;
        is_ignored(&mut hall, &mut bob, &response("alice", "0", "7")).await;
        // Also once it has asked bob something of its own.
        alice.send(&request("bob", "1", "8")).await;
        reads(&mut bob, &by("alice", &request("bob", "1", "8"))).await;
        is_ignored(&mut hall, &mut bob, &response("alice", "0", "7")).await;
        is_served_next(&mut alice).await;
    });
}

/// On one thread both are taken in before the asker's link looks at the first.
async fn counts_right_behind(others: &[String], relay_timeout: Duration) {
    let mut hall = hall(|limits| limits.connection.relay_timeout = relay_timeout).await;
    let [mut alice, mut bob, _carol] = three(&hall).await;
    alice.send(&request("bob", "1", "6")).await;
    reads(&mut bob, &by("alice", &request("bob", "1", "6"))).await;
    if relay_timeout < Duration::from_secs(1) {
        refused(&mut alice, "6", "timeout").await;
    } else {
        bob.send(&response("alice", "1", "6")).await;
        reads(&mut alice, &by("bob", &response("alice", "1", "6"))).await;
    }
    alice.send(&request("bob", "1", "7")).await;
    reads(&mut bob, &by("alice", &request("bob", "1", "7"))).await;
    let answer = response("alice", "2", "7");
    bob.write((others.join("\n") + "\n" + &answer + "\n").as_bytes())
        .await;
    reads(&mut alice, &by("bob", &answer)).await;
    is_served_next(&mut bob).await;
    for _ in others {
        assert_eq!(hall.notices.try_next(), Some(Seen::AnswerIgnored));
    }
    assert_eq!(hall.notices.try_next(), None);
}

#[test]
fn an_answer_right_behind_one_that_comes_too_late_counts() {
    run_on_one_thread(|| async {
        let late = [response("alice", "1", "6")];
        counts_right_behind(&late, Duration::from_millis(100)).await;
    });
}

#[test]
fn an_answer_right_behind_ones_that_are_none_counts() {
    run_on_one_thread(|| async {
        let others = [
            response("alice", "1", "6"),
            response("alice", "1", "77"),
            acknowledgement("alice", "7"),
        ];
        counts_right_behind(&others, Duration::from_mins(2)).await;
    });
}

/// What an answer claims of itself is the sender's own matter, but for `from`.
#[test]
fn an_answer_of_the_asked_peer_carries_its_own_name_whatever_it_claims() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let [mut alice, mut bob, _carol] = three(&hall).await;
        alice.send(&request("bob", "1", "7")).await;
        reads(&mut bob, &by("alice", &request("bob", "1", "7"))).await;
        bob.send(
            r#"{"from":"carol","type":"response","dest":"alice","name":"x","request_id":"7"}"#,
        )
        .await;
        let named =
            r#"{"from":"bob","type":"response","dest":"alice","name":"x","request_id":"7"}"#;
        reads(&mut alice, named).await;
    });
}

/// The id of the call that a typed client has just sent to `raw`.
async fn id_at(raw: &mut Raw) -> String {
    crate::lines::id_of(&soon(raw.json()).await).to_owned()
}

#[test]
fn a_typed_caller_gets_the_answer_of_the_asked_peer_whoever_else_tries() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let alice = hall.guest("alice").await;
        let (mut bob, mut carol) = (hall.enter("bob").await, hall.enter("carol").await);
        // Carol was asked once, so that her answers get as far as they can.
        let bobs = peer("bob");
        let mut asked_carol = alice.client.to(&peer("carol")).request(Hold);
        assert!(still_waits(&mut asked_carol).await);
        let _ = id_at(&mut carol).await;
        let mut ask = alice.client.to(&bobs).request(Ask("1".into()));
        assert!(still_waits(&mut ask).await);
        let id = id_at(&mut bob).await;
        is_ignored(
            &mut hall,
            &mut carol,
            &response("alice", "\"carol's\"", &id),
        )
        .await;
        is_ignored(&mut hall, &mut carol, &error("alice", &id)).await;
        is_ignored(&mut hall, &mut bob, &acknowledgement("alice", &id)).await;
        assert!(still_waits(&mut ask).await);
        bob.send(&response("alice", "\"bob's\"", &id)).await;
        assert_eq!(soon(ask).await, Ok(told("bob's")));
    });
}

#[test]
fn an_answer_that_does_not_fit_ends_the_call_of_a_typed_client() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let alice = hall.guest("alice").await;
        let mut bob = hall.enter("bob").await;
        let bobs = peer("bob");
        let ask = || alice.client.to(&bobs).request(Ask("1".into()));
        let mut call = ask();
        assert!(still_waits(&mut call).await);
        let id = id_at(&mut bob).await;
        bob.send(&response("alice", "[7]", &id)).await;
        let error = soon(call).await.unwrap_err();
        assert!(matches!(error, RequestError::BadAnswer(_)), "{error:?}");

        let mut call = ask();
        assert!(still_waits(&mut call).await);
        let id = id_at(&mut bob).await;
        // A peer may use the relay's own words; that it was the peer shows in `from`.
        bob.send(&error_of("alice", &id, "peer_not_found")).await;
        let error = soon(call).await.unwrap_err();
        let RequestError::Rejected(error) = error else {
            panic!("{error:?}");
        };
        assert_eq!(error.standard(), Some(ErrorCode::PeerNotFound));
    });
}

fn error_of(dest: &str, id: &str, code: &str) -> String {
    error(dest, id).replace("\"no\"", &format!("\"{code}\""))
}
