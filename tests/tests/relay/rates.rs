//! Senders that are faster than they may be: they wait, others do not.

use std::time::{Duration, Instant};

use protocol_core::{Client, OpenRelay, RateLimits, Server, ServerLimits};
use protocol_tests::{
    PlainOrEncrypted,
    both::{run, run_paused},
};

use crate::hall::{AskMe, Done, Look, Meet, Note, hall, in_memory, serve};
use crate::lines::{by, is_served_next, pass, reads};

fn paced(events_per_second: u32, bytes_per_second: u32) -> impl FnOnce(&mut ServerLimits) {
    let mut rates = RateLimits::default();
    rates.events_per_second = events_per_second;
    rates.bytes_per_second = bytes_per_second;
    move |limits| limits.connection.rate_in = Some(rates)
}

/// On virtual time, where waiting is all that takes any.
#[test]
fn beyond_its_burst_a_client_gets_its_rate_and_others_do_not_wait() {
    run_paused(|| async {
        let mut hall = serve(
            Server::in_memory().plain_or_encrypted().relay(OpenRelay),
            paced(100, 0),
        )
        .await;
        let connect = || in_memory(&hall.server);
        let (flooding, other): (Client<Meet>, Client<Meet>) = tokio::join!(connect(), connect());
        let started = tokio::time::Instant::now();
        let flood = async {
            for n in 0..1_000 {
                flooding.send(Note(n.to_string())).await.unwrap();
            }
            assert_eq!(flooding.request(Look).await, Ok(Done(true)));
            started.elapsed()
        };
        let look = async {
            let mut longest = Duration::ZERO;
            for _ in 0..100 {
                let asked = tokio::time::Instant::now();
                assert_eq!(other.request(Look).await, Ok(Done(true)));
                longest = longest.max(asked.elapsed());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            longest
        };
        let (took, longest) = tokio::join!(flood, look);
        // 200 at once, and 10 ms for each of 800 more.
        let off = took.abs_diff(Duration::from_secs(8));
        assert!(off <= Duration::from_millis(30), "{took:?}");
        assert!(longest <= Duration::from_millis(2), "{longest:?}");
        for n in 0..1_000 {
            assert_eq!(hall.heard.try_recv(), Ok(n.to_string()));
        }
    });
}

#[test]
fn waves_to_a_peer_are_paced_as_they_come_in_and_none_is_lost() {
    run(|| async {
        let mut hall = hall(|limits| {
            paced(500, 0)(limits);
            limits.connection.outbound_events = 10_000;
        })
        .await;
        let mut alice = hall.enter("alice").await;
        let (mut bob, mut carol) = (hall.enter("bob").await, hall.enter("carol").await);
        let started = Instant::now();
        let all: String = (0..1_200)
            .map(|n| pass("bob", &n.to_string()) + "\n")
            .collect();
        alice.write(all.as_bytes()).await;
        let flooded = async {
            for n in 0..1_200 {
                reads(&mut bob, &by("alice", &pass("bob", &n.to_string()))).await;
            }
            started.elapsed()
        };
        let served = async {
            for _ in 0..10 {
                is_served_next(&mut carol).await;
            }
            started.elapsed()
        };
        let (flooded, served) = tokio::join!(flooded, served);
        // One of the burst was for entering, and the next begins the pause.
        assert!(flooded >= Duration::from_millis(390), "{flooded:?}");
        assert!(served < flooded, "{served:?}, {flooded:?}");
        assert_eq!(hall.notices.try_next(), None);
    });
}

#[test]
fn bytes_are_paced_too() {
    run_paused(|| async {
        let hall = serve(
            Server::in_memory().plain_or_encrypted().relay(OpenRelay),
            paced(0, 10_000),
        )
        .await;
        let client: Client<Meet> = in_memory(&hall.server).await;
        let started = tokio::time::Instant::now();
        for _ in 0..50 {
            client.send(Note("x".repeat(1_000))).await.unwrap();
        }
        assert_eq!(client.request(Look).await, Ok(Done(true)));
        // 20,000 bytes at once, and some 32,000 more.
        let took = started.elapsed();
        let (least, most) = (Duration::from_secs(3), Duration::from_millis(3_500));
        assert!(least <= took && took <= most, "{took:?}");
    });
}

#[test]
fn a_rate_of_zero_is_none() {
    run_paused(|| async {
        let hall = serve(
            Server::in_memory().plain_or_encrypted().relay(OpenRelay),
            paced(0, 0),
        )
        .await;
        let client: Client<Meet> = in_memory(&hall.server).await;
        let started = tokio::time::Instant::now();
        for n in 0..5_000 {
            client.send(Note(n.to_string())).await.unwrap();
        }
        assert_eq!(client.request(Look).await, Ok(Done(true)));
        assert!(started.elapsed() < Duration::from_millis(10));
    });
}

/// The server's own calls go on while it paces the client that answers them.
#[test]
fn answers_to_the_server_are_paced_and_arrive() {
    run_paused(|| async {
        let hall = serve(
            Server::in_memory().plain_or_encrypted().relay(OpenRelay),
            paced(10, 0),
        )
        .await;
        let client: Client<Meet> = in_memory(&hall.server).await;
        let started = tokio::time::Instant::now();
        for _ in 0..20 {
            assert_eq!(client.request(AskMe).await, Ok(Done(true)));
        }
        // 20 of these 40 frames at once, then one in 100 ms.
        let took = started.elapsed();
        let (least, most) = (Duration::from_millis(1_900), Duration::from_millis(2_100));
        assert!(least <= took && took <= most, "{took:?}");
    });
}
