//! A client that closes, or is dropped: what it sent still arrives.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use protocol_core::{CloseReason, Limits, RequestError, SendError, ServerLimits};
use protocol_tests::{
    both::{self, run},
    still_waits,
};
use tokio::runtime::{Builder, Runtime};

use crate::depot::{Load, Seen, Wait, WaitBeside, Waited, connect, connect_with, serve};

#[test]
fn close_writes_what_was_sent() {
    run(|| async {
        let mut server = serve(ServerLimits::default()).await;
        let client = connect(server.end.address()).await.end;
        for n in 0..5_000 {
            client.send(Load { n }).await.unwrap();
        }
        client.close().await;
        for n in 0..5_000 {
            assert_eq!(server.next().await, Seen::Load(n));
        }
    });
}

#[test]
fn dropping_the_last_clone_writes_what_was_sent() {
    run(|| async {
        let mut server = serve(ServerLimits::default()).await;
        let client = connect(server.end.address()).await.end;
        let clone = client.clone();
        for n in 0..5_000 {
            client.send(Load { n }).await.unwrap();
        }
        drop(client);
        clone.confirm(Load { n: 5_000 }).await.unwrap();
        clone.send(Load { n: 5_001 }).await.unwrap();
        drop(clone);
        for n in 0..=5_001 {
            assert_eq!(server.next().await, Seen::Load(n));
        }
        while server.end.connections() > 0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn close_ends_the_link_for_all_clones() {
    run(|| async {
        let server = serve(ServerLimits::default()).await;
        let client = connect(server.end.address()).await.end;
        let clone = client.clone();
        let other = client.clone();
        client.close().await;
        assert_eq!(clone.close_reason(), Some(CloseReason::Closed));
        assert_eq!(clone.closed().await, CloseReason::Closed);
        let closed = SendError::Closed(CloseReason::Closed);
        assert_eq!(clone.send(Load { n: 1 }).await, Err(closed.clone()));
        let not_sent = RequestError::NotSent(closed);
        assert_eq!(clone.request(Wait).await, Err(not_sent));
        clone.close().await;
        other.close().await;
    });
}

#[test]
fn an_answer_that_comes_soon_after_close_still_counts() {
    run(|| async {
        let mut limits = Limits::client();
        limits.linger = Duration::from_secs(20);
        let mut server = serve(ServerLimits::default()).await;
        let client = connect_with(server.end.address(), limits).await.end;
        let closing = client.clone();
        let (mut wait, mut beside) = (client.request(WaitBeside), client.request(Wait));
        assert!(still_waits(&mut wait).await);
        assert!(still_waits(&mut beside).await);
        assert_eq!(server.next().await, Seen::Waits);
        assert_eq!(server.next().await, Seen::Waits);
        let mut close = Box::pin(closing.close());
        assert!(still_waits(&mut close).await);
        let closed = SendError::Closed(CloseReason::Closed);
        assert_eq!(client.send(Load { n: 1 }).await, Err(closed));
        server.go.add_permits(2);
        assert_eq!(wait.await, Ok(Waited));
        assert_eq!(beside.await, Ok(Waited));
        close.await;
    });
}

#[test]
fn a_call_without_an_answer_is_lost_once_the_closed_link_lingered() {
    run(|| async {
        let mut limits = Limits::client();
        limits.linger = Duration::from_millis(100);
        let mut server = serve(ServerLimits::default()).await;
        let client = connect_with(server.end.address(), limits).await.end;
        let closing = client.clone();
        let mut call = client.request(Wait);
        assert!(still_waits(&mut call).await);
        assert_eq!(server.next().await, Seen::Waits);
        closing.close().await;
        let error = call.await.unwrap_err();
        assert_eq!(error, RequestError::Lost(CloseReason::Closed));
        assert!(error.is_unknown());
    });
}

#[test]
fn a_runtime_that_ends_leaves_no_call_waiting() {
    both::call(|| {
        let runtime = Runtime::new().unwrap();
        let (client, server) = runtime.block_on(async {
            let server = serve(ServerLimits::default()).await;
            (connect(server.end.address()).await.end, server)
        });
        let waiting = client.clone();
        let (tell, told) = channel();
        // The caller has a runtime of its own, which goes on.
        thread::spawn(move || {
            let other = Builder::new_current_thread().build().unwrap();
            other.block_on(async {
                let mut call = waiting.request(Wait);
                assert!(still_waits(&mut call).await);
                tell.send(None).unwrap();
                tell.send(Some(call.await)).unwrap();
            });
        });
        let at_most = Duration::from_secs(20);
        assert_eq!(told.recv_timeout(at_most), Ok(None));
        runtime.shutdown_timeout(at_most);
        let Ok(Some(Err(error))) = told.recv_timeout(at_most) else {
            panic!("the call ends with its driver");
        };
        assert!(
            matches!(
                error,
                RequestError::Lost(CloseReason::Closed | CloseReason::PeerClosed)
                    | RequestError::NotSent(SendError::Closed(_))
            ),
            "{error:?}"
        );
        assert!(client.close_reason().is_some());
        drop(server);
    });
}
