use std::fmt;

use protocol_core::EventError;

#[derive(Debug, EventError)]
enum SeatError {
    Busy,
    #[event_error(code = "timeout")]
    Late,
}

impl fmt::Display for SeatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no seat")
    }
}

impl std::error::Error for SeatError {}

fn main() {}
