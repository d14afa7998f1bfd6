//! Whoever missed passes hears how many, at most once a second.

use std::time::Duration;

use protocol_core::metrics::{DROPPED_NOTICES, PASSES_DROPPED};
use protocol_tests::{meter, run_paused};
use rendezvous::Config;
use tokio::time::{Instant, advance};

use crate::meeting::{open, room_of, settle, tally, wave};

/// More than what a queue takes from other peers.
const MANY: u64 = 40;

const SECOND: Duration = Duration::from_secs(1);

fn narrow(config: &mut Config) {
    config.server.connection.outbound_events = 8;
    config.server.connection.outbound_bytes = 2_048;
}

#[test]
fn a_peer_that_reads_again_hears_how_many_passes_to_it_were_dropped() {
    run_paused(async {
        let mut meter = meter();
        let mut place = open(narrow).await;
        let mut alice = place.peer("alice").await;
        let (mut carol, _) = place.carol().await;
        wave(&mut alice, "carol", MANY).await;
        let missed = place.refused("peer_slow");
        assert!((1..MANY).contains(&missed), "{missed}");
        let (mut waves, mut dropped) = tally(&settle(&mut carol).await);
        advance(SECOND).await;
        let (none, late) = tally(&settle(&mut carol).await);
        waves += none;
        dropped.extend(late);
        assert_eq!(waves, MANY - missed);
        assert_eq!(dropped.iter().sum::<u64>(), missed, "{dropped:?}");
        assert!(dropped.len() <= 2, "{dropped:?}");
        assert_eq!(meter.count_of(PASSES_DROPPED, "slow"), missed);
        assert_eq!(meter.count(DROPPED_NOTICES), dropped.len() as u64);
        // Nothing more is told once all is told.
        advance(10 * SECOND).await;
        assert!(settle(&mut carol).await.is_empty());
    });
}

#[test]
fn so_does_a_member_of_passes_to_its_room_and_the_others_miss_nothing() {
    run_paused(async {
        let mut place = open(narrow).await;
        let mut alice = place.peer("alice").await;
        let mut bob = place.peer("bob").await;
        let (mut carol, _) = place.carol().await;
        let room = room_of(&mut [&mut alice, &mut bob, &mut carol]).await;
        settle(&mut carol).await;
        settle(&mut bob).await;
        let (mut missed, mut bobs) = (0, 0);
        for _ in 0..MANY {
            wave(&mut alice, &room, 1).await;
            missed += place.refused("peer_slow");
            bobs += tally(&settle(&mut bob).await).0;
        }
        assert!((1..MANY).contains(&missed), "{missed}");
        assert_eq!(bobs, MANY);
        let mut heard = settle(&mut carol).await;
        advance(SECOND).await;
        heard.extend(settle(&mut carol).await);
        let (waves, dropped) = tally(&heard);
        assert_eq!(waves, MANY - missed);
        assert_eq!(dropped.iter().sum::<u64>(), missed, "{dropped:?}");
    });
}

#[test]
fn it_is_told_at_most_once_a_second_and_loses_no_count() {
    run_paused(async {
        let mut place = open(narrow).await;
        let mut alice = place.peer("alice").await;
        let (mut carol, _) = place.carol().await;
        let (mut sent, mut missed, mut waves) = (0, 0, 0);
        let mut told = Vec::new();
        // Eight times a second she falls behind and catches up.
        for _ in 0..40 {
            wave(&mut alice, "carol", MANY).await;
            sent += MANY;
            missed += place.refused("peer_slow");
            let (more, dropped) = tally(&settle(&mut carol).await);
            waves += more;
            told.extend(dropped.into_iter().map(|count| (Instant::now(), count)));
            advance(SECOND / 8).await;
        }
        advance(SECOND).await;
        let (more, dropped) = tally(&settle(&mut carol).await);
        waves += more;
        told.extend(dropped.into_iter().map(|count| (Instant::now(), count)));
        assert_eq!(waves, sent - missed);
        assert_eq!(told.iter().map(|(_, count)| count).sum::<u64>(), missed);
        assert!(told.len() >= 5, "{told:?}");
        for pair in told.windows(2) {
            assert!(pair[1].0 - pair[0].0 >= SECOND, "{told:?}");
        }
    });
}

#[test]
fn one_whose_link_was_lost_hears_on_the_next_what_it_missed_meanwhile() {
    run_paused(async {
        let mut meter = meter();
        let mut place = open(narrow).await;
        let mut alice = place.peer("alice").await;
        let (mut carol, token) = place.carol().await;
        let room = room_of(&mut [&mut alice, &mut carol]).await;
        settle(&mut carol).await;
        let received = carol.frames();
        drop(carol);
        // News for alice, so it has happened.
        alice.frame().await;
        wave(&mut alice, &room, 3).await;
        assert_eq!(place.refused("peer_slow"), 3);
        wave(&mut alice, "carol", 2).await;
        assert_eq!(place.refused("peer_reconnecting"), 2);
        assert_eq!(meter.count_of(PASSES_DROPPED, "no_link"), 5);
        assert_eq!(meter.count(DROPPED_NOTICES), 0);
        let (mut carol, answer) = place.resume(&token, received).await;
        assert_eq!(answer["data"]["resumed"], true, "{answer}");
        let (waves, dropped) = tally(&settle(&mut carol).await);
        assert_eq!((waves, dropped), (0, vec![5]));
        // And hears what comes from now on.
        wave(&mut alice, "carol", 1).await;
        assert_eq!(tally(&settle(&mut carol).await), (1, Vec::new()));
    });
}
