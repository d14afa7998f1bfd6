//! `rendezvous demo`: a server and three scripted players over encrypted links, with a transcript.
//!
//! It uses what any program can use, so that `story.rs` shows how rooms are used too.

mod ear;
mod events;
mod player;
mod stage;
mod story;

use std::io::{IsTerminal, Write, stderr, stdout};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use clap::builder::BoolishValueParser;
use tokio::time::timeout;

use super::exit::{self, Exit};
use super::log::has_color;
use stage::Stage;

/// After each line on a terminal.
const PAUSE: Duration = Duration::from_millis(40);

/// Longer than the demo takes on a slow machine.
const LONGEST: Duration = Duration::from_secs(9);

/// Watch a server and three players: login, a room, messages, refusals, a new host, the end
///
/// Everything happens in this process, over encrypted links of this machine, with keys that are
/// forgotten at the end; it takes some three seconds. The transcript is the same each time. Exits
/// with 1 where something goes otherwise.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Do not pause after each line; where the output is no terminal there is no pause anyway
    #[arg(long, env = "RENDEZVOUS_FAST", value_parser = BoolishValueParser::new())]
    fast: bool,
}

impl Demo {
    pub(super) fn run(&self) -> Exit {
        match self.play() {
            Ok(()) => Exit::Stopped,
            Err(error) if exit::is_unread(&error) => Exit::Stopped,
            Err(error) => {
                let _ = writeln!(stderr(), "error: {error:#}");
                Exit::Failed
            }
        }
    }

    fn play(&self) -> anyhow::Result<()> {
        let terminal = stdout().is_terminal();
        let stage = Stage {
            colors: has_color(terminal, std::env::var_os("NO_COLOR").as_deref()),
            pause: if terminal && !self.fast {
                PAUSE
            } else {
                Duration::ZERO
            },
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start")?;
        runtime.block_on(async {
            let played = timeout(LONGEST, story::play(stage)).await;
            played.with_context(|| format!("the demo takes longer than {LONGEST:?}"))?
        })
    }
}
