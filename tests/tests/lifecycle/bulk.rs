//! Large passes in both directions at once: neither end waits for the other for ever, at work or
//! on the way to the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol_core::{AtClient, Client, Context, Event, EventSet, Limits, Protocol, Server};
use protocol_tests::{PlainOrEncrypted, both::run, still_waits};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// With so many bytes a few dozen fill the queues and buffers of a link.
const LARGE: usize = 40_000;

#[derive(Debug, Event)]
#[event(pass)]
struct Bale {
    n: u32,
    straw: String,
}

#[derive(Debug, EventSet)]
enum Bales {
    Bale(Bale),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = Bales, to_client = Bales)]
struct Harvest;

fn bale(n: u32, size: usize) -> Bale {
    let straw = "x".repeat(size);
    Bale { n, straw }
}

/// Sends back what it gets.
struct Barn(UnboundedSender<u32>);

impl BalesHandler<Harvest> for Barn {
    async fn on_bale(&self, cx: &Context<Harvest>, event: Bale) {
        self.0.send(event.n).unwrap();
        // A client that has closed takes none back.
        let _ = cx.send(event).await;
    }
}

/// Holds the first that comes back until the test lets it go.
struct Field {
    back: UnboundedSender<u32>,
    go: Arc<Semaphore>,
}

impl BalesHandler<Harvest, AtClient> for Field {
    async fn on_bale(&self, _cx: &Context<Harvest, AtClient>, event: Bale) {
        // A test that has ended no longer looks.
        let _ = self.back.send(event.n);
        if event.n == 0 {
            self.go.acquire().await.unwrap().forget();
        }
    }
}

struct Farm {
    _server: Server<Harvest>,
    client: Client<Harvest>,
    /// What the server has handled.
    stored: UnboundedReceiver<u32>,
    /// What the client has begun to handle.
    back: UnboundedReceiver<u32>,
    go: Arc<Semaphore>,
}

async fn farm(in_memory: bool) -> Farm {
    let (barn, stored) = unbounded_channel();
    let bind = if in_memory {
        Server::in_memory().plain_or_encrypted()
    } else {
        Server::bind("127.0.0.1:0").plain_or_encrypted()
    };
    let server = bind.handle(Barn(barn)).await.unwrap();
    let (tell, back) = unbounded_channel();
    let go = Arc::new(Semaphore::new(0));
    let field = Field {
        back: tell,
        go: Arc::clone(&go),
    };
    let connect = if in_memory {
        Client::connect_in_memory(&server).plain_or_encrypted()
    } else {
        Client::connect(server.address()).plain_or_encrypted()
    };
    // A busy machine is no reason to end a link with a reset.
    let mut limits = Limits::client();
    limits.linger = Duration::from_secs(20);
    let client = connect.limits(limits).handle(field).await.unwrap();
    Farm {
        _server: server,
        client,
        stored,
        back,
        go,
    }
}

async fn all_come(numbers: &mut UnboundedReceiver<u32>, count: u32) {
    for n in 0..count {
        assert_eq!(numbers.recv().await, Some(n));
    }
}

async fn all_come_back(in_memory: bool, sends: u32) {
    let mut farm = farm(in_memory).await;
    farm.go.add_permits(1);
    for n in 0..sends {
        farm.client.send(bale(n, LARGE)).await.unwrap();
    }
    all_come(&mut farm.stored, sends).await;
    all_come(&mut farm.back, sends).await;
    assert_eq!(farm.client.close_reason(), None);
    farm.client.confirm(bale(sends, 1)).await.unwrap();
}

#[test]
fn two_ends_that_send_as_fast_as_they_can_do_not_block_each_other() {
    // In all far more than the sockets' buffers hold.
    run(|| all_come_back(false, 500));
}

#[test]
fn two_ends_in_memory_that_send_as_fast_as_they_can_do_not_block_each_other() {
    run(|| all_come_back(true, 200));
}

#[test]
fn what_was_sent_before_close_is_handled_though_answers_to_it_fill_the_link() {
    for in_memory in [false, true] {
        for (sends, size) in [(40, LARGE), (500, 100)] {
            run(move || async move {
                let mut farm = farm(in_memory).await;
                farm.go.add_permits(1);
                for n in 0..sends {
                    farm.client.send(bale(n, size)).await.unwrap();
                }
                let started = Instant::now();
                farm.client.close().await;
                assert!(started.elapsed() < Limits::client().write_stall / 2);
                all_come(&mut farm.stored, sends).await;
            });
        }
    }
}

#[test]
fn what_was_sent_before_close_is_handled_though_a_handler_was_at_work() {
    for in_memory in [false, true] {
        for sends in [40, 50, 56] {
            run(move || async move {
                let mut farm = farm(in_memory).await;
                for n in 0..sends {
                    farm.client.send(bale(n, LARGE)).await.unwrap();
                }
                assert_eq!(farm.back.recv().await, Some(0));
                let started = Instant::now();
                let mut close = Box::pin(farm.client.close());
                assert!(still_waits(&mut close).await);
                farm.go.add_permits(1);
                close.await;
                assert!(started.elapsed() < Limits::client().write_stall / 2);
                all_come(&mut farm.stored, sends).await;
            });
        }
    }
}
