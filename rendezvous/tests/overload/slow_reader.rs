//! One slow reader among a hundred: the others do not notice.

use std::time::{Duration, Instant};

use protocol_core::PeerId;
use serde_json::{Value, json};

use crate::bare::Bare;
use crate::choose;
use crate::figures::{Rounds, p99};
use crate::place::Place;
use crate::ring::{Plan, Ring};

/// What a machine that has other things to do may add to anything.
const FLOOR: Duration = Duration::from_millis(10);

/// After which the last thing that was done is over.
const PAUSE: Duration = Duration::from_millis(200);

/// 99 confirm parcels to each other, and each of them waves at carol. In every other round she reads
/// nothing, and all that is there for her is full.
pub(crate) async fn costs_others_nothing() {
    let place = Place::start(&["stall_ms=3600000".to_owned()]);
    let mut carol = Bare::narrow(place.address()).await;
    carol.log_in(json!({"id": "carol"})).await;
    let mut bob = Bare::connect(place.address()).await;
    bob.log_in(json!({"id": "bob"})).await;
    let plan = Plan {
        members: 98,
        every: Duration::from_millis(250),
        wave_at: Some(PeerId::new("carol").expect("an id")),
    };
    let ring = Ring::start(place.address(), plan).await;
    let time = choose(Duration::from_millis(800), Duration::from_secs(5));
    let (mut rounds, mut pass) = (Rounds::new(FLOOR), 0);
    while rounds.go_on() {
        // The one comes first as often as the other.
        let before = peace(&ring, &mut carol, time).await;
        fill(&mut bob, &mut pass).await;
        tokio::time::sleep(PAUSE).await;
        let first = p99(ring.works(time).await);
        let second = p99(ring.works(time).await);
        assert!(is_full(&mut bob, &mut pass).await, "she is no slow reader");
        // She takes what is there for her, so that the next round begins as the first.
        carol.ask("ping", Value::Null).await;
        carol.read_for(PAUSE).await;
        let after = peace(&ring, &mut carol, time).await;
        rounds.add(before, first);
        rounds.add(after, second);
    }
    let ledger = ring.ends().await;
    assert!(ledger.failed.is_empty(), "{ledger:?}");
    rounds.judge("one slow reader among 100");
}

/// How long parcels take while all read.
async fn peace(ring: &Ring, carol: &mut Bare, time: Duration) -> Duration {
    let start = Instant::now();
    carol.read_for(time).await;
    p99(ring.since(start))
}

/// Waves at carol until there is no room for more.
async fn fill(bob: &mut Bare, pass: &mut u32) {
    let wave = json!({"type": "pass", "name": "wave", "dest": "carol", "data": "x".repeat(16_000)});
    let wave = format!("{wave}\n").repeat(4);
    // The whole of what waits, and some more.
    for _ in 0..1_000 {
        bob.write(&wave).await;
        if is_full(bob, pass).await {
            return;
        }
    }
    panic!("there is always room for more");
}

/// Whether what is sent to carol is refused.
async fn is_full(bob: &mut Bare, pass: &mut u32) -> bool {
    *pass += 1;
    let id = pass.to_string();
    let confirm =
        json!({"type": "confirm_pass", "name": "wave", "dest": "carol", "data": "", "pass_id": id});
    bob.send(&confirm).await;
    let pong = json!({"type": "request", "name": "ping", "request_id": "1"});
    bob.send(&pong).await;
    // The refusal comes before the answer; her own acknowledgement comes late or never.
    let mut is_full = false;
    loop {
        let line = bob.line().await.expect("the link is up");
        if line.contains("\"server_ms\"") {
            return is_full;
        }
        is_full |= line.contains("\"peer_slow\"");
    }
}
