use protocol_core::{Event, EventData};

#[derive(Event)]
#[event(pass)]
struct Moved {
    x: f32,
    #[serde(default)]
    to: Direction,
}

#[derive(Default, EventData)]
enum Direction {
    #[default]
    Left,
    Right,
}

fn main() {}
