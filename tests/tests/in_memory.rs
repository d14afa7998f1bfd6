//! Both ends in one process, over a pipe: the same handlers and the same bytes, and time that
//! jumps to the next deadline.

use std::sync::Arc;
use std::time::Duration;

use protocol_core::{
    AtClient, Client, CloseReason, Context, Event, EventError, EventSet, Limits, PeerId, Protocol,
    RequestError, SendError, Server, ServerLimits,
};
use protocol_tests::{run, run_paused, still_waits};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, advance, sleep};

#[derive(Debug, Event)]
#[event(pass)]
struct Say {
    text: String,
}

#[derive(Debug, Event)]
#[event(request, response = Guess, error = NoIdea, timeout = "90s")]
struct Riddle {
    text: String,
}

#[derive(Debug, PartialEq, Event)]
#[event(response)]
struct Guess(String);

#[derive(Debug, PartialEq, thiserror::Error, EventError)]
enum NoIdea {
    #[error("after {tries} tries I give up")]
    GaveUp { tries: u8 },
}

/// Is answered after the handler slept.
#[derive(Debug, Event)]
#[event(request, response = Guess)]
struct Ponder {
    seconds: u64,
}

#[derive(Debug, Event)]
#[event(request, response = Guess, concurrent)]
struct PonderBeside {
    seconds: u64,
}

#[derive(Debug, EventSet)]
enum ToSphinx {
    Say(Say),
    Riddle(Riddle),
    Ponder(Ponder),
    PonderBeside(PonderBeside),
}

#[derive(Debug, Event)]
#[event(request, response = Guess)]
struct Hint {
    letter: char,
}

#[derive(Debug, EventSet)]
enum FromSphinx {
    Hint(Hint),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToSphinx, to_client = FromSphinx)]
struct Thebes;

struct Sphinx {
    heard: UnboundedSender<String>,
}

impl ToSphinxHandler<Thebes> for Sphinx {
    async fn on_say(&self, cx: &Context<Thebes>, event: Say) {
        assert_eq!(cx.address(), None);
        if let Some(name) = event.text.strip_prefix("I am ") {
            assert!(cx.identify(PeerId::new(name).unwrap()));
        }
        self.heard.send(event.text).unwrap();
    }

    async fn on_riddle(&self, cx: &Context<Thebes>, event: Riddle) -> Result<Guess, NoIdea> {
        let letter = event
            .text
            .chars()
            .next()
            .ok_or(NoIdea::GaveUp { tries: 3 })?;
        Ok(cx.request(Hint { letter }).await.unwrap())
    }

    async fn on_ponder(&self, _cx: &Context<Thebes>, event: Ponder) -> Guess {
        sleep(Duration::from_secs(event.seconds)).await;
        Guess("at last".into())
    }

    async fn on_ponder_beside(&self, _cx: &Context<Thebes>, event: PonderBeside) -> Guess {
        sleep(Duration::from_secs(event.seconds)).await;
        Guess("at last".into())
    }
}

/// Gives hints, as many as there are permits.
struct Oedipus {
    hints: Arc<Semaphore>,
}

impl FromSphinxHandler<Thebes, AtClient> for Oedipus {
    async fn on_hint(&self, _cx: &Context<Thebes, AtClient>, event: Hint) -> Guess {
        self.hints.acquire().await.unwrap().forget();
        Guess(format!("starts with {}", event.letter))
    }
}

struct Met {
    server: Server<Thebes>,
    client: Client<Thebes>,
    heard: UnboundedReceiver<String>,
    hints: Arc<Semaphore>,
}

async fn meet() -> Met {
    meet_with(ServerLimits::default(), Limits::client()).await
}

async fn meet_with(of_server: ServerLimits, of_client: Limits) -> Met {
    let (tell, heard) = unbounded_channel();
    let server = Server::<Thebes>::in_memory()
        .limits(of_server)
        .handle(Sphinx { heard: tell })
        .await
        .unwrap();
    let hints = Arc::new(Semaphore::new(1_000));
    let client = Client::connect_in_memory(&server)
        .limits(of_client)
        .handle(Oedipus {
            hints: Arc::clone(&hints),
        })
        .await
        .unwrap();
    Met {
        server,
        client,
        heard,
        hints,
    }
}

fn say(text: &str) -> Say {
    Say { text: text.into() }
}

fn riddle(text: &str) -> Riddle {
    Riddle { text: text.into() }
}

#[test]
fn passes_confirmed_passes_requests_and_calls_back_work_without_a_socket() {
    run(async {
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
    run(async {
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
    run(async {
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

#[test]
fn a_request_in_flight_is_answered_before_a_server_in_memory_ends() {
    run_paused(async {
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
        let gone = Client::connect_in_memory(&met.server).handle(Oedipus { hints: met.hints });
        let closed = gone.await.unwrap().closed().await;
        assert_eq!(closed, CloseReason::PeerClosed);
    });
}

#[test]
fn a_full_server_in_memory_takes_no_more() {
    run(async {
        let mut limits = ServerLimits::default();
        limits.connections = 1;
        let met = meet_with(limits, Limits::client()).await;
        met.client.confirm(say("first")).await.unwrap();
        let hints = Arc::clone(&met.hints);
        let second = Client::connect_in_memory(&met.server).handle(Oedipus { hints });
        let second = second.await.unwrap();
        second.closed().await;
        assert!(second.confirm(say("second")).await.is_err());
        met.client.confirm(say("still here")).await.unwrap();
    });
}

/// What must not differ between two moments of a clock that stands still.
async fn elapsed<T>(future: impl Future<Output = T>) -> (T, Duration) {
    let started = Instant::now();
    let output = future.await;
    (output, started.elapsed())
}

#[test]
fn a_deadline_passes_exactly_and_at_once() {
    run_paused(async {
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
    run_paused(async {
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
    run_paused(async {
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
    run_paused(async {
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
    run_paused(async {
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
    run_paused(async {
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
    run_paused(async {
        let met = meet().await;
        let after = Duration::from_secs(20);
        let mut call = met.client.request(Ponder { seconds: 50 }).timeout(after);
        assert!(still_waits(&mut call).await);
        tokio::task::yield_now().await;
        advance(Duration::from_secs(21)).await;
        assert_eq!(call.await, Err(RequestError::Timeout { after }));
    });
}
