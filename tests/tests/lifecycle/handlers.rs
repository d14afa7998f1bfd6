//! Handlers whose link ends while they are at work.

use std::time::Duration;

use protocol_core::{CloseReason, RequestError, SendError, ServerLimits};
use protocol_tests::{Raw, both::run, vanished};
use tokio::time::timeout;

use crate::depot::{CallLater, Load, Seen, Watch, WatchBeside, connect, serve};

/// Long before anything but the link's end ends a wait.
const SOON: Duration = Duration::from_secs(5);

#[test]
fn a_handler_that_had_begun_runs_to_its_end_and_its_calls_fail_at_once() {
    run(|| async {
        let mut server = serve(ServerLimits::default()).await;
        for reset in [false, true] {
            let mut raw = Raw::connect(server.end.address()).await;
            raw.send(r#"{"type":"pass","name":"call_later"}"#).await;
            assert_eq!(server.next().await, Seen::Waits);
            if reset {
                raw.reset();
            } else {
                drop(raw);
            }
            server.go.add_permits(1);
            assert_eq!(server.next().await, Seen::Done);
            assert_eq!(server.next().await, Seen::Gone);
            let called = timeout(SOON, server.next()).await;
            let Ok(Seen::Called {
                sent,
                confirmed,
                requested,
            }) = called
            else {
                panic!("{called:?}");
            };
            // The first may still have found the link up.
            assert!(
                matches!(
                    requested,
                    Err(RequestError::Lost(_) | RequestError::NotSent(SendError::Closed(_)))
                ),
                "{requested:?}"
            );
            assert!(
                matches!(confirmed, Err(RequestError::NotSent(SendError::Closed(_)))),
                "{confirmed:?}"
            );
            // A peer that has only said that it sends no more may still read.
            let closed = matches!(sent, Err(SendError::Closed(_)));
            assert!(closed || !reset, "{sent:?}");
        }
    });
}

#[test]
fn a_handler_is_told_when_its_client_has_closed() {
    run(|| async {
        let mut server = serve(ServerLimits::default()).await;
        let client = connect(server.end.address()).await;
        client.end.send(Watch).await.unwrap();
        assert_eq!(server.next().await, Seen::Waits);
        client.end.close().await;
        let told = timeout(SOON, server.next()).await;
        assert_eq!(told, Ok(Seen::Closed(CloseReason::PeerClosed)));
    });
}

#[test]
fn a_concurrent_handler_is_told_when_its_client_has_closed() {
    run(|| async {
        let mut server = serve(ServerLimits::default()).await;
        let mut raw = Raw::connect(server.end.address()).await;
        raw.send(r#"{"type":"request","name":"watch_beside","request_id":"1"}"#)
            .await;
        assert_eq!(server.next().await, Seen::Waits);
        drop(raw);
        let told = timeout(SOON, server.next()).await;
        assert_eq!(told, Ok(Seen::Closed(vanished())));
    });
}

#[test]
fn a_handler_is_told_of_a_reset() {
    run(|| async {
        let mut server = serve(ServerLimits::default()).await;
        for name in ["watch", "watch_beside"] {
            let mut raw = Raw::connect(server.end.address()).await;
            let kind = if name == "watch" { "pass" } else { "request" };
            let line = format!(r#"{{"type":"{kind}","name":"{name}","request_id":"1"}}"#);
            raw.send(&line).await;
            assert_eq!(server.next().await, Seen::Waits);
            raw.reset();
            let told = timeout(SOON, server.next()).await;
            let Ok(Seen::Closed(CloseReason::Io { kind, .. })) = told else {
                panic!("{name}: {told:?}");
            };
            assert_eq!(kind, std::io::ErrorKind::ConnectionReset);
        }
    });
}

#[test]
fn a_handler_that_watches_its_link_still_holds_its_sender_back() {
    run(|| async {
        let mut server = serve(ServerLimits::default()).await;
        let mut raw = Raw::connect(server.end.address()).await;
        raw.send(r#"{"type":"pass","name":"watch"}"#).await;
        assert_eq!(server.next().await, Seen::Waits);
        let spaces = " ".repeat(60_000);
        let frame = |n| format!(r#"{{"type":"pass","name":"load","data":{{"n":{n}}}{spaces}}}"#);
        let sent = raw.send_until_stuck((0..1_024).map(frame)).await;
        assert!(sent < 1_024, "the reader stops");
        assert!(server.seen.try_recv().is_err());
    });
}

#[test]
fn a_client_tells_its_own_handlers_and_holders() {
    run(|| async {
        let server = serve(ServerLimits::default()).await;
        let client = connect(server.end.address()).await;
        let waiting = client.end.clone();
        let told = tokio::spawn(async move { waiting.closed().await });
        client.end.send(Load { n: 1 }).await.unwrap();
        client.end.close().await;
        assert_eq!(told.await.unwrap(), CloseReason::Closed);
    });
}

#[test]
fn handlers_of_one_lost_link_do_not_hold_others() {
    run(|| async {
        let mut server = serve(ServerLimits::default()).await;
        let first = connect(server.end.address()).await;
        first.end.send(CallLater).await.unwrap();
        assert_eq!(server.next().await, Seen::Waits);
        drop(first);
        let second = connect(server.end.address()).await;
        second.end.confirm(Load { n: 2 }).await.unwrap();
        assert_eq!(server.next().await, Seen::Load(2));
        let mut watch = second.end.request(WatchBeside);
        assert!(protocol_tests::still_waits(&mut watch).await);
        assert_eq!(server.next().await, Seen::Waits);
    });
}
