//! Typed clients that send, confirm and request across a server, with their handlers at `AtPeer`.

use std::time::Duration;

use protocol_core::wire::ErrorCode;
use protocol_core::{AtPeer, Client, Context, Event, EventSet, Protocol, RequestError, SendError};
use protocol_tests::{PlainOrEncrypted, Seen, both::run, still_waits};

use crate::hall::{
    Ask, AskBack, Enter, Hall, Hold, Knock, Refusal, ToHall, Told, Wave, hall, peer, soon, told,
};

/// An event that readers of `Between` do not know.
#[derive(Debug, Event)]
#[event(request, response = Told)]
struct Newer;

#[derive(Debug, EventSet)]
enum BetweenNewer {
    Newer(Newer),
}

#[derive(Debug, Protocol)]
#[protocol(version = "2", to_server = ToHall, to_peer = BetweenNewer)]
struct MeetNewer;

/// Answers what only it knows.
struct NewerPerson;

impl BetweenNewerHandler<MeetNewer, AtPeer> for NewerPerson {
    async fn on_newer(&self, cx: &Context<MeetNewer, AtPeer>, _event: Newer) -> Told {
        Told(format!("newer to {}", cx.from()))
    }
}

/// A client of a later version without a name.
async fn newer(hall: &Hall) -> Client<MeetNewer> {
    let client = Client::connect(hall.server.address())
        .plain_or_encrypted()
        .handle(NewerPerson);
    client.await.expect("connects")
}

fn code<E: std::fmt::Debug>(error: &RequestError<E>) -> Option<ErrorCode> {
    let RequestError::Rejected(error) = error else {
        panic!("{error:?}");
    };
    error.standard()
}

#[test]
fn a_pass_reaches_the_peers_handler_with_its_senders_name() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (alice, mut bob) = (hall.guest("alice").await, hall.guest("bob").await);
        let mut carol = hall.guest("carol").await;
        alice.client.to(&peer("bob")).send(Wave(1)).await.unwrap();
        bob.sees("alice waves 1").await;
        carol.client.to(&peer("bob")).send(Wave(2)).await.unwrap();
        bob.sees("carol waves 2").await;
        bob.client.to(&peer("carol")).send(Wave(3)).await.unwrap();
        carol.sees("bob waves 3").await;
    });
}

#[test]
fn a_confirmed_pass_is_confirmed_once_the_peers_handler_has_run() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (alice, mut bob) = (hall.guest("alice").await, hall.guest("bob").await);
        let knock = |text: &str| alice.client.to(&peer("bob")).confirm(Knock(text.into()));
        assert_eq!(soon(knock("once")).await, Ok(()));
        assert_eq!(bob.seen.try_recv().as_deref(), Ok("alice knocks once"));
        let who = "bob".to_owned();
        let refused = Err(RequestError::Refused(Refusal::No { who }));
        assert_eq!(soon(knock("no")).await, refused);
        assert_eq!(bob.seen.try_recv().as_deref(), Ok("alice knocks no"));
    });
}

#[test]
fn a_request_is_answered_by_the_peer_typed() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (alice, bob) = (hall.guest("alice").await, hall.guest("bob").await);
        let ask = |text: &str| alice.client.to(&peer("bob")).request(Ask(text.into()));
        assert_eq!(soon(ask("why?")).await, Ok(told("bob to alice: why?")));
        let who = "bob".to_owned();
        let refused = Err(RequestError::Refused(Refusal::No { who }));
        assert_eq!(soon(ask("no")).await, refused);
        let back = bob.client.to(&peer("alice")).request(Ask("so?".into()));
        assert_eq!(soon(back).await, Ok(told("alice to bob: so?")));
    });
}

#[test]
fn a_handler_asks_its_asker_back_before_it_answers() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (alice, _bob) = (hall.guest("alice").await, hall.guest("bob").await);
        let ask = |text: &str| alice.client.to(&peer("bob")).request(AskBack(text.into()));
        let heard = told("bob heard: alice to bob: you?");
        assert_eq!(soon(ask("you?")).await, Ok(heard));
        let refused = told("bob heard nothing: refused: no to alice");
        assert_eq!(soon(ask("no")).await, Ok(refused));
    });
}

#[test]
fn a_client_reaches_itself_as_any_peer() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let mut alice = hall.guest("alice").await;
        let client = alice.client.clone();
        let me = peer("alice");
        client.to(&me).send(Wave(1)).await.unwrap();
        alice.sees("alice waves 1").await;
        assert_eq!(
            soon(client.to(&me).confirm(Knock("x".into()))).await,
            Ok(())
        );
        let answer = soon(client.to(&me).request(Ask("me?".into()))).await;
        assert_eq!(answer, Ok(told("alice to alice: me?")));
    });
}

#[test]
fn an_event_that_the_peer_does_not_know_is_refused_by_the_peer() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let bob = hall.guest("bob").await;
        let alice = newer(&hall).await;
        let name = "alice".to_owned();
        alice.request(Enter { name }).await.unwrap();
        let error = soon(alice.to(&peer("bob")).request(Newer)).await;
        let error = error.unwrap_err();
        assert_eq!(code(&error), Some(ErrorCode::UnknownEvent));
        assert!(!error.is_unknown(), "it was certainly not executed");
        drop(bob);
    });
}

#[test]
fn a_peer_that_is_not_there_is_not_found() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let alice = hall.guest("alice").await;
        let bob = peer("bob");
        let error = alice.client.to(&bob).confirm(Knock("x".into())).await;
        let error = error.unwrap_err();
        assert_eq!(code(&error), Some(ErrorCode::PeerNotFound));
        assert!(!error.is_unknown() && !error.is_closed(), "{error}");
        let error = alice.client.to(&bob).request(Hold).await.unwrap_err();
        assert_eq!(code(&error), Some(ErrorCode::PeerNotFound));
        alice.client.to(&bob).send(Wave(1)).await.unwrap();
        let refused = Seen::refused("wave", "peer_not_found");
        assert_eq!(hall.notices.next().await, refused);
    });
}

#[test]
fn who_has_no_name_reaches_nobody() {
    run(|| async {
        let mut hall = hall(|_| {}).await;
        let mut bob = hall.guest("bob").await;
        let alice = newer(&hall).await;
        let error = alice.to(&peer("bob")).request(Newer).await.unwrap_err();
        assert_eq!(code(&error), Some(ErrorCode::NotLoggedIn));
        let mut raw = hall.stranger().await;
        raw.send(r#"{"type":"pass","dest":"bob","name":"wave","data":1}"#)
            .await;
        let refused = Seen::refused("wave", "not_logged_in");
        assert_eq!(hall.notices.next().await, refused);
        assert!(bob.seen.try_recv().is_err());
    });
}

#[test]
fn calls_to_a_peer_that_has_left_say_so_and_nobody_can_tell_what_became_of_them() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (alice, mut bob) = (hall.guest("alice").await, hall.guest("bob").await);
        let mut hold = alice.client.to(&peer("bob")).request(Hold);
        assert!(still_waits(&mut hold).await);
        bob.sees("alice holds").await;
        // His handler runs on, for nobody.
        let mut close = Box::pin(bob.client.close());
        assert!(still_waits(&mut close).await);
        let error = soon(hold).await.unwrap_err();
        bob.go.add_permits(1);
        close.await;
        assert_eq!(code(&error), Some(ErrorCode::PeerGone));
        assert!(error.is_unknown(), "it may have been executed");
        assert!(!error.is_retryable() && !error.is_closed(), "{error}");
    });
}

#[test]
fn an_asker_that_gives_up_hears_nothing_of_the_late_answer() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (alice, mut bob) = (hall.guest("alice").await, hall.guest("bob").await);
        let patience = Duration::from_millis(20);
        let error = alice
            .client
            .to(&peer("bob"))
            .request(Hold)
            .timeout(patience);
        let error = error.await.unwrap_err();
        assert!(matches!(error, RequestError::Timeout { .. }), "{error:?}");
        bob.sees("alice holds").await;
        bob.go.add_permits(1);
        let ask = alice.client.to(&peer("bob")).request(Ask("still?".into()));
        assert_eq!(soon(ask).await, Ok(told("bob to alice: still?")));
    });
}

#[test]
fn many_calls_at_once_in_all_directions_get_their_own_answers() {
    run(|| async {
        let hall = hall(|limits| limits.connection.outbound_events = 100_000).await;
        let guests = [
            hall.guest("alice").await,
            hall.guest("bob").await,
            hall.guest("carol").await,
        ];
        let mut calls = tokio::task::JoinSet::new();
        for n in 0..200 {
            for (guest, me) in guests.iter().zip(["alice", "bob", "carol"]) {
                for other in ["alice", "bob", "carol"] {
                    let client = guest.client.clone();
                    calls.spawn(async move {
                        let ask = client.to(&peer(other)).request(Ask(n.to_string())).await;
                        assert_eq!(ask, Ok(told(&format!("{other} to {me}: {n}"))));
                    });
                }
            }
        }
        while let Some(ended) = calls.join_next().await {
            ended.unwrap();
        }
    });
}

#[test]
fn the_largest_events_go_both_ways() {
    run(|| async {
        let hall = hall(|_| {}).await;
        let (alice, _bob) = (hall.guest("alice").await, hall.guest("bob").await);
        let bob = peer("bob");
        let ask = |size| alice.client.to(&bob).request(Ask("x".repeat(size)));
        // The answer is longer than the question by what the handler adds.
        let overhead = "bob to alice: ".len() + 200;
        let size = 65_536 - overhead;
        let answer = soon(ask(size)).await.unwrap();
        assert_eq!(answer.0.len(), "bob to alice: ".len() + size);
        let error = ask(65_536).await.unwrap_err();
        let RequestError::NotSent(SendError::TooLarge { .. }) = error else {
            panic!("{error:?}");
        };
        assert_eq!(soon(ask(3)).await, Ok(told("bob to alice: xxx")));
    });
}
