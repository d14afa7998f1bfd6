//! Inboxes: events for a loop that looks for them when it has time.

use std::sync::Arc;
use std::time::Duration;

use protocol_core::wire::{ErrorCode, WireError};
use protocol_core::{
    AtClient, Client, ConnectionId, Context, Event, EventSet, Gate, Inbox, PeerId, Protocol,
    Received, RequestError, Server, inbox,
};
use protocol_tests::{PlainOrEncrypted, RawServer, Seen, both::run, notices, still_waits};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

#[derive(Debug, Event)]
#[event(pass)]
struct Tick {
    n: u32,
}

#[derive(Debug, EventSet)]
enum Ticks {
    Tick(Tick),
}

#[derive(Debug, Event)]
#[event(request, response = Pong)]
struct Ping;

#[derive(Debug, PartialEq, Event)]
#[event(response)]
struct Pong;

#[derive(Debug, EventSet)]
enum Pings {
    Ping(Ping),
}

#[derive(Debug, Event)]
#[event(pass)]
struct Wave {
    n: u32,
}

#[derive(Debug, EventSet)]
enum Waves {
    Wave(Wave),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = (Pings, Ticks), to_client = (Pings, Ticks), to_peer = Waves)]
struct Clock;

/// Answers pings on either side and says which connection they came by.
struct Ponger(UnboundedSender<ConnectionId>);

impl PingsHandler<Clock> for Ponger {
    async fn on_ping(&self, cx: &Context<Clock>, _event: Ping) -> Pong {
        self.0.send(cx.connection()).unwrap();
        Pong
    }
}

struct ClientPonger;

impl PingsHandler<Clock, AtClient> for ClientPonger {
    async fn on_ping(&self, _cx: &Context<Clock, AtClient>, _event: Ping) -> Pong {
        Pong
    }
}

/// Lets everything through and says what.
struct Watch(UnboundedSender<(ConnectionId, String)>);

impl Gate<Clock> for Watch {
    fn admit(&self, cx: &Context<Clock>, name: &str) -> Result<(), WireError> {
        self.0.send((cx.connection(), name.into())).unwrap();
        Ok(())
    }
}

struct Opened {
    server: Server<Clock>,
    inbox: Inbox<Ticks>,
    connections: UnboundedReceiver<ConnectionId>,
    admitted: UnboundedReceiver<(ConnectionId, String)>,
}

/// A server with an inbox of `capacity` for ticks.
async fn server(capacity: usize) -> Opened {
    let (tell, connections) = unbounded_channel();
    let (watch, admitted) = unbounded_channel();
    let (ticks, inbox) = inbox::<Ticks>(capacity);
    let server = Server::<Clock>::bind("127.0.0.1:0")
        .plain_or_encrypted()
        .gate(Watch(watch))
        .handle((ticks, Ponger(tell)))
        .await
        .unwrap();
    Opened {
        server,
        inbox,
        connections,
        admitted,
    }
}

impl Opened {
    /// A client whose connection is known.
    async fn client(&mut self) -> (Client<Clock>, ConnectionId) {
        let (ticks, _) = inbox::<Ticks>(1);
        let (waves, _) = inbox::<Waves>(1);
        let client = Client::<Clock>::connect(self.server.address())
            .plain_or_encrypted()
            .handle((ClientPonger, ticks, waves))
            .await
            .unwrap();
        assert_eq!(client.request(Ping).await, Ok(Pong));
        assert_eq!(self.admitted.recv().await.unwrap().1, "ping");
        (client, self.connections.recv().await.unwrap())
    }

    async fn next(&mut self) -> u32 {
        tick(self.inbox.next().await.expect("the server is up"))
    }

    /// Waits until a tick of `connection` is with its handler, which waits for room.
    async fn waits_for_room(&mut self, connection: ConnectionId) {
        // Each answer comes after the connection's task looked at its waiting handler again.
        for _ in 0..3 {
            let pong = self.server.to(connection).request(Ping).await;
            assert_eq!(pong, Ok(Pong));
        }
    }
}

fn tick(received: Received<Ticks>) -> u32 {
    assert_eq!(received.from, None);
    let Ticks::Tick(tick) = received.event;
    tick.n
}

#[test]
fn an_inbox_gives_events_in_their_order() {
    run(|| async {
        let mut opened = server(256).await;
        let (client, _) = opened.client().await;
        assert!(opened.inbox.try_next().is_none());
        for n in 0..200 {
            client.send(Tick { n }).await.unwrap();
        }
        for n in 0..100 {
            assert_eq!(opened.next().await, n);
        }
        client.request(Ping).await.unwrap();
        for n in 100..200 {
            assert_eq!(tick(opened.inbox.try_next().unwrap()), n);
        }
        assert!(opened.inbox.try_next().is_none());
    });
}

#[test]
fn an_inbox_wakes_who_waits_for_it() {
    run(|| async {
        let mut opened = server(1).await;
        let (client, _) = opened.client().await;
        let reader = tokio::spawn(async move {
            let mut seen = Vec::new();
            while seen.len() < 1_000 {
                seen.push(opened.next().await);
            }
            (seen, opened)
        });
        for n in 0..1_000 {
            client.send(Tick { n }).await.unwrap();
        }
        let (seen, _opened) = reader.await.unwrap();
        assert_eq!(seen, (0..1_000).collect::<Vec<_>>());
    });
}

#[test]
fn confirmed_means_that_the_event_is_in_the_inbox() {
    run(|| async {
        let mut opened = server(2).await;
        let (client, connection) = opened.client().await;
        client.confirm(Tick { n: 1 }).await.unwrap();
        client.confirm(Tick { n: 2 }).await.unwrap();
        let mut third = client.confirm(Tick { n: 3 });
        assert!(still_waits(&mut third).await);
        for _ in 0..3 {
            assert_eq!(opened.admitted.recv().await.unwrap().1, "tick");
        }
        opened.waits_for_room(connection).await;
        assert!(still_waits(&mut third).await, "a full inbox holds back");
        assert_eq!(tick(opened.inbox.try_next().unwrap()), 1);
        third.await.unwrap();
        assert_eq!(tick(opened.inbox.try_next().unwrap()), 2);
        assert_eq!(tick(opened.inbox.try_next().unwrap()), 3);
        assert!(opened.inbox.try_next().is_none());
    });
}

#[test]
fn a_full_inbox_holds_back_what_comes_behind() {
    run(|| async {
        let mut opened = server(1).await;
        let (client, connection) = opened.client().await;
        for n in 1..=3 {
            client.send(Tick { n }).await.unwrap();
        }
        let mut ping = client.request(Ping);
        assert!(still_waits(&mut ping).await);
        for _ in 0..2 {
            assert_eq!(opened.admitted.recv().await.unwrap().1, "tick");
        }
        opened.waits_for_room(connection).await;
        assert!(opened.admitted.try_recv().is_err());
        assert!(still_waits(&mut ping).await);
        for n in 1..=3 {
            assert_eq!(opened.next().await, n);
        }
        assert_eq!(ping.await, Ok(Pong));
    });
}

#[test]
fn an_inbox_of_no_capacity_holds_one() {
    run(|| async {
        let mut opened = server(0).await;
        let (client, _) = opened.client().await;
        client.confirm(Tick { n: 1 }).await.unwrap();
        let mut second = client.confirm(Tick { n: 2 });
        assert!(still_waits(&mut second).await);
        assert_eq!(opened.next().await, 1);
        second.await.unwrap();
    });
}

#[test]
fn a_place_in_the_inbox_goes_to_each_connection_that_waits_for_it() {
    run(|| async {
        let mut opened = server(1).await;
        let (ann, of_ann) = opened.client().await;
        let (bob, of_bob) = opened.client().await;
        let (carol, _) = opened.client().await;
        ann.confirm(Tick { n: 1 }).await.unwrap();
        opened.admitted.recv().await.unwrap();
        // Both wait, and look again several times while they do.
        for (client, connection, n) in [(&ann, of_ann, 2), (&bob, of_bob, 3)] {
            client.send(Tick { n }).await.unwrap();
            let admitted = opened.admitted.recv().await.unwrap();
            assert_eq!(admitted, (connection, "tick".into()));
            opened.waits_for_room(connection).await;
        }
        // Both have come to rest once a third has gone back and forth.
        for _ in 0..10 {
            assert_eq!(carol.request(Ping).await, Ok(Pong));
        }
        for n in 1..=3 {
            // Well before any deadline of the connections wakes them by chance.
            let next = timeout(Duration::from_secs(4), opened.next());
            assert_eq!(next.await, Ok(n));
        }
    });
}

#[test]
fn many_connections_share_one_small_inbox() {
    run(|| async {
        let mut opened = server(2).await;
        let mut clients = Vec::new();
        for _ in 0..8 {
            clients.push(opened.client().await.0);
        }
        let senders = tokio::spawn(async move {
            for n in 0..100 {
                for client in &clients {
                    client.send(Tick { n }).await.unwrap();
                }
            }
            clients
        });
        let mut seen = vec![0; 100];
        for _ in 0..800 {
            let n = opened.next().await;
            seen[usize::try_from(n).unwrap()] += 1;
        }
        assert!(seen.iter().all(|times| *times == 8), "{seen:?}");
        drop(senders.await.unwrap());
    });
}

#[test]
fn a_dropped_inbox_makes_its_events_unavailable() {
    run(|| async {
        let (tell, _connections) = unbounded_channel();
        let (ticks, inbox) = inbox::<Ticks>(1);
        let (observer, mut notices) = notices();
        let server = Server::<Clock>::bind("127.0.0.1:0")
            .plain_or_encrypted()
            .observe(observer)
            .handle((Ponger(tell), Arc::new(ticks)))
            .await
            .unwrap();
        let waves = protocol_core::inbox::<Waves>(1).0;
        let ticks = protocol_core::inbox::<Ticks>(1).0;
        let client = Client::<Clock>::connect(server.address())
            .plain_or_encrypted()
            .handle((waves, ClientPonger, ticks))
            .await
            .unwrap();
        client.confirm(Tick { n: 1 }).await.unwrap();
        // One that waits for room is refused just so.
        let mut waits = client.confirm(Tick { n: 2 });
        assert!(still_waits(&mut waits).await);
        drop(inbox);
        for result in [waits.await, client.confirm(Tick { n: 3 }).await] {
            let error = result.unwrap_err();
            assert!(error.is_retryable());
            let RequestError::Rejected(error) = error else {
                panic!("{error:?}");
            };
            assert_eq!(error.standard(), Some(ErrorCode::Unavailable));
        }
        client.send(Tick { n: 4 }).await.unwrap();
        assert_eq!(notices.next().await, Seen::refused("tick", "unavailable"));
        assert_eq!(client.request(Ping).await, Ok(Pong));
    });
}

#[test]
fn a_clients_inbox_ends_with_its_link_once_all_is_read() {
    run(|| async {
        let mut opened = server(1).await;
        let (ticks, mut inbox) = inbox::<Ticks>(8);
        let (waves, mut at_waves) = protocol_core::inbox::<Waves>(8);
        let client = Client::<Clock>::connect(opened.server.address())
            .plain_or_encrypted()
            .handle((waves, ticks, ClientPonger))
            .await
            .unwrap();
        client.request(Ping).await.unwrap();
        let connection = opened.connections.recv().await.unwrap();
        for n in 1..=3 {
            let to = opened.server.to(connection);
            to.confirm(Tick { n }).await.unwrap();
        }
        let waiting = tokio::spawn(async move { at_waves.next().await.is_none() });
        client.close().await;
        for n in 1..=3 {
            assert_eq!(inbox.next().await.map(tick), Some(n));
        }
        assert!(inbox.next().await.is_none());
        assert!(inbox.next().await.is_none(), "and stays so");
        assert!(inbox.try_next().is_none());
        assert!(waiting.await.unwrap(), "one that waits is woken");
    });
}

#[test]
fn a_wave_of_a_peer_says_who_sent_it() {
    run(|| async {
        let listener = RawServer::bind().await;
        let (waves, mut inbox) = inbox::<Waves>(8);
        let (ticks, mut at_ticks) = protocol_core::inbox::<Ticks>(8);
        let client = Client::<Clock>::connect(listener.address()).plain_or_encrypted();
        let client = client.handle((waves, ticks, ClientPonger));
        let (client, mut raw) = tokio::join!(client, listener.accept());
        let _client = client.unwrap();
        raw.send(r#"{"type":"pass","from":"bob","name":"wave","data":{"n":7}}"#)
            .await;
        let received = inbox.next().await.unwrap();
        assert_eq!(received.from, Some(PeerId::new("bob").unwrap()));
        let Waves::Wave(wave) = received.event;
        assert_eq!(wave.n, 7);
        // The same set in another direction: a peer cannot speak for the server.
        raw.send(
            r#"{"type":"confirm_pass","from":"bob","name":"tick","data":{"n":7},"pass_id":"1"}"#,
        )
        .await;
        let refused = raw.json().await;
        assert_eq!(refused["error"]["code"], "unknown_event");
        assert_eq!(refused["dest"], "bob");
        assert!(at_ticks.try_next().is_none());
    });
}
