//! How long a call waits, and what it says when nothing came.

use std::time::{Duration, Instant};

use protocol_core::{Client, Limits, RequestError, SendError};
use protocol_tests::{PlainOrEncrypted, RawServer, Seen, both::run, notices, still_waits};

use crate::desk::{
    Add, AtDesk, Hold, HoldBriefly, Lend, Library, Note, Open, Released, Sign, Sum, desk, reader,
};
use protocol_core::Server;

const FAR: Duration = Duration::from_secs(50);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn client_limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::client();
    change(&mut limits);
    limits
}

#[test]
fn the_timeout_of_an_event_ends_its_call() {
    run(|| async {
        let open = Open::new().await;
        let started = Instant::now();
        let error = open.client.request(HoldBriefly).await.unwrap_err();
        assert!(started.elapsed() >= ms(100));
        assert_eq!(error, RequestError::Timeout { after: ms(100) });
        assert!(error.is_unknown(), "it may have been executed");
        assert!(!error.is_retryable());
        open.leave.add_permits(1);
    });
}

#[test]
fn the_timeout_of_a_call_overrides_that_of_its_event() {
    run(|| async {
        let mut open = Open::new().await;
        let call = open.client.request(HoldBriefly).timeout(ms(30));
        let error = call.await.unwrap_err();
        assert_eq!(error, RequestError::Timeout { after: ms(30) });
        assert_eq!(open.next().await, AtDesk::HoldBegan);
        open.leave.add_permits(1);

        let client = open.client.clone();
        let mut longer = client.request(HoldBriefly).timeout(FAR);
        assert!(still_waits(&mut longer).await);
        assert_eq!(open.next().await, AtDesk::HoldBegan);
        // Awaited with its event's own deadline beside it, so that this one is past.
        let error = open.client.request(HoldBriefly).await.unwrap_err();
        assert_eq!(error, RequestError::Timeout { after: ms(100) });
        assert!(still_waits(&mut longer).await);
        open.leave.add_permits(2);
        assert_eq!(longer.await, Ok(Released));
    });
}

#[test]
fn the_limits_say_how_long_calls_wait_by_default() {
    run(|| async {
        let limits = client_limits(|limits| {
            limits.request_timeout = ms(40);
            limits.confirm_timeout = ms(60);
        });
        let open = Open::limited(limits, Limits::server()).await;
        let requested = open.client.request(Hold).await;
        assert_eq!(requested, Err(RequestError::Timeout { after: ms(40) }));
        let confirmed = open.client.confirm(Sign).await.unwrap_err();
        assert_eq!(confirmed, RequestError::Timeout { after: ms(60) });
        assert!(confirmed.is_unknown());
        assert!(!confirmed.is_retryable());
        open.leave.add_permits(2);
    });
}

#[test]
fn the_standard_limits_are_ten_and_thirty_seconds() {
    for limits in [Limits::client(), Limits::server()] {
        assert_eq!(limits.request_timeout, Duration::from_secs(10));
        assert_eq!(limits.confirm_timeout, Duration::from_secs(30));
        assert_eq!(limits.send_timeout, Duration::from_secs(10));
    }
}

#[test]
fn a_late_answer_is_ignored_and_the_link_goes_on() {
    run(|| async {
        let (desk, mut at_desk, leave) = desk();
        let server = Server::<Library>::bind("127.0.0.1:0")
            .plain_or_encrypted()
            .handle(desk)
            .await
            .unwrap();
        let (observer, mut notices) = notices();
        let client = Client::<Library>::connect(server.address())
            .plain_or_encrypted()
            .observe(observer)
            .handle(reader().0)
            .await
            .unwrap();
        let result = client.request(Hold).timeout(ms(20)).await;
        assert_eq!(result, Err(RequestError::Timeout { after: ms(20) }));
        assert_eq!(at_desk.recv().await, Some(AtDesk::HoldBegan));
        leave.add_permits(1);
        assert_eq!(notices.next().await, Seen::AnswerIgnored);
        let sum = client.request(Add { a: 1, b: 2 }).await;
        assert_eq!(sum, Ok(Sum { sum: 3 }));
        assert_eq!(notices.try_next(), None);
    });
}

#[test]
fn dropping_a_call_frees_its_place() {
    run(|| async {
        let (desk, mut at_desk, leave) = desk();
        let server = Server::<Library>::bind("127.0.0.1:0")
            .plain_or_encrypted()
            .handle(desk)
            .await
            .unwrap();
        let (observer, mut notices) = notices();
        let client = Client::<Library>::connect(server.address())
            .plain_or_encrypted()
            .limits(client_limits(|limits| limits.open_calls = 1))
            .observe(observer)
            .handle(reader().0)
            .await
            .unwrap();
        for _ in 0..3 {
            let mut dropped = client.request(Hold).timeout(FAR);
            assert!(still_waits(&mut dropped).await);
            assert_eq!(at_desk.recv().await, Some(AtDesk::HoldBegan));
            // With the place taken, this one waits at home.
            let mut waits = client.request(Add { a: 1, b: 2 });
            assert!(still_waits(&mut waits).await);
            drop(dropped);
            leave.add_permits(1);
            assert_eq!(waits.await, Ok(Sum { sum: 3 }));
            assert_eq!(notices.next().await, Seen::AnswerIgnored);
        }
    });
}

#[test]
fn a_call_that_was_dropped_while_it_waited_is_never_sent() {
    run(|| async {
        let limits = client_limits(|limits| limits.open_calls = 1);
        let mut open = Open::limited(limits, Limits::server()).await;
        let client = open.client.clone();
        let mut first = client.request(Hold).timeout(FAR);
        assert!(still_waits(&mut first).await);
        assert_eq!(open.next().await, AtDesk::HoldBegan);
        let mut second = client.confirm(Sign);
        assert!(still_waits(&mut second).await);
        drop(second);
        open.leave.add_permits(1);
        assert_eq!(first.await, Ok(Released));
        open.client.send(Note { n: 1 }).await.unwrap();
        assert_eq!(open.next().await, AtDesk::Note(1));
    });
}

#[test]
fn a_call_that_waits_for_its_place_ends_by_its_own_deadline() {
    run(|| async {
        let limits = client_limits(|limits| limits.open_calls = 1);
        let mut open = Open::limited(limits, Limits::server()).await;
        let client = open.client.clone();
        let mut first = client.request(Hold).timeout(FAR);
        assert!(still_waits(&mut first).await);
        assert_eq!(open.next().await, AtDesk::HoldBegan);
        let call = client.request(Add { a: 1, b: 2 }).timeout(ms(50));
        let error = call.await.unwrap_err();
        let full = SendError::QueueFull { after: ms(50) };
        assert_eq!(error, RequestError::NotSent(full));
        assert!(still_waits(&mut first).await);
        open.leave.add_permits(1);
        assert_eq!(first.await, Ok(Released));
        let sum = client.request(Add { a: 1, b: 2 }).await;
        assert_eq!(sum, Ok(Sum { sum: 3 }));
    });
}

/// A client whose server accepts and never reads, and the server's end.
async fn unread(limits: Limits) -> (Client<Library>, protocol_tests::Raw) {
    let server = RawServer::bind().await;
    let client = Client::<Library>::connect(server.address())
        .plain_or_encrypted()
        .limits(limits);
    let (client, raw) = tokio::join!(client.handle(reader().0), server.accept());
    (client.unwrap(), raw)
}

fn big() -> Lend {
    let title = "x".repeat(60_000);
    Lend { title }
}

/// Sends until nothing more fits anywhere: not into the sockets, not into the queue.
async fn stuff(client: &Client<Library>, after: Duration) {
    loop {
        match client.send(big()).timeout(after).await {
            Ok(()) => {}
            Err(error) => {
                assert_eq!(error, SendError::QueueFull { after });
                assert!(error.is_retryable());
                return;
            }
        }
    }
}

#[test]
fn what_never_got_a_place_in_the_queue_was_not_sent() {
    run(|| async {
        let limits = client_limits(|limits| {
            limits.outbound_events = 4;
            limits.outbound_bytes = 100_000;
            limits.write_stall = FAR;
        });
        let (client, _raw) = unread(limits).await;
        stuff(&client, ms(300)).await;
        let full = SendError::QueueFull { after: ms(50) };
        let error = client.request(Add { a: 1, b: 2 }).timeout(ms(50)).await;
        let error = error.unwrap_err();
        assert_eq!(error, RequestError::NotSent(full.clone()));
        assert!(error.is_retryable(), "it was certainly not executed");
        assert!(!error.is_unknown());
        let error = client.confirm(Sign).timeout(ms(50)).await.unwrap_err();
        assert_eq!(error, RequestError::NotSent(full));
        assert!(error.is_retryable());
    });
}

#[test]
fn the_limits_say_how_long_a_pass_waits_for_its_place() {
    run(|| async {
        let limits = client_limits(|limits| {
            limits.outbound_events = 4;
            limits.outbound_bytes = 100_000;
            limits.write_stall = FAR;
            limits.send_timeout = ms(40);
        });
        let (client, _raw) = unread(limits).await;
        stuff(&client, ms(300)).await;
        let error = client.send(Note { n: 1 }).await.unwrap_err();
        assert_eq!(error, SendError::QueueFull { after: ms(40) });
    });
}

#[test]
fn a_call_behind_output_that_nobody_reads_ends_by_its_deadline() {
    run(|| async {
        let limits = client_limits(|limits| {
            limits.outbound_bytes = 100_000;
            limits.write_stall = FAR;
        });
        let (client, _raw) = unread(limits).await;
        // Wherever it stops on its way out, each of these calls ends in time.
        for _ in 0..10 {
            let mut passes = Vec::new();
            for _ in 0..20 {
                let mut pass = client.send(big()).timeout(ms(200));
                if still_waits(&mut pass).await {
                    passes.push(pass);
                }
            }
            let started = Instant::now();
            let result = client.request(Add { a: 1, b: 2 }).timeout(ms(50)).await;
            match result {
                Err(RequestError::Timeout { after }) => assert_eq!(after, ms(50)),
                Err(RequestError::NotSent(error)) => {
                    assert_eq!(error, SendError::QueueFull { after: ms(50) });
                }
                other => panic!("{other:?}"),
            }
            assert!(started.elapsed() < Duration::from_secs(5));
        }
    });
}

#[test]
fn a_pass_that_had_to_wait_is_sent_once_there_is_room() {
    run(|| async {
        let limits = client_limits(|limits| {
            limits.outbound_events = 4;
            limits.outbound_bytes = 100_000;
        });
        let (client, mut raw) = unread(limits).await;
        stuff(&client, ms(300)).await;
        let mut pass = client.send(Note { n: 9 }).timeout(FAR);
        assert!(still_waits(&mut pass).await);
        let note = r#"{"type":"pass","name":"note","data":{"n":9}}"#;
        while raw.line().await.expect("the link is up") != note {}
        pass.await.unwrap();
    });
}
