use protocol_core::{Event, EventData};

#[derive(Event)]
#[event(pass)]
struct Moved {
    to: Direction,
}

#[derive(EventData)]
enum Direction {
    Left,
    Right,
}

fn main() {}
