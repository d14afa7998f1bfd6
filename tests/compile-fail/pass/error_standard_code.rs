use std::fmt;

use protocol_core::EventError;

#[derive(Debug, EventError)]
enum SeatError {
    #[event_error(code = "table_busy")]
    Busy,
    #[event_error(code = "too_late")]
    Late,
}

impl fmt::Display for SeatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no seat")
    }
}

impl std::error::Error for SeatError {}

fn main() {}
