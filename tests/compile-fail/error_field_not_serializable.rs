use std::fmt;

use protocol_core::EventError;

#[derive(Debug, EventError)]
enum SeatError {
    Full { max: u8, free: Seat },
    Taken(Seat),
    Banned,
}

#[derive(Debug)]
struct Seat(u8);

impl fmt::Display for SeatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no seat")
    }
}

impl std::error::Error for SeatError {}

fn main() {}
