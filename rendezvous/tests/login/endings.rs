//! How sessions end: by logout, by removal, with the server; and what others hear of it.

use std::pin::pin;
use std::time::Duration;

use protocol_core::{ClientState, CloseReason, PeerId, Received};
use protocol_tests::still_waits;
use rendezvous::events::{LogIn, LogOut, ServerClosing, SessionEnd, SessionEnded};
use rendezvous::{LoginExt, SessionNews};
use serde_json::json;

use crate::house::{Greet, Knock, Nod, code, open};
use crate::log::run;
use crate::peer::Peer;

fn id(text: &str) -> PeerId {
    PeerId::new(text).unwrap()
}

#[test]
fn what_comes_after_a_logout_is_not_handled() {
    run(async {
        let house = open(|_| {}).await;
        let mut alice = Peer::connect(house.address()).await;
        let frames = [
            json!({"type": "request", "name": "login", "data": {"id": "alice"}, "request_id": "1"}),
            json!({"type": "request", "name": "logout", "request_id": "2"}),
            json!({"type": "request", "name": "login", "data": {"id": "bob"}, "request_id": "3"}),
        ];
        alice.send_all(&frames).await;
        assert_eq!(alice.json().await["data"]["id"], "alice");
        assert_eq!(alice.json().await["data"], json!({}));
        while let Some(line) = alice.line().await {
            assert!(line.contains("shutting_down"), "{line}");
        }
        assert_eq!(house.rendezvous.sessions(), 0);
    });
}

/// In how many ways a peer can leave.
const WAYS: usize = 5;

#[test]
fn who_waits_for_an_answer_of_one_who_leaves_hears_peer_gone() {
    run(async {
        for way in 0..WAYS {
            let house = open(|_| {}).await;
            let (alice, _news) = house.guest().await;
            alice.login("alice").await.unwrap();
            let mut bob = Peer::log_in(house.address(), "bob").await;
            let bob_id = id("bob");
            let call = alice.to(&bob_id).request(Greet {});
            let leave = async {
                let asked = bob.json().await;
                assert_eq!(asked["from"], "alice");
                match way {
                    0 => drop(bob.request("logout", json!({})).await),
                    1 => assert!(house.rendezvous.remove(&house.server, &bob_id).await),
                    2 => bob.reset(),
                    3 => bob.write("no frame\n").await,
                    _ => drop(bob),
                }
            };
            let (answer, ()) = tokio::join!(call, leave);
            let error = answer.unwrap_err();
            assert!(!error.is_retryable(), "{error}");
            assert!(error.is_unknown(), "{error}");
            assert_eq!(code(error), "peer_gone", "way {way}");
            // Now that he is gone, it is another thing.
            let error = alice.to(&bob_id).request(Greet {}).await.unwrap_err();
            assert_eq!(code(error), "peer_not_found", "way {way}");
        }
    });
}

#[test]
fn a_confirmed_pass_to_one_who_has_left_is_refused_and_not_kept_for_a_return() {
    run(async {
        let house = open(|_| {}).await;
        let (alice, _) = house.guest().await;
        let (bob, _) = house.guest().await;
        alice.login("alice").await.unwrap();
        bob.login("bob").await.unwrap();
        let to_bob = || alice.to(&id("bob")).confirm(Nod {});
        to_bob().await.unwrap();
        bob.request(LogOut {}).await.unwrap();
        let error = to_bob().await.unwrap_err();
        assert!(!error.is_unknown(), "{error}");
        assert_eq!(code(error), "peer_not_found");
    });
}

#[test]
fn who_comes_back_does_not_answer_for_who_was_there_before() {
    run(async {
        let house = open(|_| {}).await;
        let mut alice = Peer::log_in(house.address(), "alice").await;
        let mut bob = Peer::log_in(house.address(), "bob").await;
        alice
            .send(&json!({"type": "request", "name": "greet", "dest": "bob", "request_id": "7"}))
            .await;
        assert_eq!(bob.json().await["request_id"], "7");
        bob.request("logout", json!({})).await;
        assert_eq!(alice.json().await["error"]["code"], "peer_gone");

        let mut bob = Peer::log_in(house.address(), "bob").await;
        bob.send(&json!({
            "type": "response", "name": "greet", "data": {"text": "late"},
            "dest": "alice", "request_id": "7",
        }))
        .await;
        assert!(bob.request("ping", json!({})).await["error"].is_null());
        assert_eq!(alice.request("ping", json!({})).await["name"], "ping");
    });
}

#[test]
fn one_who_is_removed_hears_why_and_the_id_is_free_at_once() {
    run(async {
        let house = open(|_| {}).await;
        for _ in 0..20 {
            let mut alice = Peer::log_in(house.address(), "alice").await;
            assert!(house.rendezvous.remove(&house.server, &id("alice")).await);
            assert_eq!(house.rendezvous.sessions(), 0);
            let mut next = Peer::log_in(house.address(), "alice").await;
            let line = alice.line().await.unwrap();
            let expected = "{\"type\":\"pass\",\"name\":\"session_ended\",\"data\":{\"reason\":\"removed\",\"may_resume\":false}}";
            assert_eq!(line, expected);
            assert_eq!(alice.line().await, None);
            next.request("logout", json!({})).await;
        }
    });
}

#[test]
fn a_typed_client_that_is_removed_hears_why() {
    run(async {
        let house = open(|_| {}).await;
        let (alice, mut news) = house.guest().await;
        alice.login("alice").await.unwrap();
        assert!(house.rendezvous.remove(&house.server, &id("alice")).await);
        let heard = news.next().await;
        let Some(Received { from, event, .. }) = heard else {
            panic!("nothing was heard");
        };
        assert_eq!(from, None);
        let SessionNews::SessionEnded(SessionEnded { reason, may_resume }) = event else {
            panic!("{event:?}");
        };
        assert_eq!((reason, may_resume), (SessionEnd::Removed, false));
        alice.closed().await;
        assert!(news.next().await.is_none());
        assert!(alice.request(Knock {}).await.unwrap_err().is_closed());
    });
}

#[test]
fn nobody_is_removed_by_a_name_that_nobody_has() {
    run(async {
        let house = open(|_| {}).await;
        let mut alice = Peer::log_in(house.address(), "alice").await;
        for name in ["bob", "Alice", "ali\u{200b}ce"] {
            assert!(!house.rendezvous.remove(&house.server, &id(name)).await);
        }
        assert_eq!(
            alice.request("knock", json!({})).await["data"]["to"],
            "alice"
        );
        assert!(house.rendezvous.remove(&house.server, &id("alice")).await);
        assert!(!house.rendezvous.remove(&house.server, &id("alice")).await);
    });
}

#[test]
fn a_server_that_closes_tells_everybody_before_the_end() {
    run(async {
        let house = open(|_| {}).await;
        let mut alice = Peer::log_in(house.address(), "alice").await;
        let mut stranger = Peer::connect(house.address()).await;
        stranger.request("ping", json!({})).await;
        let (bob, mut news) = house.guest().await;
        let without_grace = LogIn::new("bob").grace(Duration::ZERO);
        bob.login_with(without_grace).await.unwrap();

        let clients = async {
            for peer in [&mut alice, &mut stranger] {
                let line = peer.line().await.unwrap();
                let expected = "{\"type\":\"pass\",\"name\":\"server_closing\",\"data\":{\"deadline_ms\":5000,\"retry_after_ms\":2000}}";
                assert_eq!(line, expected);
                assert_eq!(peer.line().await, None);
                peer.end().await;
            }
            let Some(Received {
                event: SessionNews::ServerClosing(closing),
                ..
            }) = news.next().await
            else {
                panic!("nothing was heard");
            };
            let ServerClosing {
                deadline_ms,
                retry_after_ms,
            } = closing;
            assert_eq!((deadline_ms, retry_after_ms), (5_000, 2_000));
            bob.closed().await;
            assert!(news.next().await.is_none());
        };
        let (in_order, ()) = tokio::join!(house.shut_down(), clients);
        assert!(in_order);
        assert_eq!(house.rendezvous.sessions(), 0);
        assert_eq!(house.server.connections(), 0);
    });
}

#[test]
fn a_client_with_a_session_waits_for_a_server_that_closed_until_it_is_closed_itself() {
    run(async {
        let house = open(|_| {}).await;
        let (bob, mut news) = house.guest().await;
        bob.login("bob").await.unwrap();
        let mut states = bob.states();
        assert!(house.shut_down().await);
        assert_eq!(house.rendezvous.sessions(), 0);
        assert_eq!(house.server.connections(), 0);
        let heard = news.next().await.unwrap().event;
        assert!(matches!(heard, SessionNews::ServerClosing(_)), "{heard:?}");
        let lost = ClientState::Reconnecting(CloseReason::PeerClosed);
        assert_eq!(states.next().await, Some(lost));
        assert!(still_waits(&mut pin!(bob.closed())).await);
        bob.close().await;
        assert!(matches!(states.next().await, Some(ClientState::Lost(_))));
        assert_eq!(states.next().await, None);
        assert!(news.next().await.is_none());
    });
}

#[test]
fn a_client_that_does_not_leave_is_cut_off_at_the_deadline() {
    run(async {
        let house = open(|config| {
            config.server.connection.linger = Duration::from_hours(1);
        })
        .await;
        let mut alice = Peer::log_in(house.address(), "alice").await;
        let deadline = Duration::from_millis(100);
        assert!(!house.rendezvous.shutdown(&house.server, deadline).await);
        assert_eq!(house.rendezvous.sessions(), 0);
        let closing = alice.json().await;
        assert_eq!(closing["data"]["deadline_ms"], 100);
        assert_eq!(alice.line().await, None);
    });
}

#[test]
fn sessions_end_with_their_server() {
    run(async {
        let house = open(|_| {}).await;
        let mut alice = Peer::log_in(house.address(), "alice").await;
        let _bob = Peer::log_in(house.address(), "bob").await;
        assert_eq!(house.rendezvous.sessions(), 2);
        let rendezvous = house.rendezvous.clone();
        drop(house);
        while rendezvous.sessions() != 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(alice.line().await, None);
    });
}

#[test]
fn a_typed_logout_ends_the_calls_of_both_sides() {
    run(async {
        let house = open(|_| {}).await;
        let ((alice, _), (bob, _)) = (house.guest().await, house.guest().await);
        alice.login("alice").await.unwrap();
        bob.login("bob").await.unwrap();
        let mut carol = Peer::log_in(house.address(), "carol").await;
        // Alice asks one who never answers, and leaves.
        let carol_id = id("carol");
        let call = alice.to(&carol_id).request(Greet {});
        let leave = async {
            assert_eq!(carol.json().await["from"], "alice");
            alice.request(LogOut {}).await.unwrap();
        };
        let (answer, ()) = tokio::join!(call, leave);
        assert!(answer.unwrap_err().is_unknown());
        // Her answer finds nobody, and harms nobody.
        carol
            .send(&json!({
                "type": "response", "name": "greet", "data": {"text": "late"},
                "dest": "alice", "request_id": "7",
            }))
            .await;
        assert!(carol.request("ping", json!({})).await["error"].is_null());
        let greeting = alice_of(&house)
            .await
            .to(&id("bob"))
            .request(Greet {})
            .await;
        assert_eq!(greeting.unwrap().text, "hello, alice");
    });
}

async fn alice_of(house: &crate::house::Open) -> protocol_core::Client<crate::house::House> {
    let (alice, _news) = house.guest().await;
    alice.login("alice").await.unwrap();
    alice
}
