use protocol_core::{Event, EventSet, Protocol};

#[derive(Event)]
#[event(pass)]
struct Moved {
    x: f32,
}

#[derive(Event)]
#[event(pass, name = "jumped")]
struct Jumped;

#[derive(EventSet)]
enum ToTable {
    Moved(Moved),
}

#[derive(EventSet)]
enum ToLobby {
    Jumped(Jumped),
}

#[derive(Protocol)]
#[protocol(version = "1", to_server = (ToTable, ToLobby))]
struct Poker;

fn main() {}
