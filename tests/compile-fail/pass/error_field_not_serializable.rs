use std::fmt;

use protocol_core::{EventData, EventError};

#[derive(Debug, EventError)]
enum SeatError {
    Full { max: u8, free: Seat },
    Taken(Seat),
    Banned,
}

#[derive(Debug, EventData)]
struct Seat(u8);

impl fmt::Display for SeatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no seat")
    }
}

impl std::error::Error for SeatError {}

fn main() {}
