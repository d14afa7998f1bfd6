use protocol_core::{Event, EventData};

#[derive(Event)]
#[event(pass)]
struct Moved {
    by: Distance,
}

#[derive(EventData)]
enum Distance {
    X(f32),
    Steps(u32),
}

fn main() {}
