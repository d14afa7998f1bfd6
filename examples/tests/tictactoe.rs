//! The rules of the example `tictactoe`: their unit tests stand beside them.

#[path = "../tictactoe/events.rs"]
mod events;
#[path = "../tictactoe/game.rs"]
mod game;
