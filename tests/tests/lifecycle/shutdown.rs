//! A server that shuts down in its own time, at once, or when it is dropped.

use std::time::{Duration, Instant};

use protocol_core::wire::ErrorCode;
use protocol_core::{Client, CloseReason, ConnectError, RequestError, ServerLimits};
use protocol_tests::{PlainOrEncrypted, Raw, both::run, still_waits, vanished};

use crate::depot::{
    AskBack, CallLater, Freight, Load, Seen, Sign, Unload, Wait, WaitBeside, Waited, connect, serve,
};

const FAR: Duration = Duration::from_secs(50);

#[test]
fn idle_clients_do_not_hold_a_shutdown_up() {
    run(|| async {
        let server = serve(ServerLimits::default()).await.end;
        let mut clients = Vec::new();
        for n in 0..20 {
            let client = connect(server.address()).await.end;
            client.confirm(Load { n }).await.unwrap();
            clients.push(client);
        }
        assert_eq!(server.connections(), 20);
        let started = Instant::now();
        assert!(server.shutdown(FAR).await);
        assert!(started.elapsed() < Duration::from_secs(10));
        assert_eq!(server.connections(), 0);
        for client in clients {
            assert_eq!(client.closed().await, CloseReason::PeerClosed);
        }
        assert!(server.shutdown(FAR).await, "a second time changes nothing");
    });
}

#[test]
fn a_request_in_flight_is_answered_before_the_shutdown() {
    run(|| async {
        let mut server = serve(ServerLimits::default()).await;
        let (first, second) =
            tokio::join!(connect(server.end.address()), connect(server.end.address()));
        let (mut wait, mut beside) = (first.end.request(Wait), second.end.request(WaitBeside));
        assert!(still_waits(&mut wait).await);
        assert!(still_waits(&mut beside).await);
        assert_eq!(server.next().await, Seen::Waits);
        assert_eq!(server.next().await, Seen::Waits);
        let mut shutdown = Box::pin(server.end.shutdown(FAR));
        assert!(still_waits(&mut shutdown).await);
        server.go.add_permits(2);
        assert_eq!(wait.await, Ok(Waited));
        assert_eq!(beside.await, Ok(Waited));
        assert!(shutdown.await);
    });
}

#[test]
fn events_after_a_shutdown_began_are_refused_as_shutting_down() {
    run(|| async {
        let mut server = serve(ServerLimits::default()).await;
        let client = connect(server.end.address()).await.end;
        let mut in_flight = client.request(WaitBeside);
        assert!(still_waits(&mut in_flight).await);
        assert_eq!(server.next().await, Seen::Waits);
        let mut shutdown = Box::pin(server.end.shutdown(FAR));
        assert!(still_waits(&mut shutdown).await);
        // One that crosses the beginning may still be handled.
        let refused = loop {
            match client.confirm(Load { n: 1 }).await {
                Ok(()) => assert_eq!(server.seen.recv().await, Some(Seen::Load(1))),
                Err(error) => break error,
            }
        };
        assert!(refused.is_retryable(), "it was certainly not executed");
        let RequestError::Rejected(refused) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(refused.standard(), Some(ErrorCode::ShuttingDown));
        assert!(server.seen.try_recv().is_err());
        server.go.add_permits(1);
        assert_eq!(in_flight.await, Ok(Waited));
        assert!(shutdown.await);
        assert_eq!(client.closed().await, CloseReason::PeerClosed);
    });
}

#[test]
fn events_that_waited_aside_when_the_shutdown_began_are_handled() {
    run(|| async {
        let mut limits = ServerLimits::default();
        limits.connection.queued_events = 50;
        let mut server = serve(limits).await;
        let mut client = connect(server.end.address()).await;
        let holder = client.end.clone();
        let mut asks = holder.request(AskBack);
        assert!(still_waits(&mut asks).await);
        assert_eq!(server.next().await, Seen::Waits);
        assert_eq!(client.next().await, Seen::Waits);
        // The server reads these while it waits for its own answer.
        let mut loads: Vec<_> = (0..50).map(|n| holder.confirm(Load { n })).collect();
        for load in &mut loads {
            assert!(still_waits(load).await);
        }
        // There is no room for one more, so the others have arrived.
        let busy = holder.confirm(Load { n: 50 }).await.unwrap_err();
        assert!(busy.is_retryable(), "{busy}");
        let mut shutdown = Box::pin(server.end.shutdown(FAR));
        assert!(still_waits(&mut shutdown).await);
        client.go.add_permits(1);
        assert_eq!(asks.await, Ok(Waited));
        for (n, load) in (0..).zip(loads) {
            load.await.unwrap();
            assert_eq!(server.seen.recv().await, Some(Seen::Load(n)));
        }
        assert!(shutdown.await);
    });
}

#[test]
fn a_handler_sends_and_asks_while_the_server_shuts_down() {
    run(|| async {
        let mut server = serve(ServerLimits::default()).await;
        let mut client = connect(server.end.address()).await;
        client.end.send(CallLater).await.unwrap();
        assert_eq!(server.next().await, Seen::Waits);
        let mut shutdown = Box::pin(server.end.shutdown(FAR));
        assert!(still_waits(&mut shutdown).await);
        server.go.add_permits(1);
        client.go.add_permits(1);
        assert!(shutdown.await);
        let called = Seen::Called {
            sent: Ok(()),
            confirmed: Ok(()),
            requested: Ok(Waited),
        };
        let mut seen = Vec::new();
        while let Some(next) = server.seen.recv().await {
            seen.push(next);
            if seen.last() == Some(&called) {
                break;
            }
        }
        assert_eq!(seen.last(), Some(&called), "{seen:?}");
        while client.next().await != Seen::Unload(2) {}
    });
}

#[test]
fn a_second_shutdown_waits_for_the_first() {
    run(|| async {
        let mut server = serve(ServerLimits::default()).await;
        let client = connect(server.end.address()).await;
        let mut wait = client.end.request(Wait);
        assert!(still_waits(&mut wait).await);
        assert_eq!(server.next().await, Seen::Waits);
        let mut first = Box::pin(server.end.shutdown(FAR));
        assert!(still_waits(&mut first).await);
        let mut second = Box::pin(server.end.shutdown(FAR));
        assert!(still_waits(&mut second).await);
        server.go.add_permits(1);
        assert_eq!(wait.await, Ok(Waited));
        assert!(first.await);
        assert!(second.await);
    });
}

#[test]
fn a_shutdown_that_is_dropped_cuts_nothing_off_and_a_later_one_waits() {
    run(|| async {
        let mut server = serve(ServerLimits::default()).await;
        let (first, second) =
            tokio::join!(connect(server.end.address()), connect(server.end.address()));
        let (mut wait, mut beside) = (first.end.request(Wait), second.end.request(WaitBeside));
        assert!(still_waits(&mut wait).await);
        assert!(still_waits(&mut beside).await);
        assert_eq!(server.next().await, Seen::Waits);
        assert_eq!(server.next().await, Seen::Waits);
        for _ in 0..3 {
            let mut dropped = Box::pin(server.end.shutdown(FAR));
            assert!(still_waits(&mut dropped).await);
        }
        let mut shutdown = Box::pin(server.end.shutdown(FAR));
        assert!(still_waits(&mut shutdown).await, "handlers are at work");
        server.go.add_permits(2);
        assert_eq!(wait.await, Ok(Waited));
        assert_eq!(beside.await, Ok(Waited));
        assert!(shutdown.await);
        assert_eq!(server.end.connections(), 0);
    });
}

#[test]
fn what_is_in_the_socket_is_answered_though_handlers_leave_the_scheduler_no_rest() {
    const REQUESTS: usize = 500;
    run(|| async {
        let mut server = serve(ServerLimits::default()).await;
        let mut raw = Raw::connect(server.end.address()).await;
        let request = |n: usize| {
            let name = r#""type":"request","name":"toil""#;
            format!("{{{name},\"request_id\":\"{n}\"}}\n")
        };
        raw.write(request(0).as_bytes()).await;
        assert!(matches!(server.next().await, Seen::Toils(_)));
        let all: String = (1..REQUESTS).map(request).collect();
        raw.write(all.as_bytes()).await;
        // The runtime hears of what arrives in its order, so by now of all of that.
        let other = connect(server.end.address()).await.end;
        other.confirm(Load { n: 1 }).await.unwrap();
        let mut shutdown = Box::pin(server.end.shutdown(FAR));
        assert!(still_waits(&mut shutdown).await);
        server.go.add_permits(REQUESTS);
        for n in 0..REQUESTS {
            let answer = raw.json().await;
            assert_eq!(answer["request_id"], n.to_string());
            let code = &answer["error"]["code"];
            assert!(code.is_null() || code == "shutting_down", "{answer}");
        }
        assert_eq!(raw.line().await, None);
        drop((raw, other));
        assert!(shutdown.await);
    });
}

#[test]
fn a_call_to_a_client_that_was_told_the_end_is_not_sent() {
    run(|| async {
        let mut limits = ServerLimits::default();
        limits.connection.linger = Duration::from_secs(20);
        let mut server = serve(limits).await;
        let mut raw = Raw::connect(server.end.address()).await;
        server.go.add_permits(1);
        let toil = r#"{"type":"request","name":"toil","request_id":"1"}"#;
        assert_eq!(raw.ask(toil).await["request_id"], "1");
        let Seen::Toils(connection) = server.next().await else {
            panic!("the handler tells its connection");
        };
        let client = || server.end.to(connection);
        let (to_ask, to_confirm, to_send) = (client(), client(), client());
        let mut shutdown = Box::pin(server.end.shutdown(FAR));
        assert!(still_waits(&mut shutdown).await);
        assert_eq!(raw.line().await, None, "the server has said all");
        let started = Instant::now();
        for error in [
            to_ask.request(Sign).await.unwrap_err(),
            to_confirm.confirm(Unload { n: 1 }).await.unwrap_err(),
        ] {
            assert!(matches!(error, RequestError::NotSent(_)), "{error:?}");
            assert!(!error.is_unknown(), "it was certainly not executed");
        }
        assert!(to_send.send(Unload { n: 2 }).await.is_err());
        assert!(started.elapsed() < Duration::from_secs(5));
        drop(raw);
        assert!(shutdown.await);
    });
}

#[test]
fn a_handler_that_hangs_is_cut_off_at_the_deadline() {
    run(|| async {
        let mut server = serve(ServerLimits::default()).await;
        let (first, second) =
            tokio::join!(connect(server.end.address()), connect(server.end.address()));
        let (mut wait, mut beside) = (first.end.request(Wait), second.end.request(WaitBeside));
        assert!(still_waits(&mut wait).await);
        assert!(still_waits(&mut beside).await);
        assert_eq!(server.next().await, Seen::Waits);
        assert_eq!(server.next().await, Seen::Waits);
        let started = Instant::now();
        let deadline = Duration::from_millis(100);
        assert!(!server.end.shutdown(deadline).await);
        assert!(started.elapsed() >= deadline);
        assert_eq!(server.next().await, Seen::Gone);
        assert_eq!(server.next().await, Seen::Gone);
        for call in [wait, beside] {
            let error = call.await.unwrap_err();
            assert!(matches!(error, RequestError::Lost(_)), "{error:?}");
            assert!(error.is_unknown());
        }
        assert_eq!(server.end.connections(), 0);
    });
}

#[test]
fn nobody_connects_after_a_shutdown() {
    run(|| async {
        let server = serve(ServerLimits::default()).await.end;
        assert!(server.shutdown(FAR).await);
        let (depot, _, _) = crate::depot::Depot::new();
        let connected = Client::<Freight>::connect(server.address())
            .plain_or_encrypted()
            .handle(depot);
        let error = connected.await.unwrap_err();
        let ConnectError::Io(error) = error else {
            panic!("{error:?}");
        };
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    });
}

#[test]
fn dropping_the_last_handle_closes_every_connection() {
    run(|| async {
        let mut server = serve(ServerLimits::default()).await;
        let idle = connect(server.end.address()).await.end;
        let busy = connect(server.end.address()).await.end;
        idle.confirm(Load { n: 1 }).await.unwrap();
        assert_eq!(server.next().await, Seen::Load(1));
        let mut wait = busy.request(Wait);
        assert!(still_waits(&mut wait).await);
        assert_eq!(server.next().await, Seen::Waits);
        let clone = server.end.clone();
        drop(server.end);
        idle.confirm(Load { n: 2 }).await.unwrap();
        assert_eq!(server.seen.recv().await, Some(Seen::Load(2)));
        drop(clone);
        assert_eq!(server.seen.recv().await, Some(Seen::Gone));
        assert!(matches!(wait.await, Err(RequestError::Lost(_))));
        // At once, so without a word.
        assert_eq!(idle.closed().await, vanished());
        assert_eq!(busy.closed().await, vanished());
    });
}
