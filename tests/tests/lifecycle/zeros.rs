//! Limits of zero: nothing may hang for ever, and those without which nothing could ever happen
//! count as one.

use std::time::Duration;

use protocol_core::{AtClient, Client, Context, Event, EventSet, Limits, Protocol, RequestError};
use protocol_core::{Server, ServerLimits};
use protocol_tests::{
    Links, PlainOrEncrypted,
    both::{run, run_paused},
};
use tokio::time::timeout;

#[derive(Debug, Event)]
#[event(pass)]
struct Drip {
    n: u32,
}

#[derive(Debug, Event)]
#[event(request, response = Filled)]
struct Fill;

#[derive(Debug, Event)]
#[event(request, response = Filled, concurrent)]
struct FillBeside;

#[derive(Debug, PartialEq, Event)]
#[event(response)]
struct Filled;

#[derive(Debug, EventSet)]
enum Drips {
    Drip(Drip),
    Fill(Fill),
    FillBeside(FillBeside),
}

#[derive(Debug, Event)]
#[event(request, response = Filled)]
struct Ask;

#[derive(Debug, EventSet)]
enum Asks {
    Ask(Ask),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = Drips, to_client = Asks)]
struct Well;

struct Bucket;

impl DripsHandler<Well> for Bucket {
    async fn on_drip(&self, cx: &Context<Well>, _event: Drip) {
        let _ = cx.request(Ask).await;
    }

    async fn on_fill(&self, cx: &Context<Well>, _event: Fill) -> Filled {
        let _ = cx.request(Ask).await;
        Filled
    }

    async fn on_fill_beside(&self, _cx: &Context<Well>, _event: FillBeside) -> Filled {
        tokio::task::yield_now().await;
        Filled
    }
}

impl AsksHandler<Well, AtClient> for Bucket {
    async fn on_ask(&self, _cx: &Context<Well, AtClient>, _event: Ask) -> Filled {
        tokio::task::yield_now().await;
        Filled
    }
}

type Change<L> = (&'static str, fn(&mut L));

const ZEROS: [Change<Limits>; 15] = [
    ("frame_in", |limits| limits.frame_in = 0),
    ("frame_out", |limits| limits.frame_out = 0),
    ("frame_timeout", |limits| limits.frame_timeout = NONE),
    ("write_stall", |limits| limits.write_stall = NONE),
    ("outbound_events", |limits| limits.outbound_events = 0),
    ("outbound_bytes", |limits| limits.outbound_bytes = 0),
    ("open_calls", |limits| limits.open_calls = 0),
    ("queued_events", |limits| limits.queued_events = 0),
    ("queued_bytes", |limits| limits.queued_bytes = 0),
    ("concurrent_handlers", |limits| {
        limits.concurrent_handlers = 0;
    }),
    ("handler_timeout", |limits| limits.handler_timeout = NONE),
    ("request_timeout", |limits| limits.request_timeout = NONE),
    ("confirm_timeout", |limits| limits.confirm_timeout = NONE),
    ("send_timeout", |limits| limits.send_timeout = NONE),
    ("linger", |limits| limits.linger = NONE),
];

const ZEROS_OF_A_SERVER: [Change<ServerLimits>; 5] = [
    ("connections", |limits| limits.connections = 0),
    ("handshake_timeout", |limits| {
        limits.connection.handshake_timeout = NONE;
    }),
    ("handshakes", |limits| limits.handshakes = 0),
    ("handshakes_an_address", |limits| {
        limits.handshakes_an_address = 0;
    }),
    ("connections_an_address", |limits| {
        limits.connections_an_address = Some(0);
    }),
];

const NONE: Duration = Duration::ZERO;

/// Far above every limit that is not zero. Where time jumps, it is no time at all.
const FAR: Duration = Duration::from_hours(1);

/// Every kind of call, then the end of both ends, each of which comes by itself.
async fn lives_and_ends(what: &str, server: ServerLimits, client: Limits) {
    let server = Server::<Well>::in_memory()
        .plain_or_encrypted()
        .limits(server);
    let server = server.handle(Bucket).await.unwrap();
    let connect = Client::connect_in_memory(&server)
        .plain_or_encrypted()
        .limits(client);
    let connecting = timeout(FAR, connect.handle(Bucket)).await;
    let connected = connecting.expect("connecting has a deadline of its own");
    // A plain link stands before a server without a place can close it; a handshake needs the place.
    // To a client it has ended with its own last message, whether or not that came in time.
    let has_place = Links::of_this_test().choose(true, what != "connections");
    assert_eq!(connected.is_ok(), has_place, "{what}: {connected:?}");
    if let Ok(client) = connected {
        calls_and_client_end(what, client).await;
    }
    let ended = timeout(FAR * 3, server.shutdown(FAR)).await;
    assert_eq!(ended, Ok(true), "{what}: the shutdown does not end");
    assert_eq!(server.connections(), 0, "{what}: a place is lost");
}

async fn calls_and_client_end(what: &str, client: Client<Well>) {
    let calls = async {
        let _ = client.send(Drip { n: 1 }).await;
        let _ = client.confirm(Drip { n: 2 }).await;
        let _ = client.request(Fill).await;
        let (first, second) = (client.request(FillBeside), client.request(FillBeside));
        let _ = tokio::join!(first, second);
    };
    let ended = timeout(FAR, calls).await;
    assert!(ended.is_ok(), "{what}: a call does not end");
    let ended = timeout(FAR, client.clone().close()).await;
    assert!(ended.is_ok(), "{what}: close does not end");
    let closed = client.request(Fill).await;
    assert!(
        matches!(closed, Err(RequestError::NotSent(_))),
        "{what}: {closed:?}"
    );
}

#[test]
fn with_any_limit_at_zero_calls_and_links_end() {
    run_paused(|| async {
        for (name, zero) in ZEROS {
            let (mut server, mut client) = (ServerLimits::default(), Limits::client());
            zero(&mut server.connection);
            let what = format!("{name} of the server");
            lives_and_ends(&what, server.clone(), client.clone()).await;
            zero(&mut client);
            let what = format!("{name} of both");
            lives_and_ends(&what, server, client.clone()).await;
            let what = format!("{name} of the client");
            lives_and_ends(&what, ServerLimits::default(), client).await;
        }
        for (name, zero) in ZEROS_OF_A_SERVER {
            let mut server = ServerLimits::default();
            zero(&mut server);
            lives_and_ends(name, server, Limits::client()).await;
        }
    });
}

/// Every kind of call is answered, in each direction, over a socket.
async fn is_as_good_as_one(zero: fn(&mut Limits)) {
    let (mut of_server, mut of_client) = (ServerLimits::default(), Limits::client());
    zero(&mut of_server.connection);
    zero(&mut of_client);
    let server = Server::<Well>::bind("127.0.0.1:0")
        .plain_or_encrypted()
        .limits(of_server);
    let server = server.handle(Bucket).await.unwrap();
    let connect = Client::<Well>::connect(server.address())
        .plain_or_encrypted()
        .limits(of_client);
    let client = connect.handle(Bucket).await.unwrap();
    client.send(Drip { n: 1 }).await.unwrap();
    client.confirm(Drip { n: 2 }).await.unwrap();
    assert_eq!(client.request(Fill).await, Ok(Filled));
    for _ in 0..4 {
        assert_eq!(client.request(FillBeside).await, Ok(Filled));
    }
    let (first, second) = (client.request(FillBeside), client.request(FillBeside));
    assert_eq!(tokio::join!(first, second), (Ok(Filled), Ok(Filled)));
    client.close().await;
    assert!(server.shutdown(FAR).await);
}

#[test]
fn no_concurrent_handlers_count_as_one() {
    run(|| is_as_good_as_one(|limits| limits.concurrent_handlers = 0));
}

#[test]
fn no_outbound_bytes_count_as_one() {
    run(|| is_as_good_as_one(|limits| limits.outbound_bytes = 0));
}

#[test]
fn no_open_calls_count_as_one() {
    run(|| is_as_good_as_one(|limits| limits.open_calls = 0));
}

#[test]
fn a_peer_that_leaves_a_server_with_limits_of_zero_frees_its_place() {
    run(|| async {
        for (_, zero) in ZEROS {
            let mut limits = ServerLimits::default();
            limits.connection.linger = Duration::from_millis(50);
            zero(&mut limits.connection);
            let server = Server::<Well>::bind("127.0.0.1:0")
                .plain_or_encrypted()
                .limits(limits);
            let server = server.handle(Bucket).await.unwrap();
            let mut raw = protocol_tests::Raw::connect(server.address()).await;
            raw.send(r#"{"type":"request","name":"fill_beside","request_id":"1"}"#)
                .await;
            while server.connections() == 0 {
                tokio::task::yield_now().await;
            }
            drop(raw);
            while server.connections() > 0 {
                tokio::task::yield_now().await;
            }
        }
    });
}
