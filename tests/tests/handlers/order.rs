//! One connection's events are handled one at a time, and a slow handler holds its sender back.

use std::sync::Arc;

use protocol_core::{Client, Context, Event, EventSet, Protocol, Server};
use protocol_tests::{PlainOrEncrypted, Raw, both::run, still_waits};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

#[derive(Debug, Event)]
#[event(pass)]
struct Work {
    n: u32,
    pauses: u32,
}

/// Takes until the test lets it go.
#[derive(Debug, Event)]
#[event(request, response = Finished)]
struct Rest;

#[derive(Debug, PartialEq, Event)]
#[event(response)]
struct Finished;

#[derive(Debug, EventSet)]
enum ToShop {
    Work(Work),
    Rest(Rest),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToShop)]
struct Shop;

/// With 60 kB each far more than the sockets' buffers hold.
const FRAMES: u32 = 1_024;

#[derive(Debug, PartialEq)]
enum Step {
    Began(u32),
    Ended(u32),
    Rests,
}

struct Worker {
    steps: UnboundedSender<Step>,
    wake: Arc<Semaphore>,
}

impl ToShopHandler<Shop> for Worker {
    async fn on_work(&self, _cx: &Context<Shop>, event: Work) {
        self.steps.send(Step::Began(event.n)).unwrap();
        for _ in 0..event.pauses {
            tokio::task::yield_now().await;
        }
        self.steps.send(Step::Ended(event.n)).unwrap();
    }

    async fn on_rest(&self, _cx: &Context<Shop>, _event: Rest) -> Finished {
        self.steps.send(Step::Rests).unwrap();
        self.wake.acquire().await.unwrap().forget();
        Finished
    }
}

struct Open {
    server: Server<Shop>,
    steps: UnboundedReceiver<Step>,
    wake: Arc<Semaphore>,
}

async fn open() -> Open {
    let (tell, steps) = unbounded_channel();
    let wake = Arc::new(Semaphore::new(0));
    let worker = Worker {
        steps: tell,
        wake: Arc::clone(&wake),
    };
    let server = Server::<Shop>::bind("127.0.0.1:0")
        .plain_or_encrypted()
        .handle(worker);
    Open {
        server: server.await.unwrap(),
        steps,
        wake,
    }
}

#[test]
fn events_of_one_connection_are_handled_one_at_a_time_even_if_handlers_wait() {
    run(|| async {
        let mut open = open().await;
        let client = Client::<Shop>::connect(open.server.address())
            .plain_or_encrypted()
            .await
            .unwrap();
        for n in 0..300 {
            let pauses = (n * 7) % 5;
            client.send(Work { n, pauses }).await.unwrap();
        }
        for n in 0..300 {
            assert_eq!(open.steps.recv().await, Some(Step::Began(n)));
            assert_eq!(open.steps.recv().await, Some(Step::Ended(n)));
        }
    });
}

#[test]
fn a_handler_that_waits_does_not_hold_other_connections() {
    run(|| async {
        let mut open = open().await;
        let slow = Client::<Shop>::connect(open.server.address()).plain_or_encrypted();
        let slow = slow.await.unwrap();
        let quick = Client::<Shop>::connect(open.server.address()).plain_or_encrypted();
        let quick = quick.await.unwrap();
        let mut rest = slow.request(Rest);
        assert!(still_waits(&mut rest).await);
        assert_eq!(open.steps.recv().await, Some(Step::Rests));
        quick.confirm(Work { n: 1, pauses: 3 }).await.unwrap();
        assert!(still_waits(&mut rest).await);
        open.wake.add_permits(1);
        assert_eq!(rest.await, Ok(Finished));
    });
}

#[test]
fn with_no_waiter_open_a_busy_handler_stops_the_reader_and_nothing_is_lost() {
    run(|| async {
        let mut open = open().await;
        let mut raw = Raw::connect(open.server.address()).await;
        raw.send(r#"{"type":"request","name":"rest","request_id":"1"}"#)
            .await;
        assert_eq!(open.steps.recv().await, Some(Step::Rests));

        let spaces = " ".repeat(60_000);
        let frame =
            |n| format!(r#"{{"type":"pass","name":"work","data":{{"n":{n},"pauses":0}}{spaces}}}"#);
        let sent = raw.send_until_stuck((0..FRAMES).map(frame)).await;
        assert!(sent < FRAMES, "the peer is held back");
        assert!(open.steps.try_recv().is_err(), "nothing else was handled");

        open.wake.add_permits(1);
        let answer = raw.json().await;
        assert_eq!(answer["request_id"], "1");
        for n in 0..sent {
            assert_eq!(open.steps.recv().await, Some(Step::Began(n)));
            assert_eq!(open.steps.recv().await, Some(Step::Ended(n)));
        }
    });
}
