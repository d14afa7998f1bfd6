//! The terminal: what is shown and what is typed.

use std::fmt::Display;
use std::{io, thread};

use tokio::sync::mpsc;

use crate::game::Game;

/// Somebody's screen. Several people share the terminal where a name stands before each line.
pub(crate) struct Screen {
    pub(crate) name: Option<&'static str>,
}

impl Screen {
    pub(crate) fn show(&self, line: impl Display) {
        match self.name {
            Some(name) => println!("{name:<5} | {line}"),
            None => println!("{line}"),
        }
    }

    pub(crate) fn show_game(&self, game: &Game) {
        let standing = game.standing();
        if self.name.is_some() {
            self.show(format!("{}  {standing}", game.board));
        } else {
            self.show(format!("\n{:#}\n{standing}", game.board));
        }
    }
}

/// What is typed. The thread may wait for a line for ever, and the program ends all the same.
pub(crate) fn lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    thread::spawn(move || {
        let mut typed = io::stdin().lines().map_while(Result::ok);
        while let Some(line) = typed.next()
            && sender.blocking_send(line.trim().to_owned()).is_ok()
        {}
    });
    lines
}
