//! `concurrent` requests run beside each other and beside later events.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use protocol_core::{Client, Context, Event, EventSet, Limits, Protocol, Server, ServerLimits};
use protocol_tests::{PlainOrEncrypted, Raw, both::run, still_waits};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Barrier, Semaphore};

/// Answered once three of them are there.
#[derive(Debug, Event)]
#[event(request, response = Done, concurrent)]
struct Meet;

/// Answered once a later event lets it go.
#[derive(Debug, Event)]
#[event(request, response = Done, concurrent)]
struct Linger {
    n: u32,
}

/// Answered at once, though its handler could have waited.
#[derive(Debug, Event)]
#[event(request, response = Done, concurrent)]
struct Glance;

#[derive(Debug, Event)]
#[event(pass)]
struct Leave {
    places: usize,
}

#[derive(Debug, PartialEq, Event)]
#[event(response)]
struct Done;

#[derive(Debug, EventSet)]
enum ToSquare {
    Meet(Meet),
    Linger(Linger),
    Glance(Glance),
    Leave(Leave),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToSquare)]
struct Town;

struct Square {
    meeting: Barrier,
    leave: Arc<Semaphore>,
    lingers: UnboundedSender<u32>,
    here: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl ToSquareHandler<Town> for Square {
    async fn on_meet(&self, _cx: &Context<Town>, _event: Meet) -> Done {
        self.meeting.wait().await;
        Done
    }

    async fn on_linger(&self, _cx: &Context<Town>, event: Linger) -> Done {
        let here = self.here.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(here, Ordering::SeqCst);
        self.lingers.send(event.n).unwrap();
        self.leave.acquire().await.unwrap().forget();
        self.here.fetch_sub(1, Ordering::SeqCst);
        Done
    }

    async fn on_glance(&self, _cx: &Context<Town>, _event: Glance) -> Done {
        Done
    }

    async fn on_leave(&self, _cx: &Context<Town>, event: Leave) {
        self.leave.add_permits(event.places);
    }
}

struct Open {
    server: Server<Town>,
    client: Client<Town>,
    leave: Arc<Semaphore>,
    lingers: UnboundedReceiver<u32>,
    most: Arc<AtomicUsize>,
}

async fn open(change: impl FnOnce(&mut Limits)) -> Open {
    let mut limits = ServerLimits::default();
    change(&mut limits.connection);
    let (tell, lingers) = unbounded_channel();
    let leave = Arc::new(Semaphore::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let square = Square {
        meeting: Barrier::new(3),
        leave: Arc::clone(&leave),
        lingers: tell,
        here: Arc::default(),
        most: Arc::clone(&most),
    };
    let server = Server::<Town>::bind("127.0.0.1:0")
        .plain_or_encrypted()
        .limits(limits);
    let server = server.handle(square).await.unwrap();
    let client = Client::<Town>::connect(server.address())
        .plain_or_encrypted()
        .await
        .unwrap();
    Open {
        server,
        client,
        leave,
        lingers,
        most,
    }
}

#[test]
fn concurrent_requests_run_beside_each_other() {
    run(|| async {
        let open = open(|_| {}).await;
        let met = tokio::join!(
            open.client.request(Meet),
            open.client.request(Meet),
            open.client.request(Meet),
        );
        assert_eq!(met, (Ok(Done), Ok(Done), Ok(Done)));
    });
}

#[test]
fn concurrent_requests_run_beside_later_events() {
    run(|| async {
        let open = open(|_| {}).await;
        let mut linger = open.client.request(Linger { n: 1 });
        assert!(still_waits(&mut linger).await);
        assert_eq!(open.client.request(Glance).await, Ok(Done));
        assert!(still_waits(&mut linger).await);
        open.client.confirm(Leave { places: 1 }).await.unwrap();
        assert_eq!(linger.await, Ok(Done));
    });
}

#[test]
fn above_the_limit_of_concurrent_handlers_the_reader_pauses_and_all_are_answered() {
    run(|| async {
        let mut open = open(|limits| limits.concurrent_handlers = 2).await;
        let client = open.client.clone();
        let mut calls: Vec<_> = (0..20).map(|n| client.request(Linger { n })).collect();
        for call in &mut calls {
            assert!(still_waits(call).await);
        }
        assert_eq!(open.lingers.recv().await, Some(0));
        assert_eq!(open.lingers.recv().await, Some(1));
        for n in 2..20 {
            assert!(open.lingers.try_recv().is_err(), "two are at work");
            open.leave.add_permits(1);
            assert_eq!(open.lingers.recv().await, Some(n));
        }
        open.leave.add_permits(2);
        for call in calls {
            assert_eq!(call.await, Ok(Done));
        }
        assert_eq!(open.most.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn at_the_limit_of_concurrent_handlers_the_peer_is_held_back() {
    run(|| async {
        let mut open = open(|limits| limits.concurrent_handlers = 1).await;
        let mut raw = Raw::connect(open.server.address()).await;
        let spaces = " ".repeat(60_000);
        let frame = |n| {
            let data = format!(r#"{{"n":{n}}}{spaces}"#);
            format!(r#"{{"type":"request","name":"linger","data":{data},"request_id":"{n}"}}"#)
        };
        // In all far more than the sockets' buffers hold.
        let sent = raw.send_until_stuck((0..1_024).map(frame)).await;
        assert!(sent < 1_024, "the reader pauses");
        assert_eq!(open.lingers.recv().await, Some(0));
        assert!(open.lingers.try_recv().is_err());

        open.leave.add_permits(sent as usize);
        for n in 0..sent {
            assert_eq!(raw.json().await["request_id"], n.to_string());
        }
        assert_eq!(open.most.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_thousand_concurrent_requests_are_answered_in_any_order() {
    run(|| async {
        let open = open(|_| {}).await;
        let client = open.client.clone();
        let mut calls: Vec<_> = (0..1_000).map(|n| client.request(Linger { n })).collect();
        for call in &mut calls {
            assert!(still_waits(call).await);
        }
        open.leave.add_permits(1_000);
        // The last is awaited first.
        while let Some(call) = calls.pop() {
            assert_eq!(call.await, Ok(Done));
        }
    });
}
