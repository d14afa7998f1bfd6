//! Ends of the machinery itself: runtimes, tasks and handles that go away, and queues that fill.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use protocol_core::wire::WireError;
use protocol_core::{Client, Context, Gate, Limits, RequestError, Server};
use protocol_tests::{run, run_on_one_thread, still_waits};
use tokio::runtime::{Builder, Runtime};

use crate::desk::{
    Add, Answering, Hold, HoldBeside, Hostile, Note, Released, Sum, attacked, serve,
};
use crate::peer::{Peer, pass, request};

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_call_ends_where_the_runtime_of_its_connection_is_gone() {
    run(async {
        let attacked = attacked(|_| {}).await;
        let address = attacked.server.address();
        for driven in [false, true] {
            let (client, other) = std::thread::spawn(move || {
                let other = one_thread();
                // Without a turn of its own, the connection's task never began.
                let client = other.block_on(async {
                    let client = Client::<Hostile>::connect(address)
                        .handle(Answering)
                        .await
                        .unwrap();
                    if driven {
                        client.request(Add { a: 1, b: 2 }).await.unwrap();
                    }
                    client
                });
                (client, other)
            })
            .join()
            .unwrap();
            let call = tokio::spawn({
                let client = client.clone();
                async move { client.request(Hold).timeout(Duration::MAX).await }
            });
            other.shutdown_background();
            let ended = call.await.unwrap();
            assert!(
                matches!(ended, Err(RequestError::Lost(_) | RequestError::NotSent(_))),
                "{ended:?}"
            );
            let late = client.request(Add { a: 1, b: 2 }).await;
            assert!(matches!(late, Err(RequestError::NotSent(_))), "{late:?}");
            client.closed().await;
        }
    });
}

#[test]
fn every_send_of_many_tasks_through_a_narrow_queue_ends() {
    const TASKS: usize = 8;
    const EACH: usize = 2_000;
    run(async {
        let mut attacked = attacked(|_| {}).await;
        for (events, bytes) in [(1, 1 << 20), (3, 1 << 20), (1_024, 60)] {
            let mut limits = Limits::client();
            limits.outbound_events = events;
            limits.outbound_bytes = bytes;
            limits.send_timeout = Duration::MAX;
            let client = Client::<Hostile>::connect(attacked.server.address())
                .limits(limits)
                .handle(Answering)
                .await
                .unwrap();
            let mut tasks = Vec::new();
            for _ in 0..TASKS {
                let client = client.clone();
                tasks.push(tokio::spawn(async move {
                    for n in 0..EACH {
                        let text = n.to_string();
                        client.send(Note { text }).await.unwrap();
                    }
                }));
            }
            for _ in 0..TASKS * EACH {
                assert!(attacked.heard.recv().await.is_some());
            }
            for task in tasks {
                task.await.unwrap();
            }
        }
    });
}

#[test]
fn calls_that_are_dropped_at_any_time_leave_room_for_others() {
    run(async {
        let attacked = attacked(|_| {}).await;
        let mut limits = Limits::client();
        limits.open_calls = 2;
        limits.outbound_events = 2;
        let client = Client::<Hostile>::connect(attacked.server.address())
            .limits(limits)
            .handle(Answering)
            .await
            .unwrap();
        for round in 0..2_000 {
            let mut calls = Vec::new();
            for n in 0..8 {
                let mut call = Box::pin(client.request(Add { a: n, b: round }));
                std::future::poll_fn(|cx| {
                    assert!(call.as_mut().poll(cx).is_pending());
                    std::task::Poll::Ready(())
                })
                .await;
                calls.push(call);
            }
            if round % 3 == 0 {
                tokio::task::yield_now().await;
            }
            let kept = calls.swap_remove(usize::try_from(round).unwrap() % 8);
            drop(calls);
            assert!(kept.await.is_ok());
        }
    });
}

#[test]
fn a_server_that_is_dropped_ends_every_call_of_its_clients() {
    run(async {
        let mut attacked = attacked(|_| {}).await;
        let client = Client::<Hostile>::connect(attacked.server.address())
            .handle(Answering)
            .await
            .unwrap();
        let call = tokio::spawn({
            let client = client.clone();
            async move { client.request(Hold).timeout(Duration::MAX).await }
        });
        attacked.hears("hold").await;
        drop(attacked);
        let ended = call.await.unwrap();
        assert!(matches!(ended, Err(RequestError::Lost(_))), "{ended:?}");
        client.closed().await;
    });
}

#[test]
fn a_shutdown_past_its_deadline_cuts_handlers_off() {
    run(async {
        for name in ["hold", "hold_beside"] {
            let mut attacked = attacked(|_| {}).await;
            let mut peer = Peer::connect(attacked.server.address()).await;
            peer.write(request(name, "null", "7") + "\n").await;
            attacked.hears(name).await;
            assert!(!attacked.server.shutdown(Duration::from_millis(50)).await);
            assert_eq!(attacked.server.connections(), 0);
        }
    });
}

/// Panics at a pass that asks for it, and counts.
struct Trap(Arc<AtomicUsize>);

impl Gate<Hostile> for Trap {
    fn admit(&self, _cx: &Context<Hostile>, name: &str) -> Result<(), WireError> {
        assert_ne!(name, "label", "the gate is broken");
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn a_gate_that_panics_costs_its_event_only() {
    run(async {
        let asked = Arc::new(AtomicUsize::new(0));
        let attacked = serve(Server::bind("127.0.0.1:0").gate(Trap(Arc::clone(&asked)))).await;
        let mut peer = Peer::connect(attacked.server.address()).await;
        peer.is_served().await;
        peer.write(pass("label", "\"x\"") + "\n").await;
        let refused = peer.ask(&crate::peer::confirm("label", "\"x\"", "7")).await;
        assert_eq!(refused["error"]["code"], "internal");
        peer.is_served().await;
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn many_calls_that_are_dropped_while_they_wait_cost_little_and_hold_nobody_up() {
    const CALLS: usize = 20_000;
    run_on_one_thread(async {
        let mut attacked = attacked(|_| {}).await;
        let mut limits = Limits::client();
        limits.open_calls = 1;
        limits.outbound_events = 1;
        let client = Client::<Hostile>::connect(attacked.server.address())
            .limits(limits)
            .handle(Answering)
            .await
            .unwrap();
        let answered = tokio::spawn({
            let client = client.clone();
            async move { client.request(HoldBeside).await }
        });
        attacked.hears("hold_beside").await;
        let waits = client.clone();
        let mut calls: Vec<_> = (0..CALLS)
            .map(|_| waits.request(Add { a: 1, b: 2 }))
            .collect();
        for call in &mut calls {
            assert!(still_waits(call).await);
        }
        let last = calls.pop().unwrap();
        let started = Instant::now();
        // Beside this thread, as the first half of them are let go of one by one.
        let rest = calls.split_off(CALLS / 2);
        std::thread::scope(|scope| {
            scope.spawn(move || drop(rest));
            drop(calls);
        });
        attacked.release.add_permits(1);
        assert_eq!(answered.await.unwrap().unwrap(), Released);
        assert_eq!(last.await.unwrap(), Sum { sum: 3 });
        let took = started.elapsed();
        assert!(took < Duration::from_secs(5), "{took:?}");
        attacked.serves_others().await;
    });
}
