//! The real sender and receivers against a reference, whatever happens between them.
//!
//! `PROPTEST_CASES` says how many cases run, 256 where it is not set.

mod end;
mod truth;
mod world;

use std::time::{Duration, Instant};

use end::Flaw;
use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};
use protocol_core::connection::delivery::DeliveryLimits;
use protocol_core::wire::ErrorCode;
use world::{Act, World};

const NAMES: [&str; 2] = ["bob", "carol"];

/// The longest pause between two attempts, after which all must settle.
const HEALED: Duration = Duration::from_mins(1);

fn acts() -> impl Strategy<Value = Act> {
    let at = || 0..NAMES.len();
    let refusals = prop_oneof![
        3 => Just(ErrorCode::PeerSlow),
        3 => Just(ErrorCode::PeerReconnecting),
        2 => Just(ErrorCode::PeerNotFound),
        1 => Just(ErrorCode::NotAllowed),
    ];
    prop_oneof![
        12 => (at(), 1_u64..600).prop_map(|(at, s)| Act::Confirm(at, Duration::from_secs(s))),
        2 => at().prop_map(Act::Ask),
        24 => Just(Act::Relay),
        3 => refusals.prop_map(Act::Refuse),
        24 => at().prop_map(Act::Take),
        20 => (at(), prop::bool::weighted(0.7)).prop_map(|(at, ok)| Act::Finish(at, ok)),
        1 => at().prop_map(Act::PutBack),
        4 => at().prop_map(Act::Reply),
        20 => at().prop_map(Act::Return),
        20 => Just(Act::Hear),
        2 => Just(Act::CutSender),
        2 => at().prop_map(Act::CutReceiver),
        1 => Just(Act::CrashRelay),
        1 => at().prop_map(Act::Restart),
        4 => Just(Act::Wake),
        4 => (1_u64..40_000).prop_map(|ms| Act::Pass(Duration::from_millis(ms))),
        1 => (60_u64..400).prop_map(|s| Act::Pass(Duration::from_secs(s))),
        1 => (0_usize..40).prop_map(Act::Leave),
    ]
}

fn limits() -> impl Strategy<Value = DeliveryLimits> {
    (1_usize..6, 1_usize..40).prop_map(|(window_events, window_bytes)| {
        let mut limits = DeliveryLimits::default();
        limits.window_events = window_events;
        limits.window_bytes = window_bytes;
        limits
    })
}

/// A case: the limits of both sides, the frames that the link takes at a time, and what happens.
type Case = (DeliveryLimits, DeliveryLimits, usize, Vec<Act>);

fn cases() -> impl Strategy<Value = Case> {
    let acts = prop::collection::vec(acts(), 1..400);
    (limits(), limits(), 1_usize..5, acts)
}

fn check(flaw: Flaw, (sender, receivers, room, acts): Case) -> Result<(), TestCaseError> {
    let now = Instant::now();
    let mut world = World::new(now, flaw, sender, receivers, &NAMES, room);
    for act in acts {
        if world.can(act) {
            world.act(act);
            let truth = &world.truth;
            prop_assert!(truth.never_twice(), "twice: {act:?}: {truth:#?}");
            prop_assert!(truth.in_order(), "out of order: {act:?}: {truth:#?}");
            prop_assert!(truth.confirmed_is_run(), "not run: {act:?}: {truth:#?}");
            prop_assert!(truth.refused_is_true(), "not so: {act:?}: {truth:#?}");
            prop_assert!(truth.answers_are_one(), "two: {act:?}: {truth:#?}");
            prop_assert!(world.sums_are_true(), "sums: {act:?}: {world:#?}");
        }
    }
    let settles = flaw != Flaw::None || world.clone().settles(HEALED);
    prop_assert!(settles, "open: {world:#?}");
    Ok(())
}

proptest! {
    #[test]
    fn whatever_happens_nothing_runs_twice_and_every_end_is_true(case in cases()) {
        check(Flaw::None, case)?;
    }
}

#[test]
fn mistakes_are_found() {
    for flaw in [
        Flaw::NoDeduplication,
        Flaw::WindowOfIds,
        Flaw::RelayAcknowledges,
        Flaw::GapAccepted,
    ] {
        let mut config = ProptestConfig::with_cases(2_000);
        config.failure_persistence = None;
        config.max_shrink_iters = 0;
        let mut runner = TestRunner::new(config);
        let found = runner.run(&cases(), |case| check(flaw, case));
        assert!(matches!(found, Err(TestError::Fail(..))), "{flaw:?}");
    }
}
