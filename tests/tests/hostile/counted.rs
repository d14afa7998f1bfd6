//! Limits of a link, at the limit and one beyond it, and what is counted of them. In memory, where
//! all is on one thread and time is the test's.

use std::time::Duration;

use protocol_core::metrics::{
    ANSWERS_IGNORED, BUSY, CALLS_QUEUED, CALLS_TIMED_OUT, CONNECTIONS_OPEN, CONNECTIONS_REFUSED,
    FRAMES_TIMED_OUT, FRAMES_TOO_LARGE, HANDLERS_PANICKED, HANDLERS_TOO_SLOW, HANDSHAKES_REFUSED,
    HANDSHAKES_TIMED_OUT, LINKS_STALLED, PASSES_REFUSED, READERS_PAUSED, SENDERS_PARKED,
    SENDS_TIMED_OUT, UNKNOWN_TYPES, VIOLATIONS,
};
use protocol_core::{
    Client, Encryption, Limits, RequestError, SecretKey, SendError, Server, ServerLimits,
};
use protocol_tests::{Pipe, meter, run_paused, still_waits};
use serde_json::{Value, json};
use tokio::time::advance;

use crate::desk::{Answering, Attacked, Hold, Hostile, Note, serve};

/// What a pipe holds: any frame of these tests.
const WIDE: usize = 128 * 1_024;

async fn in_memory(change: impl FnOnce(&mut ServerLimits)) -> Attacked {
    let mut limits = ServerLimits::default();
    change(&mut limits);
    serve(Server::in_memory().limits(limits)).await
}

fn link(attacked: &Attacked) -> Pipe {
    Pipe::open(&attacked.server, WIDE)
}

async fn is_served(peer: &mut Pipe) {
    let answer = peer.ask("add", json!({"a": 20, "b": 22})).await;
    assert_eq!(answer["data"]["sum"], 42, "{answer}");
}

fn note_of(bytes: usize) -> String {
    let frame =
        |text: &str| format!(r#"{{"type":"pass","name":"note","data":{{"text":"{text}"}}}}"#);
    let rest = bytes - frame("").len();
    frame(&"x".repeat(rest))
}

#[test]
fn a_frame_of_65_536_bytes_is_none_too_many() {
    run_paused(async {
        let mut meter = meter();
        let attacked = in_memory(|_| {}).await;
        let mut peer = link(&attacked);
        peer.write(format!("{}\n", note_of(65_536)).as_bytes())
            .await;
        is_served(&mut peer).await;
        assert_eq!(meter.count(FRAMES_TOO_LARGE), 0);
        peer.write(format!("{}\n", note_of(65_537)).as_bytes())
            .await;
        assert_eq!(peer.last_word().await, "too_large");
        assert_eq!(meter.count_of(FRAMES_TOO_LARGE, "in"), 1);
        assert_eq!(meter.count_of(VIOLATIONS, "too_large"), 1);
        assert_eq!(meter.count(FRAMES_TOO_LARGE), 1);
    });
}

#[test]
fn a_frame_that_has_begun_has_10_s() {
    run_paused(async {
        let mut meter = meter();
        let attacked = in_memory(|_| {}).await;
        let mut peer = link(&attacked);
        is_served(&mut peer).await;
        peer.write(b"{").await;
        tokio::task::yield_now().await;
        advance(Duration::from_millis(9_999)).await;
        assert_eq!(meter.count(FRAMES_TIMED_OUT), 0);
        advance(Duration::from_millis(2)).await;
        assert_eq!(peer.last_word().await, "timeout");
        assert_eq!(meter.count(FRAMES_TIMED_OUT), 1);
    });
}

#[test]
fn one_connection_more_than_may_be_is_refused() {
    run_paused(async {
        let mut meter = meter();
        let attacked = in_memory(|limits| limits.connections = 2).await;
        let (mut first, mut second) = (link(&attacked), link(&attacked));
        is_served(&mut first).await;
        is_served(&mut second).await;
        assert_eq!(meter.gauge(CONNECTIONS_OPEN), 2);
        assert_eq!(meter.count(CONNECTIONS_REFUSED), 0);
        link(&attacked).ends().await;
        assert_eq!(meter.count_of(CONNECTIONS_REFUSED, "all"), 1);
        assert_eq!(meter.gauge(CONNECTIONS_OPEN), 2);
        drop((first, second));
        attacked.has_connections(0).await;
        assert_eq!(meter.gauge(CONNECTIONS_OPEN), 0);
    });
}

#[test]
fn what_is_dropped_without_an_answer_is_counted() {
    run_paused(async {
        let mut meter = meter();
        let attacked = in_memory(|_| {}).await;
        let mut peer = link(&attacked);
        for frame in [
            json!({"type": "later"}),
            json!({"type": "pass", "name": "nothing"}),
            json!({"type": "pass", "name": "note", "data": 7}),
            json!({"type": "response", "name": "x", "data": null, "request_id": "1"}),
        ] {
            peer.send(&frame).await;
        }
        is_served(&mut peer).await;
        assert_eq!(meter.count(UNKNOWN_TYPES), 1);
        assert_eq!(meter.count(PASSES_REFUSED), 2);
        assert_eq!(meter.count(ANSWERS_IGNORED), 1);
        // What breaks the protocol ends the link.
        assert_eq!(meter.count(VIOLATIONS), 0);
        peer.write(b"[]\n").await;
        assert_eq!(peer.last_word().await, "bad_frame");
        assert_eq!(meter.count_of(VIOLATIONS, "bad_frame"), 1);
    });
}

#[test]
fn handlers_that_panic_or_take_a_minute_are_counted() {
    run_paused(async {
        let mut meter = meter();
        let attacked = in_memory(|_| {}).await;
        let mut peer = link(&attacked);
        peer.request("hold", Value::Null).await;
        tokio::task::yield_now().await;
        advance(Duration::from_millis(59_999)).await;
        attacked.release.add_permits(1);
        assert!(peer.frame().await.unwrap()["error"].is_null());
        assert_eq!(meter.count(HANDLERS_TOO_SLOW), 0);
        for name in ["hold", "hold_beside"] {
            let late = peer.ask(name, Value::Null).await;
            assert_eq!(late["error"]["code"], "internal", "{late}");
        }
        assert_eq!(meter.count(HANDLERS_TOO_SLOW), 2);
        assert_eq!(meter.count(HANDLERS_PANICKED), 0);
        peer.ask("panic", json!({"text": "on purpose"})).await;
        assert_eq!(meter.count(HANDLERS_PANICKED), 1);
    });
}

#[test]
fn the_reader_pauses_while_as_many_handlers_as_may_be_are_at_work() {
    run_paused(async {
        let mut meter = meter();
        let mut attacked = in_memory(|limits| limits.connection.concurrent_handlers = 2).await;
        let mut peer = link(&attacked);
        for paused in [0, 1] {
            peer.request("hold_beside", Value::Null).await;
            attacked.hears("hold_beside").await;
            tokio::task::yield_now().await;
            assert_eq!(meter.count_of(READERS_PAUSED, "handlers"), paused);
        }
    });
}

#[test]
fn beside_a_handler_that_waits_for_its_peer_so_many_events_are_kept() {
    run_paused(async {
        let mut meter = meter();
        let attacked = in_memory(|limits| limits.connection.queued_events = 2).await;
        let mut peer = link(&attacked);
        peer.request("ask_back", Value::Null).await;
        let back = peer.frame().await.unwrap();
        for _ in 0..2 {
            peer.request("add", json!({"a": 1, "b": 1})).await;
        }
        tokio::task::yield_now().await;
        assert_eq!(meter.count(BUSY), 0);
        peer.request("add", json!({"a": 1, "b": 1})).await;
        assert_eq!(peer.frame().await.unwrap()["error"]["code"], "busy");
        assert_eq!(meter.count_of(BUSY, "queued"), 1);
        let id = &back["request_id"];
        peer.send(
            &json!({"type": "response", "name": "back", "data": {"sum": 7}, "request_id": id}),
        )
        .await;
        for _ in 0..3 {
            assert!(peer.frame().await.unwrap()["error"].is_null());
        }
        assert_eq!(meter.count(BUSY), 1);
    });
}

#[test]
fn links_that_do_not_open_are_counted_by_why() {
    run_paused(async {
        let mut meter = meter();
        let key = SecretKey::from_bytes([7; 32]);
        let bind = Server::in_memory().encryption(Encryption::Encrypted(key));
        let attacked = serve(bind).await;
        let mut plain = link(&attacked);
        plain.write(b"{}\n").await;
        assert_eq!(plain.last_word().await, "encryption_required");
        assert_eq!(meter.count_of(HANDSHAKES_REFUSED, "encryption_required"), 1);
        let mut silent = link(&attacked);
        tokio::task::yield_now().await;
        advance(Duration::from_millis(4_999)).await;
        tokio::task::yield_now().await;
        assert_eq!(meter.count(HANDSHAKES_TIMED_OUT), 0);
        advance(Duration::from_millis(2)).await;
        assert_eq!(silent.last_word().await, "timeout");
        assert_eq!(meter.count(HANDSHAKES_TIMED_OUT), 1);
        assert_eq!(meter.count(HANDSHAKES_REFUSED), 1);
    });
}

/// A client of a server that answers when the test lets it.
async fn client(attacked: &Attacked, change: impl FnOnce(&mut Limits)) -> Client<Hostile> {
    let mut limits = Limits::client();
    change(&mut limits);
    let connect = Client::connect_in_memory(&attacked.server).limits(limits);
    connect.handle(Answering).await.unwrap()
}

#[test]
fn calls_beyond_those_that_may_be_open_wait_and_those_without_an_answer_end() {
    run_paused(async {
        let mut meter = meter();
        let attacked = in_memory(|_| {}).await;
        let client = client(&attacked, |limits| limits.open_calls = 2).await;
        let calls = || {
            tokio::spawn({
                let client = client.clone();
                async move { client.request(Hold).await }
            })
        };
        let open = [calls(), calls()];
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        assert_eq!(meter.count(CALLS_QUEUED), 0);
        let third = calls();
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        assert_eq!(meter.count(CALLS_QUEUED), 1);
        for call in open {
            let late = call.await.unwrap();
            assert!(
                matches!(late, Err(RequestError::Timeout { .. })),
                "{late:?}"
            );
        }
        assert_eq!(meter.count(CALLS_TIMED_OUT), 2);
        let late = third.await.unwrap();
        assert!(
            matches!(
                late,
                Err(RequestError::NotSent(SendError::QueueFull { .. }))
            ),
            "{late:?}"
        );
        assert_eq!(meter.count(SENDS_TIMED_OUT), 1);
    });
}

#[test]
fn senders_wait_for_a_place_in_a_queue_that_nobody_reads_until_the_link_stalls() {
    run_paused(async {
        let mut meter = meter();
        let attacked = in_memory(|_| {}).await;
        let client = client(&attacked, |limits| {
            limits.outbound_bytes = 8_000;
            limits.send_timeout = Duration::from_secs(1);
        })
        .await;
        let mut held = client.request(Hold).timeout(Duration::from_mins(1));
        assert!(still_waits(&mut held).await);
        tokio::task::yield_now().await;
        let text = || "x".repeat(8_000);
        let mut sent = 0;
        let full = loop {
            assert_eq!(meter.count(SENDS_TIMED_OUT), 0);
            match client.send(Note { text: text() }).await {
                Ok(()) => sent += 1,
                Err(error) => break error,
            }
        };
        assert!(
            matches!(full, SendError::QueueFull { .. }),
            "{full:?} after {sent}"
        );
        assert_eq!(meter.count(SENDS_TIMED_OUT), 1);
        assert!(meter.count(SENDERS_PARKED) >= 1);
        assert_eq!(meter.count(LINKS_STALLED), 0);
        client.closed().await;
        assert_eq!(meter.count(LINKS_STALLED), 1);
        let long = Note {
            text: "x".repeat(70_000),
        };
        assert!(matches!(
            client.send(long).await,
            Err(SendError::TooLarge { .. })
        ));
        assert_eq!(meter.count_of(FRAMES_TOO_LARGE, "out"), 1);
    });
}
