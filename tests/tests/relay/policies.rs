//! The relay that decides who may reach whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use protocol_core::wire::{ErrorCode, WireError};
use protocol_core::{Context, OpenRelay, Relay, Server};
use protocol_tests::{PlainOrEncrypted, Seen, both::run};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::hall::{Hall, Meet, News, peer, serve, soon};
use crate::lines::{
    acknowledgement, by, confirm, is_served_next, pass, reads, refused, request, response,
};

/// Nobody reaches carol, and some names break the relay.
struct Strict(UnboundedSender<String>);

impl Relay<Meet> for Strict {
    fn to_peer(&self, cx: &Context<Meet>, peer: &str, name: &str) -> Result<(), WireError> {
        let from = cx.peer().expect("only those with a name are asked about");
        let _ = self.0.send(format!("{from} to {peer}: {name}"));
        assert_ne!(peer, "panic", "the relay panics, as it should");
        match peer {
            "carol" => Err(WireError::new(ErrorCode::NotAllowed, "not to carol")),
            _ => Ok(()),
        }
    }
}

async fn strict() -> (Hall, UnboundedReceiver<String>) {
    let (tell, asked) = unbounded_channel();
    let bind = Server::bind("127.0.0.1:0")
        .plain_or_encrypted()
        .relay(Strict(tell));
    (serve(bind, |_| {}).await, asked)
}

#[test]
fn what_the_relay_does_not_allow_is_refused_and_arrives_nowhere() {
    run(|| async {
        let (mut hall, mut asked) = strict().await;
        let (mut alice, mut carol) = (hall.enter("alice").await, hall.enter("carol").await);
        alice.send(&request("carol", "1", "7")).await;
        let answer = refused(&mut alice, "7", "not_allowed").await;
        assert_eq!(answer["error"]["message"], "not to carol");
        assert_eq!(asked.recv().await.as_deref(), Some("alice to carol: ask"));
        alice.send(&confirm("carol", "1", "8")).await;
        refused(&mut alice, "8", "not_allowed").await;
        alice.send(&pass("carol", "1")).await;
        let not_allowed = Seen::refused("wave", "not_allowed");
        assert_eq!(soon(hall.notices.next()).await, not_allowed);
        alice.send(&request("panic", "1", "9")).await;
        refused(&mut alice, "9", "internal").await;
        is_served_next(&mut alice).await;
        is_served_next(&mut carol).await;
        // That she was refused gives her no answer's way.
        carol.send(&response("alice", "1", "7")).await;
        assert_eq!(soon(hall.notices.next()).await, Seen::AnswerIgnored);
    });
}

#[test]
fn the_relay_is_asked_for_events_and_not_for_answers_or_strangers() {
    run(|| async {
        let (mut hall, mut asked) = strict().await;
        let (mut alice, mut carol) = (hall.enter("alice").await, hall.enter("carol").await);
        let mut stranger = hall.stranger().await;
        stranger.send(&request("alice", "1", "7")).await;
        refused(&mut stranger, "7", "not_logged_in").await;
        assert!(asked.try_recv().is_err());
        // Carol may ask, and is answered though nobody may ask her.
        carol.send(&request("alice", "1", "7")).await;
        reads(&mut alice, &by("carol", &request("alice", "1", "7"))).await;
        carol.send(&confirm("alice", "1", "8")).await;
        reads(&mut alice, &by("carol", &confirm("alice", "1", "8"))).await;
        assert_eq!(asked.recv().await.as_deref(), Some("carol to alice: ask"));
        assert_eq!(asked.recv().await.as_deref(), Some("carol to alice: wave"));
        for answer in [response("carol", "2", "7"), acknowledgement("carol", "8")] {
            alice.send(&answer).await;
            reads(&mut carol, &by("alice", &answer)).await;
        }
        assert!(asked.try_recv().is_err());
        assert_eq!(hall.notices.try_next(), None);
        // The server's own word needs no leave.
        let news = News("all".to_owned());
        assert_eq!(hall.server.to(peer("carol")).send(news).await, Ok(()));
        reads(&mut carol, r#"{"type":"pass","name":"news","data":"all"}"#).await;
    });
}

/// Counts how often it is asked.
struct Counting(Arc<AtomicUsize>);

impl Relay<Meet> for Counting {
    fn to_peer(&self, _cx: &Context<Meet>, _peer: &str, _name: &str) -> Result<(), WireError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

#[test]
fn of_several_relays_each_must_allow_it() {
    run(|| async {
        let (tell, _asked) = unbounded_channel();
        let count = Arc::new(AtomicUsize::new(0));
        let bind = Server::bind("127.0.0.1:0")
            .plain_or_encrypted()
            .relay(OpenRelay);
        let bind = bind.relay(Strict(tell)).relay(Counting(Arc::clone(&count)));
        let hall = serve(bind, |_| {}).await;
        let (mut alice, mut bob) = (hall.enter("alice").await, hall.enter("bob").await);
        let mut carol = hall.enter("carol").await;
        alice.send(&request("bob", "1", "7")).await;
        reads(&mut bob, &by("alice", &request("bob", "1", "7"))).await;
        alice.send(&request("carol", "1", "8")).await;
        refused(&mut alice, "8", "not_allowed").await;
        is_served_next(&mut carol).await;
        assert_eq!(count.load(Ordering::SeqCst), 1);
    });
}
