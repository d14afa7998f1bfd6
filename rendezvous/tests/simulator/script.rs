//! What a seed has happen: which kinds of trouble, how much of everything, and in which order.

use std::time::Duration;

use tokio::time::Instant;

use crate::journal::Kind;
use crate::network::Fault;
use crate::peer::Order;
use crate::random::Random;

/// The peers of a world, the first of which are there.
pub(crate) const NAMES: [&str; 5] = ["alice", "bob", "carol", "alice 2", "bob 2"];

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    Reset,
    Stall,
    HalfClose,
    Hole,
    Silence,
    IsolatePeer,
    IsolateServer,
    CrashPeer,
    PowerCutOfPeer,
    LeavePeer,
    Challenge,
    CrashServer,
    PowerCutOfServer,
    ShutDownServer,
}

const TROUBLES: [Trouble; 14] = [
    Trouble::Reset,
    Trouble::Stall,
    Trouble::HalfClose,
    Trouble::Hole,
    Trouble::Silence,
    Trouble::IsolatePeer,
    Trouble::IsolateServer,
    Trouble::CrashPeer,
    Trouble::PowerCutOfPeer,
    Trouble::LeavePeer,
    Trouble::Challenge,
    Trouble::CrashServer,
    Trouble::PowerCutOfServer,
    Trouble::ShutDownServer,
];

/// What is decided before anything happens.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) names: &'static [&'static str],
    pub(crate) steps: usize,
    pub(crate) grace: Duration,
    /// Whether ids take a token, so that their owners get them back at once.
    pub(crate) is_proved: bool,
    /// The kinds that happen in this world, and between how many steps one does.
    pub(crate) troubles: Vec<Trouble>,
    pub(crate) trouble_each: u64,
    /// Whether black holes are resets after healing.
    pub(crate) tells_holes: bool,
}

impl Script {
    pub(crate) fn new(random: &mut Random) -> Self {
        let mut troubles = Vec::new();
        for trouble in TROUBLES {
            if random.one_in(3) {
                troubles.push(trouble);
            }
        }
        let (names, steps) = (&NAMES[..3 + random.upto(2)], 60 + random.upto(140));
        let grace = match random.below(4) {
            0 => Duration::ZERO,
            _ => Duration::from_millis(500) + random.ms_below(9_500),
        };
        Self {
            names,
            steps,
            grace,
            is_proved: random.one_in(2),
            troubles,
            trouble_each: 4 + random.below(40),
            // Who has no session sends no heartbeats: its links are left to the system's keepalive.
            tells_holes: random.one_in(2) || grace.is_zero(),
        }
    }
}

/// How long nothing is begun.
pub(crate) fn pause(random: &mut Random) -> Duration {
    match random.below(40) {
        0 => random.ms_below(9_000),
        1..10 => random.ms_below(400),
        10..20 => Duration::ZERO,
        _ => random.ms_below(40),
    }
}

/// Until when something lasts that passes by itself.
pub(crate) fn for_a_while(random: &mut Random) -> Instant {
    let most = if random.one_in(6) { 30_000 } else { 4_000 };
    Instant::now() + random.ms_below(most)
}

/// How a process that ended shows at the other end of its links.
pub(crate) fn seen(trouble: Trouble) -> Fault {
    match trouble {
        Trouble::PowerCutOfPeer | Trouble::PowerCutOfServer => Fault::Silence,
        _ => Fault::Reset,
    }
}

pub(crate) fn order(random: &mut Random) -> Order {
    let kind = match random.below(10) {
        0..5 => Kind::Parcel,
        5 => Kind::Plain,
        6..9 => Kind::Ask,
        _ => Kind::Errand,
    };
    let work = match random.below(60) {
        0 => Duration::from_millis(3_000 + random.below(12_000)),
        1..15 => random.ms_below(200),
        _ => Duration::ZERO,
    };
    let filler = match random.below(40) {
        0 => random.upto(30_000),
        1..6 => random.upto(1_500),
        _ => random.upto(40),
    };
    Order {
        kind,
        work,
        filler,
        unwanted: random.one_in(10),
        timeout: random
            .one_in(6)
            .then(|| Duration::from_millis(1) + random.ms_below(8_000)),
        patience: random.one_in(20).then(|| random.ms_below(1_000)),
    }
}
