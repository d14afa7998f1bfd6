use std::fmt;

use protocol_core::{Event, EventError};

#[derive(Event)]
#[event(pass, error = MoveError)]
struct Moved {
    x: f32,
}

#[derive(Debug, EventError)]
enum MoveError {
    TooFar,
}

impl fmt::Display for MoveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too far")
    }
}

impl std::error::Error for MoveError {}

fn main() {}
