use protocol_core::{Event, EventSet, Protocol};

#[derive(Event)]
#[event(pass)]
struct Moved {
    x: f32,
}

#[derive(EventSet)]
enum ToTable {
    Moved(Moved),
}

#[derive(Protocol)]
#[protocol(to_server = ToTable)]
struct Poker;

fn main() {}
