//! Two ends on a network that delays, cuts, stalls, resets and half-closes, all from one seed.
//!
//! `SIMULATOR_SEEDS` says how many seeds run, 300 where it is not set. `SIMULATOR_SEED` replays one
//! and prints what happened.

mod ends;
mod network;
mod world;

use std::collections::HashSet;
use std::fmt::Write as _;

use world::World;

const SEEDS: u64 = 300;

/// Runs one seed and returns all that happened, how each call ended included.
fn simulate(seed: u64) -> String {
    let mut world = World::new(seed);
    world.run();
    for node in &world.nodes {
        for call in &node.calls {
            writeln!(world.trace, "{} {:?}", call.number, call.waiter.ends()).unwrap();
        }
    }
    world.trace
}

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
    )
}

#[test]
fn whatever_the_network_does_every_call_ends_and_every_event_comes_once_and_in_order() {
    if let Some(seed) = from_environment("SIMULATOR_SEED") {
        println!("{}", simulate(seed));
        return;
    }
    for seed in 0..from_environment("SIMULATOR_SEEDS").unwrap_or(SEEDS) {
        if let Err(panic) = std::panic::catch_unwind(|| simulate(seed)) {
            eprintln!("run it again with SIMULATOR_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn a_seed_always_tells_the_same_story() {
    let mut told = HashSet::new();
    for seed in 0..20 {
        let story = simulate(seed);
        assert_eq!(simulate(seed), story, "seed {seed}");
        told.insert(story);
    }
    assert_eq!(told.len(), 20);
}

/// A simulation in which nothing happens would find nothing.
#[test]
fn the_stories_hold_every_kind_of_end() {
    let stories: String = (0..200).map(simulate).collect();
    for kind in [
        "done ",
        "timed out",
        "lost: closed by this end",
        "lost: closed by the other end",
        "lost: the link broke",
        "refused busy",
        "refused shutting_down",
        "stalls",
        "is reset",
        "is cut off",
        "drains",
        "aborts",
    ] {
        assert!(stories.contains(kind), "nothing is {kind:?}");
    }
}
