//! A thousand sockets that say nothing, or next to nothing: each is gone in time, others are served
//! meanwhile, and then the places are free.

use std::ops::Range;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use crate::bare::{Bare, sockets};
use crate::choose;
use crate::figures::p99;
use crate::place::Place;
use crate::ring::{Plan, Ring};

/// How much later than due a busy machine may be.
const LATE: Duration = Duration::from_secs(3);

/// How much earlier: the server dates what arrives by the start of its visit to the link.
const EARLY: Duration = Duration::from_millis(100);

/// The longest that others may wait, of 99 in 100.
const SERVED: Duration = Duration::from_secs(1);

/// Between two bytes of those who say a byte now and then.
const DRIP: Duration = Duration::from_millis(250);

const OTHERS: u32 = 4;

/// What they do, and what they may have done before they are gone.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Never says anything.
    Stranger,
    /// Logs in, and then sends one frame, a byte at a time.
    Dripping,
    /// Logs in and pings, and then says nothing.
    Fallen,
}

pub(crate) async fn is_ended_in_time() {
    let each = sockets(1_000) / 3;
    let all = 3 * each + OTHERS as usize;
    let login = choose(Duration::from_secs(3), Duration::from_secs(5));
    let frame = choose(Duration::from_secs(4), Duration::from_secs(10));
    let silence = choose(Duration::from_secs(5), Duration::from_secs(45));
    let mut place = Place::start(&[
        format!("connections={all}"),
        format!("login_ms={}", login.as_millis()),
        format!("frame_ms={}", frame.as_millis()),
        format!("silence_ms={}", silence.as_millis()),
    ]);
    let plan = Plan {
        members: OTHERS,
        every: Duration::from_millis(20),
        wave_at: None,
    };
    let ring = Ring::start(place.address(), plan).await;
    let memory = place.memory();
    let start = Instant::now();
    let mut silent = JoinSet::new();
    let kinds = [
        (Kind::Fallen, silence),
        (Kind::Dripping, frame),
        (Kind::Stranger, login),
    ];
    for (kind, limit) in kinds {
        for number in 0..each {
            let connects = Instant::now();
            let link = Bare::connect(place.address()).await;
            silent.spawn(stays(link, connects, kind, number, limit));
        }
    }
    // Nobody else finds a place.
    let mut late = Bare::connect(place.address()).await;
    let word = late.line().await.unwrap_or_default();
    assert!(word.contains("\"unavailable\""), "{word}");
    while let Some(gone) = silent.join_next().await {
        gone.expect("each is gone in time");
    }
    place.until(OTHERS as usize, LATE).await;
    let p99 = p99(ring.since(start));
    println!(
        "3 times {each} gone after {:?}; p99 of others {p99:?}; memory {memory:?} to {:?} KiB",
        start.elapsed(),
        place.memory()
    );
    assert!(p99 < SERVED, "others waited for {p99:?}");
    let mut next = Vec::new();
    for number in 0..3 * each {
        let mut link = Bare::connect(place.address()).await;
        link.log_in(json!({"id": format!("carol {number}")})).await;
        next.push(link);
    }
    let ledger = ring.ends().await;
    assert!(ledger.failed.is_empty(), "{ledger:?}");
}

/// Does what its kind does, and is gone when its limit says so.
async fn stays(mut link: Bare, connects: Instant, kind: Kind, number: usize, limit: Duration) {
    let mut last = connects;
    match kind {
        Kind::Stranger => {}
        Kind::Dripping => {
            link.log_in(json!({"id": format!("carol {number}")})).await;
            last = Instant::now();
        }
        Kind::Fallen => {
            let id = format!("carol {}", number + 1_000);
            link.log_in(json!({"id": id})).await;
            last = Instant::now();
            link.ask("ping", json!({})).await;
        }
    }
    let drips = matches!(kind, Kind::Dripping);
    let mut pace = tokio::time::interval(DRIP);
    loop {
        tokio::select! {
            heard = link.line() => if heard.is_none() {
                break;
            },
            _ = pace.tick(), if drips => {
                // It may be gone already.
                let _ = link.stream.try_write(b"{");
            }
        }
    }
    let gone = last.elapsed();
    let times: Range<Duration> = limit.saturating_sub(EARLY)..limit + LATE;
    assert!(
        times.contains(&gone),
        "{kind:?} was gone after {gone:?}, {limit:?} is right"
    );
}
