use protocol_core::{Event, EventSet};

#[derive(Event)]
#[event(pass)]
struct Moved {
    x: f32,
}

#[derive(Event)]
#[event(pass)]
struct Wave;

#[derive(EventSet)]
enum ToTable {
    Moved(Moved, f32),
    Wave,
}

#[derive(EventSet)]
enum FromTable {
    Moved { by: Moved },
}

fn main() {}
