use std::fmt;

use protocol_core::EventError;

#[derive(Debug, EventError)]
enum SeatError {
    Full {
        max: u8,
    },
    #[event_error(code = "full")]
    NoChairs,
}

impl fmt::Display for SeatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no seat")
    }
}

impl std::error::Error for SeatError {}

fn main() {}
