use protocol_core::{Event, EventSet};

#[derive(Event)]
#[event(pass)]
struct Moved {
    x: f32,
}

#[derive(EventSet)]
enum ToTable {
    Moved(Moved),
    Jumped(Moved),
}

fn main() {}
