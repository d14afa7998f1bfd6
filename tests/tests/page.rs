//! The example of the documentation, as literally as it compiles, and running.

use std::convert::Infallible;
use std::time::Duration;

use poker_fixture::{
    BetweenPlayers, Dealt, FromTable, Moved, Poker, SeatError, Seated, Shown, Tables, TakeSeat, Ui,
    Wave,
};
use protocol_core::wire::ErrorCode;
use protocol_core::{Client, PeerId, Received, RequestError, RoomId, Server, ServerLimits, inbox};
use protocol_tests::{RawServer, Seen, notices, run, still_waits};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn ui() -> (Ui, UnboundedReceiver<Shown>) {
    let (screen, shown) = unbounded_channel();
    (Ui { screen }, shown)
}

/// How a caller of the page tells the outcomes of a request apart.
fn told(result: Result<Seated, RequestError<SeatError>>) -> String {
    match result {
        Ok(seated) => format!("seat {}", seated.seat),
        Err(RequestError::Refused(SeatError::Full { max })) => format!("full: {max}"),
        Err(error) if error.is_retryable() => "later".to_owned(),
        Err(error) if error.is_closed() => "connect again".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_example_of_the_page_runs() {
    run(async {
        let addr = "127.0.0.1:0";
        let server = Server::<Poker>::bind(addr)
            .handle(Tables::new())
            .await
            .unwrap();
        let addr = server.address();
        let (ui, mut shown) = ui();
        let client = Client::<Poker>::connect(addr).handle(ui).await.unwrap();

        let (x, y) = (1.5, -0.25);
        client
            .send(Moved {
                x,
                y,
                sprint: false,
            })
            .await
            .unwrap(); // pass
        assert_eq!(shown.recv().await, Some(Shown::Card(0)));
        let moved = Moved { x, y, sprint: true };
        client.confirm(moved).timeout(secs(2)).await.unwrap(); // confirmed pass
        assert_eq!(shown.recv().await, Some(Shown::Card(51)));

        let take = |table: &str| {
            let table = table.into();
            client.request(TakeSeat { table })
        };
        assert_eq!(told(take("main").await), "seat 1");
        assert_eq!(told(take("main").await), "seat 2");
        assert_eq!(told(take("main").await), "full: 2");
        let banned = "refused: you are banned from this table";
        assert_eq!(told(take("high rollers").await), banned);

        let peer = PeerId::new("seat-1").unwrap();
        server.to(&peer).send(Dealt { card: 7 }).await.unwrap();
        assert_eq!(shown.recv().await, Some(Shown::Card(7)));
        let peers = [peer];
        let sent = server.to_many(&peers).send(Dealt { card: 8 }).await; // encoded once
        assert_eq!(sent, Ok(1));
        assert_eq!(shown.recv().await, Some(Shown::Card(8)));

        assert!(server.shutdown(secs(20)).await);
        assert_eq!(told(take("main").await), "connect again");
    });
}

#[test]
fn the_example_of_the_page_runs_with_a_tick_loop() {
    run(async {
        // One value or a tuple, any order.
        let server = Server::<Poker>::bind("127.0.0.1:0").handle((Tables::new(),));
        let server = server.await.unwrap();
        let (ui, mut inbox) = inbox::<FromTable>(256);
        let (between, mut waves) = protocol_core::inbox::<BetweenPlayers>(256);
        let client = Client::<Poker>::connect(server.address())
            .handle((between, ui))
            .await
            .unwrap();
        for sprint in [true, false, true] {
            let moved = Moved {
                x: 0.0,
                y: 0.0,
                sprint,
            };
            client.confirm(moved).await.unwrap();
        }
        // The last card may still be on its way.
        let mut cards = Vec::new();
        while cards.len() < 3 {
            while let Some(Received { from, event, .. }) = inbox.try_next() {
                assert_eq!(from, None);
                match event {
                    FromTable::Dealt(dealt) => cards.push(dealt.card),
                }
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(cards, [51, 0, 51]);
        assert!(waves.try_next().is_none());
    });
}

#[test]
fn players_wave_through_a_server_that_relays() {
    run(async {
        // A relay in its barest form: between two links, it swaps `dest` for `from`.
        let listener = RawServer::bind().await;
        let (ann_ui, mut at_ann) = ui();
        let (bob_ui, mut at_bob) = ui();
        let ann = Client::<Poker>::connect(listener.address()).handle(ann_ui);
        let (ann, mut of_ann) = tokio::join!(ann, listener.accept());
        let bob = Client::<Poker>::connect(listener.address()).handle(bob_ui);
        let (bob, mut of_bob) = tokio::join!(bob, listener.accept());
        let (ann, bob) = (ann.unwrap(), bob.unwrap());
        let (peer, room) = (PeerId::new("bob").unwrap(), RoomId::new("lobby").unwrap());

        ann.to(&peer).send(Wave).await.unwrap();
        let wave = r#"{"type":"pass","dest":"bob","name":"wave","data":null}"#;
        assert_eq!(of_ann.line().await.unwrap(), wave);
        of_bob
            .send(&wave.replace(r#""dest":"bob""#, r#""from":"ann""#))
            .await;
        let greeting = Shown::Greeting(PeerId::new("ann").unwrap());
        assert_eq!(at_bob.recv().await, Some(greeting));

        let mut confirmed = ann.to(&peer).confirm(Wave);
        assert!(still_waits(&mut confirmed).await);
        let wave = of_ann.line().await.unwrap();
        of_bob
            .send(&wave.replace(r#""dest":"bob""#, r#""from":"ann""#))
            .await;
        let answer = of_bob.line().await.unwrap();
        of_ann
            .send(&answer.replace(r#""dest":"ann""#, r#""from":"bob""#))
            .await;
        confirmed.await.unwrap();
        let greeting = Shown::Greeting(PeerId::new("ann").unwrap());
        assert_eq!(at_bob.recv().await, Some(greeting));

        bob.to_room(&room).send(Wave).await.unwrap();
        let wave = of_bob.line().await.unwrap();
        assert_eq!(
            wave,
            r##"{"type":"pass","dest":"#lobby","name":"wave","data":null}"##
        );
        of_ann
            .send(&wave.replace(r##""dest":"#lobby""##, r#""from":"bob""#))
            .await;
        let greeting = Shown::Greeting(PeerId::new("bob").unwrap());
        assert_eq!(at_ann.recv().await, Some(greeting));
    });
}

#[test]
fn a_server_that_does_not_relay_says_so() {
    run(async {
        let (observer, mut notices) = notices();
        let server = Server::<Poker>::bind("127.0.0.1:0")
            .limits(ServerLimits::default())
            .observe(observer)
            .handle(Tables::new())
            .await
            .unwrap();
        let client = Client::<Poker>::connect(server.address()).handle(ui().0);
        let client = client.await.unwrap();
        let bob = PeerId::new("bob").unwrap();
        let error = client.to(&bob).confirm(Wave).await.unwrap_err();
        assert!(!error.is_unknown());
        let error: RequestError<Infallible> = error;
        let RequestError::Rejected(error) = error else {
            panic!("{error:?}");
        };
        assert_eq!(error.standard(), Some(ErrorCode::PeerNotFound));
        client.to(&bob).send(Wave).await.unwrap();
        let refused = Seen::refused("wave", "peer_not_found");
        assert_eq!(notices.next().await, refused);
    });
}
