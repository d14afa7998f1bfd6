use std::fmt;

use protocol_core::EventError;

#[derive(Debug, EventError)]
struct SeatError {
    max: u8,
}

impl fmt::Display for SeatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no seat")
    }
}

impl std::error::Error for SeatError {}

fn main() {}
