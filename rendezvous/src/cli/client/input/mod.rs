//! Lines as they are typed or read, from threads of their own to the session.
//!
//! Must not know what a line asks for, beyond completing it.

mod completion;
mod editor;
mod history;
mod script;
mod secrets;
#[cfg(unix)]
mod terminal;

use std::sync::mpsc::SyncSender;

use tokio::sync::mpsc;

pub(super) use editor::Editor;
pub(super) use script::read_script;

/// How many lines may wait for the session.
const WAITING: usize = 16;

/// What comes from whoever types.
#[derive(Debug)]
pub(super) enum Input {
    Line {
        number: u64,
        text: String,
    },
    /// There is no more.
    End,
    /// It cannot be read.
    Failed(String),
}

/// The session's end of the input.
#[derive(Debug)]
pub(super) struct Inputs {
    lines: mpsc::Receiver<Input>,
    /// Tells an editor how to go on; a script needs no telling.
    turns: Option<SyncSender<Turn>>,
    number: u64,
    told: u64,
}

/// What an editor does after a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The line of that number is done: ask for another.
    Next(u64),
    /// Leave the terminal alone.
    Leave,
}

impl Inputs {
    fn new(lines: mpsc::Receiver<Input>, turns: Option<SyncSender<Turn>>) -> Self {
        Self {
            lines,
            turns,
            number: 0,
            told: 0,
        }
    }

    /// Lets an editor begin: until then it leaves the terminal alone.
    pub(super) fn begin(&self) {
        self.tell(Turn::Next(0));
    }

    /// The next of it; none where whoever reads is gone. May be cancelled.
    pub(super) async fn next(&mut self) -> Option<Input> {
        let input = self.lines.recv().await;
        if let Some(Input::Line { number, .. }) = &input {
            self.number = *number;
        }
        input
    }

    /// The number of the last line.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// What the last line asked for is done.
    pub(super) fn go_on(&mut self) {
        if self.told < self.number {
            self.told = self.number;
            self.tell(Turn::Next(self.number));
        }
    }

    /// Nothing more is read.
    pub(super) fn leave(&mut self) {
        self.tell(Turn::Leave);
        self.lines.close();
    }

    /// Where the editor did not wait to be told, it needs no telling.
    fn tell(&self, turn: Turn) {
        if let Some(turns) = &self.turns {
            let _ = turns.try_send(turn);
        }
    }
}
