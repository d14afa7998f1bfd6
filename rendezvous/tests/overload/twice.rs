//! Twice the capacity is offered for a while: nothing that was confirmed is lost, and soon after all
//! is as it was.

use std::time::{Duration, Instant};

use crate::choose;
use crate::figures::p99;
use crate::flood::{Flood, Speed};
use crate::place::{Place, grown};
use crate::ring::{Plan, Ring};

const PAIRS: u32 = 16;

/// What a machine that has other things to do may add to anything.
const FLOOR: Duration = Duration::from_millis(25);

/// The longest until latencies are what they were.
const RECOVERED: Duration = Duration::from_secs(5);

/// In which latencies are looked at.
const WINDOW: Duration = Duration::from_millis(500);

/// Where fewer of 100 that are offered arrive, it is more than the server can do.
const TOO_MUCH: u32 = 90;

/// What may stay of memory, in KiB: what the allocator keeps for the next time.
const KEPT: usize = 8_192;

pub(crate) async fn is_withstood() {
    let place = Place::start(&[]);
    let plan = Plan {
        members: 4,
        every: Duration::from_millis(20),
        wave_at: None,
    };
    let ring = Ring::start(place.address(), plan).await;
    let flood = Flood::start(place.address(), PAIRS).await;
    let time = Duration::from_millis(1_500);

    flood.set(Speed::Closed);
    // The first ones wait for memory.
    tokio::time::sleep(WINDOW).await;
    let (start, arrived) = (Instant::now(), flood.arrived());
    tokio::time::sleep(time).await;
    let capacity = a_second(flood.arrived() - arrived, start.elapsed());

    flood.offer(capacity / 2);
    tokio::time::sleep(WINDOW).await;
    let normal = p99(ring.works(time).await).max(FLOOR);
    let before = place.memory();

    let time = choose(Duration::from_secs(2), Duration::from_mins(1));
    let mut times = 2;
    let (loaded, most) = loop {
        let (start, arrived) = (Instant::now(), flood.arrived());
        flood.offer(capacity * times);
        let loaded = p99(ring.works(time).await);
        let took = a_second(flood.arrived() - arrived, start.elapsed());
        let most = place.memory();
        flood.offer(capacity / 2);
        let healed = heals(&ring, normal).await;
        println!(
            "{capacity} passes a second; p99 {normal:?} with half of it, {loaded:?} with {times} \
             times, when {took} arrive; as before after {healed:?}"
        );
        // Where the machine was busy with other things, there may be more capacity now.
        if took < capacity * times * TOO_MUCH / 100 {
            break (loaded, most);
        }
        times *= 2;
        assert!(times < 100, "there is no capacity that is too much");
    };
    assert!(
        loaded < Duration::from_secs(10),
        "a call took {loaded:?} under load"
    );

    flood.set(Speed::Rest);
    let after = place.settled_memory();
    let ledger = ring.ends().await;
    flood.ends();
    println!(
        "memory: {before:?} KiB before, {most:?} under load, {after:?} after; {} confirmed",
        ledger.confirmed
    );
    assert!(ledger.failed.is_empty(), "{ledger:?}");
    if let Some(grown) = grown(before, after) {
        assert!(grown <= KEPT, "{grown} KiB are still taken");
    }
}

/// How many a second `count` in that time are.
fn a_second(count: u64, time: Duration) -> u32 {
    let millis = u64::try_from(time.as_millis()).expect("not so long");
    u32::try_from(count * 1_000 / millis).expect("not so many")
}

/// Waits until latencies are what they were; how long that took.
async fn heals(ring: &Ring, normal: Duration) -> Duration {
    let start = Instant::now();
    loop {
        let p99 = p99(ring.works(WINDOW).await);
        let passed = start.elapsed();
        if p99 <= 2 * normal {
            return passed;
        }
        assert!(
            passed < RECOVERED,
            "p99 is {p99:?} after {passed:?}, and was {normal:?}"
        );
    }
}
