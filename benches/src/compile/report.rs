//! From rounds to ratios.

use std::fmt;

use serde::Serialize;

use crate::report::{ENOUGH_ROUNDS, Spread};

/// Everything that one run found, as `--json` writes it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    structs_s: Spread,
    events_s: Spread,
    /// Events to structs of the same round.
    ratio: Spread,
    hello_bytes: u64,
    rounds: Vec<Turn>,
}

/// User and system time of one check of each, in seconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Turn {
    pub(super) structs_s: f64,
    pub(super) events_s: f64,
}

impl Report {
    pub(super) fn new(rounds: Vec<Turn>, hello_bytes: u64) -> Self {
        Self {
            structs_s: Spread::of(rounds.iter().map(|turn| turn.structs_s)),
            events_s: Spread::of(rounds.iter().map(|turn| turn.events_s)),
            ratio: Spread::of(rounds.iter().map(|turn| turn.events_s / turn.structs_s)),
            hello_bytes,
            rounds,
        }
    }
}

/// The report in Markdown.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            structs_s,
            events_s,
            ratio,
            hello_bytes,
            rounds,
        } = self;
        writeln!(
            f,
            "### Compile time\n\nMedian (min–max) of {} rounds.",
            rounds.len()
        )?;
        if rounds.len() < ENOUGH_ROUNDS {
            writeln!(
                f,
                "\n> Fewer than {ENOUGH_ROUNDS} rounds: good for a look, not for a claim."
            )?;
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let mib = *hello_bytes as f64 / 1_048_576.0;
        writeln!(
            f,
            "\n| `cargo check` of the crate alone | CPU, s | to serde |\n| --- | ---: | ---: |\n\
             | 100 structs with serde's derives | {structs_s:.2} | 1 |\n\
             | 100 derived events with handlers and calls | {events_s:.2} | {ratio:.2} |\n\n\
             `hello`, release and stripped: {mib:.2} MiB."
        )
    }
}
