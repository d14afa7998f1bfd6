//! Real clients, a real server with its rooms, and the real drivers, in virtual time and on a network
//! that delays, stalls, cuts, half-closes and swallows, with crashes of everybody. One seed decides
//! everything.
//!
//! `SIMULATOR_SEEDS` says how many seeds run, 500 where it is not set. `SIMULATOR_SEED` replays one
//! and prints what happened.

mod acts;
mod entry;
mod figures;
mod forger;
mod hearing;
mod house;
mod journal;
mod laws;
mod links;
mod network;
mod peer;
mod post;
mod random;
mod script;
mod seeds;
mod world;

use std::collections::BTreeMap;

use figures::Figures;
use forger::Lie;
use seeds::{first_found, from_environment, run_all};

const SEEDS: u64 = 500;

/// Seeds that found something once, and what that was.
const FOUND: &[(&str, u64)] = &[
    (
        "a client that leaves while its next ping is due keeps its task busy for ever",
        43,
    ),
    ("the same while a handler works", 78),
    (
        "acknowledgements to an earlier life confirm passes of the next one",
        83,
    ),
    (
        "a client whose id another took while it was away reconnects for ever",
        96,
    ),
    (
        "news of an earlier session are handled in the next one",
        100,
    ),
    (
        "a client that crashes before its first ping keeps its id for ever where nothing else finds it",
        390,
    ),
    (
        "a client whose session ends while it waits to say goodbye keeps its task busy",
        6_703,
    ),
];

#[test]
fn whatever_happens_nothing_is_lost_or_done_twice_and_all_settles() {
    if let Some(seed) = from_environment("SIMULATOR_SEED") {
        run_all(seed..seed + 1, |_, story| println!("{story}"));
    } else {
        let seeds = from_environment("SIMULATOR_SEEDS").unwrap_or(SEEDS);
        let mut figures = Figures::default();
        run_all(0..seeds, |_, story| figures.count(&story));
        println!("{figures}");
    }
}

#[test]
fn seeds_that_found_something_find_nothing_any_more() {
    for (name, seed) in FOUND {
        println!("{name}: SIMULATOR_SEED={seed}");
        run_all(*seed..seed + 1, |_, _| {});
    }
}

#[test]
fn a_seed_always_tells_the_same_story() {
    let stories = || {
        let mut stories = BTreeMap::new();
        run_all(0..20, |seed, story| drop(stories.insert(seed, story)));
        stories
    };
    let (first, second) = (stories(), stories());
    for (seed, story) in &first {
        for (line, (one, other)) in story.lines().zip(second[seed].lines()).enumerate() {
            assert_eq!(one, other, "seed {seed}, line {line}");
        }
        assert_eq!(story.len(), second[seed].len(), "seed {seed}");
    }
    let mut told: Vec<_> = first.into_values().collect();
    told.dedup();
    assert_eq!(told.len(), 20);
}

/// What was confirmed, and not done to its end.
fn is_confirmed_undone(line: &str) -> bool {
    line.contains(", 0) times, and ended as Done")
}

#[test]
fn a_relay_that_confirms_what_it_gets_is_found() {
    let wrong = first_found(0..200, Lie::Confirms, is_confirmed_undone);
    assert!(wrong.is_some());
}

#[test]
fn a_relay_that_repeats_passes_to_a_new_life_is_found() {
    let is_done_twice = |line: &str| line.contains("(2, 2) times, and ended as Done");
    let wrong = first_found(0..200, Lie::Repeats, is_done_twice);
    assert!(wrong.is_some());
}

/// A simulation in which nothing happens would find nothing.
#[test]
fn the_stories_hold_every_kind_of_thing() {
    let mut stories = String::new();
    run_all(0..100, |_, story| stories += &story);
    let told = [
        "Reset: ",
        "Stall: ",
        "HalfClose: ",
        "Hole: ",
        "Silence: ",
        "is isolated",
        "nothing reaches the server",
        "crashes: Reset",
        "crashes: Silence",
        "shuts down",
        "hears that the server closes",
        "leaves",
        "logs out: done",
        "finds no server",
        "logs in: done",
        "logs in: refused IdTaken",
        "Parcel",
        "Plain",
        "Ask",
        "Errand",
        "Say",
        ": Done",
        ": Refused",
        ": Sent",
        ": GivenUp",
        ": Unknown",
        ": Not(\"not sent",
        ": Not(\"rejected",
        "is in room",
        "is out of room",
        "Kicked",
        "GraceExpired",
        "host room",
        "all has settled",
    ];
    for told in told.iter().chain(links::ALSO_TOLD) {
        assert!(stories.contains(told), "nothing is {told:?}");
    }
}
