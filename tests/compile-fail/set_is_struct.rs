use protocol_core::{Event, EventSet};

#[derive(Event)]
#[event(pass)]
struct Moved {
    x: f32,
}

#[derive(EventSet)]
struct ToTable {
    moved: Moved,
}

fn main() {}
