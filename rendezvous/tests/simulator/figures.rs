//! How much of everything happened in many stories.

use std::fmt;

/// What is counted: lines with all of some words.
const COUNTED: [(&str, &[&str]); 18] = [
    ("passes confirmed", &[" Parcel ", ": Done"]),
    (
        "passes refused by their handler",
        &[" Parcel ", ": Refused"],
    ),
    ("passes rejected", &[" Parcel ", ": Not("]),
    ("passes unknown", &[" Parcel ", ": Unknown("]),
    ("requests answered in turn", &[" Ask ", ": Done"]),
    ("requests answered beside others", &[" Errand ", ": Done"]),
    ("requests unknown in turn", &[" Ask ", ": Unknown("]),
    ("links reset", &["Reset: "]),
    ("links stalled", &["Stall: "]),
    ("links closed by half", &["HalfClose: "]),
    ("links made one-way black holes", &["Hole: "]),
    ("links made black holes", &[" Silence: "]),
    ("crashes", &[" crashes: "]),
    ("takeovers", &[" is taken over"]),
    ("sessions resumed", &[" has resumed"]),
    ("sessions begun anew", &[" is connected anew"]),
    (
        "links found silent",
        &[" is reconnecting: ", " was silent for "],
    ),
    ("links found by keepalive", &["keepalive finds: "]),
];

#[derive(Debug, Default)]
pub(crate) struct Figures {
    stories: u64,
    counts: [u64; COUNTED.len()],
}

impl Figures {
    pub(crate) fn count(&mut self, story: &str) {
        self.stories += 1;
        for line in story.lines() {
            for (count, (_, words)) in self.counts.iter_mut().zip(COUNTED) {
                *count += u64::from(words.iter().all(|word| line.contains(word)));
            }
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} stories", self.stories)?;
        for (count, (what, _)) in self.counts.iter().zip(COUNTED) {
            write!(f, "\n{count:>9} {what}")?;
        }
        Ok(())
    }
}
