use protocol_core::{Event, EventData};

#[derive(Event)]
#[event(pass)]
struct Moved {
    x: f32,
    to: Direction,
    path: Vec<Direction>,
}

#[derive(EventData)]
enum Direction {
    Left,
    Right,
}

fn main() {}
