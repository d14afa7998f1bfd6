//! Deadlines, on a clock that jumps to them.

use std::time::Duration;

use protocol_core::{CloseReason, Limits, PeerId, RequestError, SendError, ServerLimits};
use protocol_tests::{both::run_paused, still_waits};
use tokio::time::{Instant, advance, sleep};

use crate::sphinx::{Guess, Hint, Ponder, PonderBeside, Say, meet, meet_with, riddle, say};

/// What must not differ between two moments of a clock that stands still.
async fn elapsed<T>(future: impl Future<Output = T>) -> (T, Duration) {
    let started = Instant::now();
    let output = future.await;
    (output, started.elapsed())
}

#[test]
fn a_deadline_passes_exactly_and_at_once() {
    run_paused(|| async {
        let real = std::time::Instant::now();
        let met = meet().await;
        for (timeout, seconds) in [(30, 40), (60, 61)] {
            let after = Duration::from_secs(timeout);
            let call = met.client.request(Ponder { seconds }).timeout(after);
            let (error, waited) = elapsed(call).await;
            assert_eq!(error, Err(RequestError::Timeout { after }));
            // A timer may be a millisecond late, never early.
            assert!(waited >= after, "{waited:?}");
            assert!(waited <= after + Duration::from_millis(2), "{waited:?}");
            sleep(Duration::from_mins(1)).await;
        }
        assert!(real.elapsed() < Duration::from_secs(10), "no time passed");
    });
}

#[test]
fn an_answer_just_before_the_deadline_counts_and_one_just_after_does_not() {
    run_paused(|| async {
        let met = meet().await;
        let ponder = || met.client.request(Ponder { seconds: 8 });
        let in_time = ponder().timeout(Duration::from_millis(8_010)).await;
        assert_eq!(in_time, Ok(Guess("at last".into())));
        let after = Duration::from_millis(7_990);
        let late = ponder().timeout(after).await;
        assert_eq!(late, Err(RequestError::Timeout { after }));
    });
}

#[test]
fn the_standard_deadlines_are_kept_to() {
    run_paused(|| async {
        let met = meet().await;
        let (error, waited) = elapsed(met.client.request(PonderBeside { seconds: 900 })).await;
        let after = Duration::from_secs(10);
        assert_eq!(error, Err(RequestError::Timeout { after }));
        assert_eq!(waited.as_secs(), 10);
        met.hints.forget_permits(1_000);
        let far = Duration::from_mins(5);
        let oedipus = PeerId::new("Oedipus").unwrap();
        met.client.confirm(say("I am Oedipus")).await.unwrap();
        let hint = met.server.to(&oedipus).request(Hint { letter: 'x' });
        let (error, waited) = elapsed(hint).await;
        assert_eq!(error, Err(RequestError::Timeout { after }));
        assert_eq!(waited.as_secs(), 10);
        let (error, waited) = elapsed(met.client.confirm(say("hello")).timeout(far)).await;
        assert_eq!((error, waited.as_secs()), (Ok(()), 0));
    });
}

#[test]
fn the_timeout_of_an_event_is_kept_to() {
    run_paused(|| async {
        let mut limits = ServerLimits::default();
        limits.connection.handler_timeout = Duration::from_mins(10);
        limits.connection.request_timeout = Duration::from_mins(10);
        let mut of_client = Limits::client();
        of_client.handler_timeout = Duration::from_mins(10);
        let met = meet_with(limits, of_client).await;
        met.hints.forget_permits(1_000);
        let (error, waited) = elapsed(met.client.request(riddle("man"))).await;
        let after = Duration::from_secs(90);
        assert_eq!(error, Err(RequestError::Timeout { after }));
        assert_eq!(waited.as_secs(), 90);
    });
}

#[test]
fn a_handler_has_a_minute() {
    run_paused(|| async {
        let met = meet().await;
        for beside in [false, true] {
            for (seconds, in_time) in [(59, true), (61, false)] {
                let far = Duration::from_mins(5);
                let client = &met.client;
                let (answer, waited) = if beside {
                    elapsed(client.request(PonderBeside { seconds }).timeout(far)).await
                } else {
                    elapsed(client.request(Ponder { seconds }).timeout(far)).await
                };
                assert_eq!(answer.is_ok(), in_time, "{beside} {answer:?}");
                assert_eq!(waited.as_secs(), seconds.min(60), "{beside}");
            }
        }
    });
}

#[test]
fn a_pipe_that_nobody_reads_stalls_in_time() {
    run_paused(|| async {
        let mut limits = Limits::client();
        limits.outbound_bytes = 10_000;
        let met = meet_with(ServerLimits::default(), limits).await;
        let mut ponder = met
            .client
            .request(Ponder { seconds: 55 })
            .timeout(Duration::from_mins(5));
        assert!(still_waits(&mut ponder).await);
        let text = "x".repeat(10_000);
        let started = Instant::now();
        let error = loop {
            let text = text.clone();
            if let Err(error) = met.client.send(Say { text }).await {
                break error;
            }
        };
        // The queue gives up first, then the link: each after ten seconds.
        assert!(
            matches!(error, SendError::QueueFull { .. } | SendError::Closed(_)),
            "{error:?}"
        );
        let after = Duration::from_secs(10);
        assert_eq!(met.client.closed().await, CloseReason::Stalled { after });
        assert_eq!(started.elapsed().as_secs(), 10);
        let lost = RequestError::Lost(CloseReason::Stalled { after });
        assert_eq!(ponder.await, Err(lost));
    });
}

#[test]
fn time_that_is_moved_by_hand_moves_deadlines() {
    run_paused(|| async {
        let met = meet().await;
        let after = Duration::from_secs(20);
        let mut call = met.client.request(Ponder { seconds: 50 }).timeout(after);
        assert!(still_waits(&mut call).await);
        tokio::task::yield_now().await;
        advance(Duration::from_secs(21)).await;
        assert_eq!(call.await, Err(RequestError::Timeout { after }));
    });
}
