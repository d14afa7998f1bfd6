//! What passes through the pipe, and when it is closed.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use protocol_core::{
    Client, CloseReason, ConnectError, Limits, PeerId, RequestError, ServerLimits,
};
use protocol_tests::{
    Links, PlainOrEncrypted,
    both::{run, run_paused},
    still_waits,
};
use tokio::time::sleep;

use crate::sphinx::{Guess, Hint, Met, NoIdea, Oedipus, Ponder, Say, meet, meet_with, riddle, say};

#[test]
fn passes_confirmed_passes_requests_and_calls_back_work_without_a_socket() {
    run(|| async {
        let mut met = meet().await;
        met.client.send(say("hello")).await.unwrap();
        assert_eq!(met.heard.recv().await.unwrap(), "hello");
        met.client.confirm(say("I am Oedipus")).await.unwrap();
        assert_eq!(met.heard.try_recv().unwrap(), "I am Oedipus");
        let guess = met.client.request(riddle("man")).await;
        assert_eq!(guess, Ok(Guess("starts with m".into())));
        let refused = met.client.request(riddle("")).await;
        let gave_up = RequestError::Refused(NoIdea::GaveUp { tries: 3 });
        assert_eq!(refused, Err(gave_up));
        let oedipus = PeerId::new("Oedipus").unwrap();
        let hint = met.server.to(&oedipus).request(Hint { letter: 'x' }).await;
        assert_eq!(hint, Ok(Guess("starts with x".into())));
        assert_eq!(met.server.connections(), 1);
        assert_eq!(met.server.address().port(), 0);
    });
}

#[test]
fn more_than_the_pipe_holds_passes_through_it_in_order() {
    run(|| async {
        let mut met = meet().await;
        let sender = met.client.clone();
        let sending = tokio::spawn(async move {
            for n in 0..200 {
                let text = format!("{n} {}", "x".repeat(20_000));
                sender.send(Say { text }).await.unwrap();
            }
        });
        for n in 0..200 {
            let text = met.heard.recv().await.unwrap();
            assert_eq!(text.split(' ').next().unwrap(), n.to_string());
            assert_eq!(text.len(), 20_001 + n.to_string().len());
        }
        sending.await.unwrap();
    });
}

#[test]
fn close_writes_what_was_sent_into_the_pipe() {
    run(|| async {
        let mut met = meet().await;
        for n in 0..2_000 {
            met.client.send(say(&n.to_string())).await.unwrap();
        }
        let clone = met.client.clone();
        met.client.close().await;
        for n in 0..2_000 {
            assert_eq!(met.heard.recv().await.unwrap(), n.to_string());
        }
        assert_eq!(clone.closed().await, CloseReason::Closed);
        while met.server.connections() > 0 {
            tokio::task::yield_now().await;
        }
    });
}

/// A pipe that finds no place is closed. A plain client hears it as the link's end, an encrypted one
/// has nobody to shake hands with.
async fn finds_no_place(met: &Met) {
    let hints = Arc::clone(&met.hints);
    let connect = Client::connect_in_memory(&met.server).plain_or_encrypted();
    let connected = connect.handle(Oedipus { hints }).await;
    match (Links::of_this_test(), connected) {
        (Links::Plain, Ok(client)) => {
            assert_eq!(client.closed().await, CloseReason::PeerClosed);
            assert!(client.confirm(say("nobody hears it")).await.is_err());
        }
        (Links::Encrypted, Err(ConnectError::Io(error))) => {
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        }
        (links, other) => panic!("over {links}: {other:?}"),
    }
}

#[test]
fn a_request_in_flight_is_answered_before_a_server_in_memory_ends() {
    run_paused(|| async {
        let met = meet().await;
        let mut in_flight = met.client.request(Ponder { seconds: 5 });
        assert!(still_waits(&mut in_flight).await);
        // On one thread, the server has it once everything has come to rest.
        sleep(Duration::from_secs(1)).await;
        let shut = met.server.shutdown(Duration::from_secs(20));
        let (answer, in_time) = tokio::join!(in_flight, shut);
        assert_eq!(answer, Ok(Guess("at last".into())));
        assert!(in_time);
        assert_eq!(met.client.closed().await, CloseReason::PeerClosed);
        finds_no_place(&met).await;
    });
}

#[test]
fn a_full_server_in_memory_takes_no_more() {
    run(|| async {
        let mut limits = ServerLimits::default();
        limits.connections = 1;
        let met = meet_with(limits, Limits::client()).await;
        met.client.confirm(say("first")).await.unwrap();
        finds_no_place(&met).await;
        met.client.confirm(say("still here")).await.unwrap();
    });
}
