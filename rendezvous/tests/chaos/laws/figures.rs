//! What a test has seen, in numbers.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use crate::journal::{Kind, Reader, Verb};

/// Reasons that are shown, the most frequent ones.
const REASONS: usize = 8;

/// Counts of ends, the reasons of the bad ones, and pauses.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    counts: BTreeMap<(Kind, Verb), usize>,
    reasons: BTreeMap<(Kind, Verb, String), usize>,
    /// The longest time between two confirmations, and who waited.
    longest: (u64, String),
    elapsed_ms: u64,
}

impl Figures {
    pub(crate) fn of(journals: &[&Reader]) -> Self {
        let mut figures = Self::default();
        let all = || journals.iter().flat_map(|journal| &journal.entries);
        for entry in all() {
            *figures.counts.entry((entry.kind, entry.verb)).or_default() += 1;
            if matches!(entry.verb, Verb::Rejected | Verb::Unknown | Verb::Wrong) {
                let reason = (entry.kind, entry.verb, entry.reason.clone());
                *figures.reasons.entry(reason).or_default() += 1;
            }
        }
        let times = || all().map(|entry| entry.at_ms);
        figures.elapsed_ms = times().max().unwrap_or(0) - times().min().unwrap_or(0);
        for journal in journals {
            figures.pauses_of(journal);
        }
        figures
    }

    fn pauses_of(&mut self, journal: &Reader) {
        let mut latest = BTreeMap::new();
        let confirmed = journal
            .entries
            .iter()
            .filter(|entry| (entry.kind, entry.verb) == (Kind::Parcel, Verb::Confirmed));
        for entry in confirmed {
            if let Some(before) = latest.insert(&entry.peer, entry.at_ms) {
                let pause = entry.at_ms.saturating_sub(before);
                if pause > self.longest.0 {
                    self.longest = (pause, format!("{} to {}", journal.of, entry.peer));
                }
            }
        }
    }

    fn count(&self, kind: Kind, verb: Verb) -> usize {
        self.counts.get(&(kind, verb)).copied().unwrap_or(0)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::new();
        for kind in [Kind::Parcel, Kind::Ask] {
            write!(line, "  {kind}s:")?;
            let verbs = [
                Verb::Started,
                Verb::Confirmed,
                Verb::Refused,
                Verb::Rejected,
                Verb::Unknown,
                Verb::Wrong,
                Verb::Processed,
                Verb::Declined,
            ];
            for verb in verbs {
                write!(line, " {} {verb},", self.count(kind, verb))?;
            }
            line.pop();
            line.push('\n');
        }
        f.write_str(&line)?;
        let mut reasons: Vec<_> = self.reasons.iter().collect();
        reasons.sort_by_key(|(_, count)| Reverse(*count));
        for ((kind, verb, reason), count) in reasons.into_iter().take(REASONS) {
            writeln!(f, "  {count} {kind}s {verb}: {reason}")?;
        }
        let (pause, who) = &self.longest;
        let elapsed = self.elapsed_ms;
        write!(
            f,
            "  in {elapsed} ms; the longest pause between confirmations: {pause} ms, {who}"
        )
    }
}
