//! Every interleaving in a small world of the real sender and receiver, and that mistakes around them
//! are found.
//!
//! `MODEL_LONG=1` runs the large form, over a million states; use `--release` for it.

#[path = "../delivery/end.rs"]
mod end;
#[path = "../delivery/truth.rs"]
mod truth;
#[path = "../delivery/world.rs"]
mod world;

use std::fmt::{self, Write as _};
use std::hash::{Hash, Hasher};
use std::time::{Duration, Instant};

use end::Flaw;
use protocol_core::connection::delivery::DeliveryLimits;
use protocol_core::wire::ErrorCode;
use stateright::{Checker, HasDiscoveries, Model, Property};
use world::{Act, World};

/// Far beyond what anything takes, so that no pass ends because its time is over.
const HOUR: Duration = Duration::from_hours(1);
/// After so long a stream is given up.
const ABANDONED: Duration = Duration::from_mins(5);
const HEALED: Duration = Duration::from_mins(1);

/// How often each thing may still happen.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Left {
    passes: u8,
    requests: u8,
    cuts: u8,
    relay_crashes: u8,
    restarts: u8,
    refusals: u8,
    /// Handlers that end with an error.
    errors: u8,
    put_backs: u8,
    /// Those who no longer wait.
    leaves: u8,
    /// Timers, and long times in which nothing happens.
    wakes: u8,
}

impl Left {
    /// What an act takes of what is left; none where it can always happen.
    fn of(&mut self, act: Act) -> Option<&mut u8> {
        match act {
            Act::Confirm(..) => Some(&mut self.passes),
            Act::Ask(_) => Some(&mut self.requests),
            Act::CutSender | Act::CutReceiver(_) => Some(&mut self.cuts),
            Act::CrashRelay => Some(&mut self.relay_crashes),
            Act::Restart(_) => Some(&mut self.restarts),
            Act::Refuse(_) => Some(&mut self.refusals),
            Act::Finish(_, false) => Some(&mut self.errors),
            Act::PutBack(_) => Some(&mut self.put_backs),
            Act::Leave(_) => Some(&mut self.leaves),
            Act::Wake | Act::Pass(_) => Some(&mut self.wakes),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
struct State {
    world: World,
    left: Left,
}

/// All that a state is made of is in what it shows.
impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        struct Feed<'a, H>(&'a mut H);
        impl<H: Hasher> fmt::Write for Feed<'_, H> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.write(text.as_bytes());
                Ok(())
            }
        }
        write!(Feed(hasher), "{self:?}").expect("a hasher takes all");
    }
}

struct Small {
    now: Instant,
    flaw: Flaw,
    window: usize,
    left: Left,
}

impl Small {
    fn new(flaw: Flaw, window: usize, left: Left) -> Self {
        Self {
            now: Instant::now(),
            flaw,
            window,
            left,
        }
    }
}

impl Model for Small {
    type State = State;
    type Action = Act;

    fn init_states(&self) -> Vec<State> {
        let mut limits = DeliveryLimits::default();
        limits.window_events = self.window;
        let world = World::new(self.now, self.flaw, limits, limits, &["bob"], usize::MAX);
        let left = self.left;
        vec![State { world, left }]
    }

    fn actions(&self, state: &State, acts: &mut Vec<Act>) {
        let mut left = state.left;
        let possible = [
            Act::Confirm(0, HOUR),
            Act::Ask(0),
            Act::Relay,
            Act::Refuse(ErrorCode::PeerSlow),
            Act::Refuse(ErrorCode::PeerNotFound),
            Act::Refuse(ErrorCode::NotAllowed),
            Act::Take(0),
            Act::Finish(0, true),
            Act::Finish(0, false),
            Act::PutBack(0),
            Act::Reply(0),
            Act::Return(0),
            Act::Hear,
            Act::CutSender,
            Act::CutReceiver(0),
            Act::CrashRelay,
            Act::Restart(0),
            Act::Leave(0),
            Act::Wake,
            Act::Pass(ABANDONED),
        ];
        acts.extend(
            possible
                .into_iter()
                .filter(|act| state.world.can(*act) && left.of(*act).is_none_or(|left| *left > 0)),
        );
    }

    fn next_state(&self, state: &State, act: Act) -> Option<State> {
        let mut state = state.clone();
        if let Some(left) = state.left.of(act) {
            *left -= 1;
        }
        state.world.act(act);
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("never twice", |_, state: &State| {
                state.world.truth.never_twice()
            }),
            Property::always("in order", |_, state: &State| state.world.truth.in_order()),
            Property::always("confirmed is run", |_, state: &State| {
                state.world.truth.confirmed_is_run()
            }),
            Property::always("refused is true", |_, state: &State| {
                state.world.truth.refused_is_true()
            }),
            Property::always("answers are one", |_, state: &State| {
                state.world.truth.answers_are_one()
            }),
            Property::always("sums are true", |_, state: &State| {
                state.world.sums_are_true()
            }),
            Property::always("all can still end", |model: &Self, state: &State| {
                model.flaw != Flaw::None || state.world.clone().settles(HEALED)
            }),
        ]
    }
}

/// Runs all states and says how many there are.
fn explore(name: &str, window: usize, left: Left) -> usize {
    let model = Small::new(Flaw::None, window, left);
    let checker = model
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AnyFailures);
    let checker = checker.spawn_dfs().join();
    checker.assert_properties();
    let states = checker.unique_state_count();
    println!("{name}: {states} states, {} deep", checker.max_depth());
    states
}

/// Whether a mistake is seen to break a law.
fn is_found(flaw: Flaw, law: &'static str, left: Left) -> bool {
    let laws = HasDiscoveries::AllOf([law].into());
    let checker = Small::new(flaw, 2, left).checker().finish_when(laws);
    let found = checker.spawn_bfs().join().discovery(law);
    let acts = found.map(stateright::Path::into_actions);
    println!("{flaw:?} breaks `{law}`: {acts:?}");
    acts.is_some()
}

const NOTHING: Left = Left {
    passes: 2,
    requests: 0,
    cuts: 0,
    relay_crashes: 0,
    restarts: 0,
    refusals: 0,
    errors: 0,
    put_backs: 0,
    leaves: 0,
    wakes: 0,
};

#[test]
fn no_interleaving_breaks_a_law() {
    let is_long = std::env::var_os("MODEL_LONG").is_some();
    let many = |short: u8, long: u8| if is_long { long } else { short };
    let cuts = Left {
        passes: many(2, 3),
        cuts: many(1, 2),
        errors: 1,
        leaves: many(0, 1),
        ..NOTHING
    };
    let refusals = Left {
        passes: 3,
        refusals: many(1, 2),
        cuts: many(0, 1),
        put_backs: many(0, 1),
        ..NOTHING
    };
    let crashes = Left {
        relay_crashes: 1,
        restarts: 1,
        cuts: many(0, 1),
        errors: 1,
        ..NOTHING
    };
    let times = Left {
        cuts: many(0, 1),
        wakes: many(1, 2),
        refusals: 1,
        ..NOTHING
    };
    let requests = Left {
        passes: 1,
        requests: 2,
        cuts: many(1, 2),
        restarts: many(0, 1),
        ..NOTHING
    };
    let mut states = explore("cuts and errors", 2, cuts);
    states += explore("a window of one", 1, cuts);
    states += explore("refusals", 2, refusals);
    states += explore("crashes", 2, crashes);
    states += explore("times", 2, times);
    states += explore("requests", 2, requests);
    println!("{states} states in all");
    assert!(states >= if is_long { 1_000_000 } else { 10_000 });
}

#[test]
fn each_known_mistake_is_found() {
    let cut = Left { cuts: 1, ..NOTHING };
    let refusal = Left {
        refusals: 1,
        ..NOTHING
    };
    assert!(is_found(Flaw::NoDeduplication, "never twice", cut));
    assert!(is_found(Flaw::WindowOfIds, "never twice", cut));
    assert!(is_found(Flaw::WindowOfIds, "in order", refusal));
    assert!(is_found(
        Flaw::RelayAcknowledges,
        "confirmed is run",
        NOTHING
    ));
    assert!(is_found(Flaw::GapAccepted, "in order", refusal));
}
