//! What journals must agree on, whatever was cut and killed; and figures.

mod figures;
mod known_bad;

use std::collections::{BTreeMap, BTreeSet};

use crate::courier::{IN_FLIGHT, OFFICE};
use crate::journal::{Entry, Kind, Reader, Verb};
pub(crate) use figures::Figures;
pub(crate) use known_bad::each_broken_law_is_found;

/// How long a call may be open, in milliseconds: its deadline, and what a busy machine takes to tell.
const PARCEL_MS: u64 = 30_000 + 5_000;
const ASK_MS: u64 = 10_000 + 5_000;

/// Which ends a test leaves open, beside those that are always good.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct May {
    /// Where processes were killed, nobody may know what became of so many parcels.
    pub(crate) parcels_be_unknown: usize,
    /// Codes that parcels may be rejected with.
    pub(crate) parcels_be_rejected: Codes,
    /// Codes in place of an answer from a peer: a request may be refused where a parcel is sent again,
    /// and be unknown where it or its answer was lost on the way.
    pub(crate) asks_fail: Codes,
    /// Codes in place of an answer from the office.
    pub(crate) office_asks_fail: Codes,
    /// The test was given up before all calls had ended.
    pub(crate) calls_be_open: bool,
}

/// Codes of errors, as reasons name them, and other parts of reasons.
type Codes = &'static [&'static str];

/// A law that does not hold, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) law: &'static str,
    pub(crate) at: String,
}

/// A call: its line in the journal of whoever made it, those of its ends, and those of its receiver.
#[derive(Debug)]
struct Call<'a> {
    started: &'a Entry,
    ends: Vec<&'a Entry>,
    runs: Vec<&'a Entry>,
}

/// From whom, to whom, what, which.
type Name<'a> = (&'a str, &'a str, Kind, u64);

/// Compares the journals of all that took part, each of whose last starts ended in order.
pub(crate) fn judge(journals: &[&Reader], may: May) -> Vec<Broken> {
    let mut broken = Vec::new();
    let calls = collect(journals, &mut broken);
    let lived: BTreeMap<_, _> = journals
        .iter()
        .map(|journal| {
            let last = journal.entries.last();
            (&*journal.of, last.map_or(0, |entry| entry.incarnation))
        })
        .collect();
    let mut open: BTreeMap<_, usize> = BTreeMap::new();
    for ((from, to, ..), call) in &calls {
        let incarnation = call.started.incarnation;
        if call.ends.is_empty() {
            *open.entry((from, to, incarnation)).or_default() += 1;
        }
        let must_end = !may.calls_be_open && incarnation == lived[from];
        let laws = [
            by_ends(call, must_end),
            by_runs(call),
            by_time(call),
            by_promise(call, to, may),
        ];
        broken.extend(laws.into_iter().flatten().map(|law| Broken {
            law,
            at: format!("from {from} to {to}: {}", told(call)),
        }));
    }
    broken.extend(
        open.into_iter()
            .filter(|(_, open)| *open > IN_FLIGHT)
            .map(|(whose, open)| Broken {
                law: "no more calls are open than may be",
                at: format!("{whose:?}: {open}"),
            }),
    );
    for journal in journals {
        broken.extend(out_of_order(journal));
    }
    broken.extend(too_many_unknown(&calls, may.parcels_be_unknown));
    broken
}

/// Parcels of which more are unknown than may be: all of them, for none is better than another.
fn too_many_unknown(calls: &BTreeMap<Name<'_>, Call<'_>>, most: usize) -> Vec<Broken> {
    let unknown = calls.iter().filter(|(_, call)| {
        let mut ends = call.ends.iter().map(|entry| (entry.kind, entry.verb));
        ends.any(|end| end == (Kind::Parcel, Verb::Unknown))
    });
    let unknown = unknown.map(|((from, to, ..), call)| Broken {
        law: "no more parcels are unknown than may be",
        at: format!("from {from} to {to}: {}", told(call)),
    });
    let unknown: Vec<_> = unknown.collect();
    if unknown.len() > most {
        unknown
    } else {
        Vec::new()
    }
}

fn told(call: &Call<'_>) -> String {
    let lines = [call.started].into_iter().chain(call.ends.iter().copied());
    let lines = lines.map(|entry| format!("{entry}"));
    let runs = call.runs.iter().map(|entry| format!("there: {entry}"));
    lines.chain(runs).collect::<Vec<_>>().join("; ")
}

fn is_run(entry: &Entry) -> bool {
    matches!(entry.verb, Verb::Processed | Verb::Declined)
}

fn collect<'a>(journals: &[&'a Reader], broken: &mut Vec<Broken>) -> BTreeMap<Name<'a>, Call<'a>> {
    let mut calls = BTreeMap::new();
    let mut latest: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let of = |journal: &&'a Reader| {
        let journal: &'a Reader = journal;
        journal.entries.iter().map(|entry| (&*journal.of, entry))
    };
    let all = || journals.iter().flat_map(of);
    for (of, entry) in all().filter(|(_, entry)| entry.verb == Verb::Started) {
        let before = latest.insert((of, &entry.peer), entry.number).unwrap_or(0);
        if entry.number != before + 1 {
            broken.push(Broken {
                law: "numbers go on",
                at: format!("{of} after {before}: {entry}"),
            });
        }
        let call = Call {
            started: entry,
            ends: Vec::new(),
            runs: Vec::new(),
        };
        calls.insert((of, &*entry.peer, entry.kind, entry.number), call);
    }
    for (of, entry) in all().filter(|(_, entry)| entry.verb != Verb::Started) {
        let peer = &*entry.peer;
        let (from, to) = if is_run(entry) {
            (peer, of)
        } else {
            (of, peer)
        };
        match calls.get_mut(&(from, to, entry.kind, entry.number)) {
            Some(call) if is_run(entry) => call.runs.push(entry),
            Some(call) => call.ends.push(entry),
            None => broken.push(Broken {
                law: "nothing happens that nobody has started",
                at: format!("{of}: {entry}"),
            }),
        }
    }
    calls
}

/// Whether it ended as often as it must.
fn by_ends(call: &Call<'_>, must_end: bool) -> Option<&'static str> {
    match call.ends.len() {
        0 if must_end => Some("each call ends"),
        0 | 1 => None,
        _ => Some("each call ends once"),
    }
}

/// Whether its end is true of what the receiver did.
fn by_runs(call: &Call<'_>) -> Option<&'static str> {
    let runs: Vec<_> = call.runs.iter().map(|entry| entry.verb).collect();
    let law = match call.ends.first().map(|entry| entry.verb) {
        Some(Verb::Confirmed) if runs.is_empty() => "what is confirmed was processed",
        Some(Verb::Confirmed) if runs != [Verb::Processed] => "what is confirmed is processed once",
        Some(Verb::Refused) if runs != [Verb::Declined] => "what is refused was declined, once",
        Some(Verb::Rejected) if !runs.is_empty() => "what is rejected is not executed",
        Some(Verb::Wrong) => "answers match",
        _ => "",
    };
    if !law.is_empty() {
        return Some(law);
    }
    let receivers: BTreeSet<_> = call.runs.iter().map(|entry| entry.incarnation).collect();
    if receivers.len() < runs.len() {
        return Some("no receiver executes anything twice");
    }
    let is_ask = call.started.kind == Kind::Ask;
    (is_ask && runs.len() > 1).then_some("a request is executed once at most")
}

/// Whether its end came neither too early nor too late.
fn by_time(call: &Call<'_>) -> Option<&'static str> {
    let end = call.ends.first()?;
    let most = match end.kind {
        Kind::Parcel => PARCEL_MS,
        Kind::Ask => ASK_MS,
    };
    if end.at_ms.saturating_sub(call.started.at_ms) > most {
        return Some("each call ends by its deadline");
    }
    let is_early = call.runs.first().is_some_and(|run| run.at_ms > end.at_ms);
    (end.verb == Verb::Confirmed && is_early)
        .then_some("nothing is confirmed before it is processed")
}

/// Whether it ended as this test promises beyond the laws.
fn by_promise(call: &Call<'_>, to: &str, may: May) -> Option<&'static str> {
    let end = call.ends.first()?;
    let (codes, law) = match (end.verb, end.kind) {
        (Verb::Rejected, Kind::Parcel) => {
            let law = "no parcel is rejected but for what may be";
            (may.parcels_be_rejected, law)
        }
        (Verb::Unknown | Verb::Rejected, Kind::Ask) => {
            let codes = if to == OFFICE {
                may.office_asks_fail
            } else {
                may.asks_fail
            };
            (codes, "each request is answered but for what may be")
        }
        _ => return None,
    };
    let mut words = end.reason.split(": ");
    (!words.any(|word| codes.contains(&word))).then_some(law)
}

/// Parcels that one start of a receiver got from a sender in another order than that of sending. The
/// numbers of a sender that was started again go on, so they tell the order over its starts too.
fn out_of_order(journal: &Reader) -> Vec<Broken> {
    let mut latest: BTreeMap<(&str, u32), &Entry> = BTreeMap::new();
    let mut broken = Vec::new();
    let runs = journal.entries.iter().filter(|entry| is_run(entry));
    for entry in runs.filter(|entry| entry.kind == Kind::Parcel) {
        let before = latest.insert((&entry.peer, entry.incarnation), entry);
        if let Some(before) = before.filter(|before| before.number > entry.number) {
            broken.push(Broken {
                law: "parcels arrive in the order of sending",
                at: format!("{}: {entry}, after {before}", journal.of),
            });
        }
    }
    broken
}
