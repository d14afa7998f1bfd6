//! Peers who do whatever comes to their minds, all from one seed.
//!
//! `SIMULATOR_SEEDS` says how many seeds run, 2,000 where it is not set. `SIMULATOR_SEED` replays one
//! and prints what happened.

mod act;
mod laws;
mod listing;
mod model;
mod random;
mod statuses;
mod world;

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use world::World;

const SEEDS: u64 = 2_000;
const STEPS: usize = 200;

/// Runs one seed and writes down all that happens.
fn simulate(seed: u64, trace: &mut String) {
    let mut world = World::new(seed, trace);
    for _ in 0..STEPS {
        world.act();
    }
    world.close();
}

fn story(seed: u64) -> String {
    let mut trace = String::new();
    simulate(seed, &mut trace);
    trace
}

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

#[test]
fn whatever_peers_do_the_rules_hold_and_each_member_sees_the_truth() {
    let replayed = from_environment("SIMULATOR_SEED");
    let count = from_environment("SIMULATOR_SEEDS").unwrap_or(SEEDS);
    for seed in replayed.map_or(0..count, |seed| seed..seed + 1) {
        let mut trace = String::new();
        let run = catch_unwind(AssertUnwindSafe(|| simulate(seed, &mut trace)));
        if replayed.is_some() || run.is_err() {
            println!("{trace}run it again with SIMULATOR_SEED={seed}");
        }
        if let Err(panic) = run {
            resume_unwind(panic);
        }
    }
}

#[test]
fn a_seed_always_tells_the_same_story() {
    let hash = |seed| {
        let mut hasher = DefaultHasher::new();
        story(seed).hash(&mut hasher);
        hasher.finish()
    };
    let mut told = HashSet::new();
    for seed in 0..20 {
        let first = hash(seed);
        assert_eq!(hash(seed), first, "seed {seed}");
        told.insert(first);
    }
    assert_eq!(told.len(), 20);
}

/// A simulation in which nothing happens would find nothing.
#[test]
fn the_stories_hold_every_answer_and_all_news() {
    let stories: String = (0..100).map(story).collect();
    for word in [
        "create Ok(Some",
        "create Ok(None",
        "NameInvalid",
        "NonceTooLong",
        "create Err(TooManyRooms",
        "create Err(ServerFull",
        "create Err(SessionOver",
        "join Ok(In",
        "join Ok(Prove",
        "join Err(RoomNotFound",
        "join Err(Banned",
        "join Err(RoomLocked",
        "join Err(BadPassword",
        "join Err(RoomFull",
        "join Err(TooManyRooms",
        "invite Ok",
        "invite Err(NotHost",
        "leave Ok",
        "leave Err(RoomNotFound",
        "delete Ok",
        "delete Err(NotHost",
        "delete Err(RoomNotFound",
        "kick Ok",
        "kick Err(NotHost",
        "kick Err(Yourself",
        "kick Err(NotMember",
        "set_host Ok",
        "set_host Err(NotHost",
        "set_host Err(NotMember",
        "update Ok(Some",
        "update Ok(None",
        "update Err(NotHost",
        "update Err(RoomNotFound",
        "update Err(StaleRev",
        "update Err(NameInvalid",
        "update Err(CapacityTooLow",
        "list",
        "SelfJoined",
        "SelfLeft",
        "PlayerJoined",
        "PlayerLeft",
        "PlayerUpdated",
        "status: Reconnecting",
        "cause: Resumed",
        "HostChanged",
        "RoomUpdated",
        "GraceExpired",
        "HostClosed",
        "RoomDeleted",
        "Shutdown",
        "Kicked",
        "goes on",
    ] {
        assert!(stories.contains(word), "nothing is {word:?}");
    }
}
