use std::time::Instant;

use protocol_core::Event;

#[derive(Event)]
#[event(pass)]
struct Moved {
    at: Instant,
}

fn main() {}
