use protocol_core::Event;

#[derive(Event)]
#[event(pass)]
struct Moved {
    x: f32,
    to: Direction,
    path: Vec<Direction>,
}

enum Direction {
    Left,
    Right,
}

fn main() {}
