//! A server without manners, and what a client makes of it.

use std::time::{Duration, Instant};

use protocol_core::{AtClient, Client, CloseReason, Connect, Context, Limits, RequestError};
use protocol_tests::run;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::desk::{Add, Answering, Back, Hostile, Sum};
use crate::peer::{Peer, SECRET, request};

async fn client_of(change: impl FnOnce(&mut Limits)) -> (Client<Hostile>, Peer) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut limits = Limits::client();
    limits.linger = Duration::from_millis(50);
    change(&mut limits);
    let connect: Connect<'_, Hostile> = Client::connect(listener.local_addr().unwrap());
    let connect = connect.limits(limits).handle(Answering).into_future();
    let (client, peer) = tokio::join!(connect, Peer::accept(&listener));
    (client.unwrap(), peer)
}

#[test]
fn a_server_that_breaks_the_protocol_ends_every_call_and_gets_the_word() {
    run(async {
        let large = format!("\"{}\"", "x".repeat(1 << 20));
        for (line, code) in [
            (SECRET.to_owned(), "bad_frame"),
            (format!("{{\"name\":\"{SECRET}\"}}"), "bad_type"),
            (
                request("back", &("[".repeat(65) + &"]".repeat(65)), "7"),
                "too_deep",
            ),
            (request("back", &large, "7"), "too_large"),
        ] {
            let (client, mut peer) = client_of(|_| {}).await;
            let call = client.request(Add { a: 1, b: 2 });
            let script = async {
                let asked = peer.json().await;
                assert_eq!(asked["name"], "add");
                peer.write(line + "\n").await;
                assert_eq!(peer.last_word().await, code);
            };
            let (answer, ()) = tokio::join!(call, script);
            let Err(RequestError::Lost(CloseReason::Violated(error))) = answer else {
                panic!("{answer:?}");
            };
            assert_eq!(error.code, code);
        }
    });
}

#[test]
fn a_servers_last_word_is_the_reason_of_every_call() {
    run(async {
        let (client, mut peer) = client_of(|_| {}).await;
        let call = client.request(Add { a: 1, b: 2 });
        let script = async {
            let _ = peer.json().await;
            peer.write(
                "{\"type\":\"pass\",\"name\":\"protocol_error\",\"data\":{\"code\":\"unavailable\",\"message\":\"full\"}}\n",
            )
            .await;
        };
        let (answer, ()) = tokio::join!(call, script);
        let Err(RequestError::Lost(CloseReason::RefusedByPeer(error))) = answer else {
            panic!("{answer:?}");
        };
        assert_eq!(error.to_string(), "unavailable: full");
        assert!(matches!(
            client.closed().await,
            CloseReason::RefusedByPeer(_)
        ));
    });
}

#[test]
fn answers_of_others_and_of_nobody_do_not_answer_a_call() {
    run(async {
        let (client, mut peer) = client_of(|_| {}).await;
        let call = client.request(Add { a: 1, b: 2 });
        let script = async {
            let asked = peer.json().await;
            let id = asked["request_id"].as_str().unwrap().to_owned();
            let answer = |from: &str, id: &str, sum: i64| {
                format!(
                    "{{\"type\":\"response\"{from},\"name\":\"add\",\"data\":{{\"sum\":{sum}}},\"request_id\":\"{id}\"}}\n"
                )
            };
            peer.write(answer(",\"from\":\"mallory\"", &id, 1)).await;
            peer.write(answer("", "7", 2)).await;
            peer.write(answer("", &"z".repeat(36), 3)).await;
            peer.write(format!(
                "{{\"type\":\"confirm_pass\",\"pass_id\":\"{id}\"}}\n"
            ))
            .await;
            peer.write(answer("", &id, 4)).await;
            peer.write(answer("", &id, 5)).await;
        };
        let (answer, ()) = tokio::join!(call, script);
        assert_eq!(answer.unwrap(), Sum { sum: 4 });
    });
}

#[test]
fn a_server_that_resets_ends_every_call() {
    run(async {
        let (client, mut peer) = client_of(|_| {}).await;
        let calls = async {
            tokio::join!(
                client.request(Add { a: 1, b: 2 }),
                client.request(Add { a: 3, b: 4 })
            )
        };
        let script = async {
            let _ = peer.json().await;
            let _ = peer.json().await;
            peer.reset();
        };
        let (answers, ()) = tokio::join!(calls, script);
        for answer in [answers.0, answers.1] {
            assert!(matches!(answer, Err(RequestError::Lost(_))), "{answer:?}");
        }
        let late = client.request(Add { a: 5, b: 6 }).await;
        assert!(matches!(late, Err(RequestError::NotSent(_))), "{late:?}");
    });
}

#[test]
fn a_name_as_long_as_a_frame_does_not_cost_a_client_its_link() {
    run(async {
        let (_client, mut peer) = client_of(|_| {}).await;
        // What another peer may send, relayed: a server reads at most 65,536 bytes of an answer.
        let name = "x".repeat(65_400);
        peer.write(request(&name, "null", "7") + "\n").await;
        let line = peer.line().await.unwrap();
        assert!(line.len() <= 65_536, "{} bytes", line.len());
        assert!(line.contains("\"request_id\":\"7\",\"error\":{\"code\":\"unknown_event\""));
        let answer = peer.ask(&request("back", "null", "8")).await;
        assert_eq!(answer["data"]["sum"], 7);
    });
}

/// Works without a pause, as a handler that computes does, and tells when it begins.
struct Slow(Duration, UnboundedSender<()>);

impl crate::desk::FromDeskHandler<Hostile, AtClient> for Slow {
    async fn on_back(&self, _cx: &Context<Hostile, AtClient>, _event: Back) -> Sum {
        self.1.send(()).unwrap();
        let start = Instant::now();
        while start.elapsed() < self.0 {
            std::hint::spin_loop();
        }
        Sum { sum: 7 }
    }
}

#[test]
fn a_busy_client_does_not_time_its_calls_out_early() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, mut told) = unbounded_channel();
        let (give, client) = oneshot::channel();
        // A thread of its own, so that its work does not hold up who calls.
        let busy = std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let slow = Slow(Duration::from_millis(20), tell);
                let client = Client::<Hostile>::connect(address)
                    .handle(slow)
                    .await
                    .unwrap();
                assert!(give.send(client.clone()).is_ok());
                client.closed().await;
            });
        });
        let mut peer = Peer::accept(&listener).await;
        let client = client.await.unwrap();
        // One read brings work for 400 ms; a call begins in its last quarter.
        peer.write((request("back", "null", "7") + "\n").repeat(20))
            .await;
        for _ in 0..17 {
            told.recv().await.unwrap();
        }
        let timeout = Duration::from_millis(200);
        let start = Instant::now();
        let call = client.request(Add { a: 1, b: 2 }).timeout(timeout);
        let ended = call.await.unwrap_err();
        assert!(matches!(ended, RequestError::Timeout { .. }), "{ended:?}");
        assert!(start.elapsed() >= timeout, "after {:?}", start.elapsed());
        drop(peer);
        busy.join().unwrap();
    });
}
