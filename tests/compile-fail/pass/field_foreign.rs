use std::time::Instant;

use protocol_core::Event;

#[derive(Event)]
#[event(pass)]
struct Moved {
    #[serde(skip, default = "Instant::now")]
    at: Instant,
    after_ms: u64,
}

fn main() {}
