//! A link that is lost: what its open calls say, and what can still be done.

use std::io::ErrorKind;
use std::time::Duration;

use protocol_core::wire::{ErrorCode, WireError};
use protocol_core::{CloseReason, Limits, RequestError, SendError, ServerLimits};
use protocol_tests::{Raw, RawServer, both::run, still_waits, vanished};

use crate::depot::{Freight, Load, Seen, Site, Wait, Waited, connect_with, serve};
use protocol_core::Client;

/// A client of a bare server.
async fn to_raw(limits: Limits) -> (Site<Client<Freight>>, Raw) {
    let server = RawServer::bind().await;
    tokio::join!(connect_with(server.address(), limits), server.accept())
}

fn small_queues() -> Limits {
    let mut limits = Limits::client();
    limits.open_calls = 2;
    limits.outbound_events = 1;
    limits
}

#[test]
fn each_open_call_ends_at_once_when_the_link_is_lost() {
    run(|| async {
        let (client, mut raw) = to_raw(small_queues()).await;
        let client = client.end;
        let mut request = client.request(Wait);
        assert!(still_waits(&mut request).await);
        raw.line().await.unwrap();
        let mut confirm = client.confirm(Load { n: 1 });
        assert!(still_waits(&mut confirm).await);
        raw.line().await.unwrap();
        // Neither of these has a place: one waits in the queue, the others for it.
        let mut unwritten = [
            client.request(Wait),
            client.request(Wait),
            client.request(Wait),
        ];
        for call in &mut unwritten {
            assert!(still_waits(call).await);
        }
        drop(raw);

        assert_eq!(request.await, Err(RequestError::Lost(vanished())));
        let lost = confirm.await.unwrap_err();
        assert_eq!(lost, RequestError::Lost(vanished()));
        assert!(lost.is_unknown(), "it may have been executed");
        assert!(!lost.is_retryable());
        assert!(lost.is_closed());
        let closed = SendError::Closed(vanished());
        for call in unwritten {
            let error = call.await.unwrap_err();
            assert_eq!(error, RequestError::NotSent(closed.clone()));
            assert!(!error.is_retryable(), "not on this link");
            assert!(error.is_closed());
            assert!(!error.is_unknown(), "it was certainly not executed");
        }
        assert_eq!(client.closed().await, vanished());
        assert_eq!(client.close_reason(), Some(vanished()));
    });
}

#[test]
fn calls_after_the_end_fail_at_once() {
    run(|| async {
        let (client, raw) = to_raw(Limits::client()).await;
        let client = client.end;
        assert_eq!(client.close_reason(), None);
        drop(raw);
        assert_eq!(client.closed().await, vanished());
        let closed = SendError::Closed(vanished());
        assert!(!closed.is_retryable(), "not on this link");
        assert!(closed.is_closed());
        let mut send = client.send(Load { n: 1 });
        assert!(
            !still_waits(&mut send).await,
            "it is ready when first polled"
        );
        for _ in 0..3 {
            assert_eq!(client.send(Load { n: 1 }).await, Err(closed.clone()));
            let not_sent = RequestError::NotSent(closed.clone());
            assert_eq!(client.confirm(Load { n: 1 }).await, Err(not_sent));
            let not_sent = RequestError::NotSent(closed.clone());
            assert_eq!(client.request(Wait).await, Err(not_sent));
        }
        client.clone().close().await;
    });
}

#[test]
fn a_reset_by_the_server_loses_the_link() {
    run(|| async {
        let (client, mut raw) = to_raw(Limits::client()).await;
        let client = client.end;
        let mut request = client.request(Wait);
        assert!(still_waits(&mut request).await);
        raw.line().await.unwrap();
        raw.reset();
        let error = request.await.unwrap_err();
        assert!(error.is_unknown());
        let RequestError::Lost(CloseReason::Io { kind, .. }) = error else {
            panic!("{error:?}");
        };
        assert_eq!(kind, ErrorKind::ConnectionReset);
        let CloseReason::Io { kind, .. } = client.closed().await else {
            panic!("{:?}", client.close_reason());
        };
        assert_eq!(kind, ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_server_that_breaks_the_protocol_is_told_so_and_loses_the_link() {
    run(|| async {
        let (client, mut raw) = to_raw(Limits::client()).await;
        let client = client.end;
        let mut request = client.request(Wait);
        assert!(still_waits(&mut request).await);
        raw.line().await.unwrap();
        raw.send("nonsense").await;
        let word = raw.json().await;
        assert_eq!(word["name"], "protocol_error");
        assert_eq!(word["data"]["code"], "bad_frame");
        assert_eq!(raw.line().await, None, "then it hears no more");
        let error = request.await.unwrap_err();
        let RequestError::Lost(CloseReason::Violated(error)) = error else {
            panic!("{error:?}");
        };
        assert_eq!(error.standard(), Some(ErrorCode::BadFrame));
    });
}

#[test]
fn the_last_word_of_a_server_is_the_reason() {
    run(|| async {
        let (client, mut raw) = to_raw(Limits::client()).await;
        let client = client.end;
        let word = r#"{"code":"rate_limited","message":"slower"}"#;
        raw.send(&format!(
            r#"{{"type":"pass","name":"protocol_error","data":{word}}}"#
        ))
        .await;
        let error = WireError::new(ErrorCode::RateLimited, "slower");
        assert_eq!(client.closed().await, CloseReason::RefusedByPeer(error));
    });
}

#[test]
fn a_peer_cannot_speak_the_servers_last_word() {
    run(|| async {
        let (mut client, mut raw) = to_raw(Limits::client()).await;
        let word = r#"{"code":"internal","message":"down"}"#;
        raw.send(&format!(
            r#"{{"type":"pass","name":"protocol_error","from":"eve","data":{word}}}"#
        ))
        .await;
        raw.send(r#"{"type":"pass","name":"unload","data":{"n":1}}"#)
            .await;
        assert_eq!(client.next().await, Seen::Unload(1));
        assert_eq!(client.end.close_reason(), None);
    });
}

#[test]
fn events_that_arrived_whole_before_the_loss_are_handled_at_the_client() {
    run(|| async {
        let (mut client, mut raw) = to_raw(Limits::client()).await;
        // The first holds the others up until the link is lost.
        let unload =
            |n| format!("{{\"type\":\"pass\",\"name\":\"unload\",\"data\":{{\"n\":{n}}}}}\n");
        let all: String = (0..200).map(unload).collect();
        raw.write(all.as_bytes()).await;
        raw.write(unload(200).trim_end().as_bytes()).await;
        drop(raw);
        assert_eq!(client.next().await, Seen::Waits);
        client.go.add_permits(1);
        assert_eq!(client.next().await, Seen::Done);
        assert_eq!(client.next().await, Seen::Gone);
        for n in 0..200 {
            assert_eq!(client.next().await, Seen::Unload(n));
        }
        assert_eq!(client.end.closed().await, vanished());
        client.end.close().await;
        assert!(client.seen.try_recv().is_err(), "the last had not arrived");
    });
}

#[test]
fn what_arrived_before_the_end_is_handled_and_answered_at_the_server() {
    run(|| async {
        let mut server = serve(ServerLimits::default()).await;
        let mut raw = Raw::connect(server.end.address()).await;
        raw.send(r#"{"type":"request","name":"wait","request_id":"0"}"#)
            .await;
        for n in 1..=100 {
            let data = format!(r#""data":{{"n":{n}}}"#);
            raw.send(&format!(
                r#"{{"type":"confirm_pass","name":"load",{data},"pass_id":"{n}"}}"#
            ))
            .await;
        }
        raw.end().await;
        assert_eq!(server.next().await, Seen::Waits);
        server.go.add_permits(1);
        assert_eq!(raw.json().await["request_id"], "0");
        for n in 1..=100 {
            assert_eq!(raw.json().await["pass_id"], n.to_string());
        }
        assert_eq!(raw.line().await, None);
    });
}

#[test]
fn a_reset_by_a_client_leaves_the_server_up() {
    run(|| async {
        let mut server = serve(ServerLimits::default()).await;
        for _ in 0..20 {
            let mut raw = Raw::connect(server.end.address()).await;
            raw.send(r#"{"type":"pass","name":"load","data":{"n":1}}"#)
                .await;
            assert_eq!(server.next().await, Seen::Load(1));
            raw.send(r#"{"type":"request","name":"wait","request_id":"1"}"#)
                .await;
            assert_eq!(server.next().await, Seen::Waits);
            raw.reset();
            server.go.add_permits(1);
            assert_eq!(server.next().await, Seen::Done);
            assert_eq!(server.next().await, Seen::Gone);
        }
        while server.end.connections() > 0 {
            tokio::task::yield_now().await;
        }
        let client = connect_with(server.end.address(), Limits::client()).await;
        server.go.add_permits(1);
        assert_eq!(client.end.request(Wait).await, Ok(Waited));
    });
}

#[test]
fn a_peer_that_reads_nothing_is_given_up() {
    run(|| async {
        let mut limits = Limits::client();
        limits.write_stall = Duration::from_millis(300);
        let (client, _raw) = to_raw(limits).await;
        let client = client.end;
        let sending = client.clone();
        let sender = tokio::spawn(async move {
            loop {
                if let Err(error) = sending.send(Load { n: 1 }).await {
                    return error;
                }
            }
        });
        let stalled = CloseReason::Stalled {
            after: Duration::from_millis(300),
        };
        assert_eq!(client.closed().await, stalled);
        assert_eq!(sender.await.unwrap(), SendError::Closed(stalled));
    });
}

#[test]
fn a_frame_that_does_not_end_in_time_ends_the_link() {
    run(|| async {
        let mut limits = ServerLimits::default();
        limits.connection.frame_timeout = Duration::from_millis(50);
        let server = serve(limits).await;
        let mut raw = Raw::connect(server.end.address()).await;
        raw.write(b"{\"type\":").await;
        let word = raw.json().await;
        assert_eq!(word["name"], "protocol_error");
        assert_eq!(word["data"]["code"], "timeout");
        assert_eq!(raw.line().await, None);
    });
}
