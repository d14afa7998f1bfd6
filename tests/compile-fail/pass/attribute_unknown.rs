use protocol_core::{Event, EventSet, Protocol};

#[derive(Event)]
#[event(pass, name = "move")]
struct Moved {
    x: f32,
}

#[derive(Event)]
#[event(pass)]
struct Wave;

#[derive(Event)]
#[event(request, response = Seated)]
struct TakeSeat;

#[derive(Event)]
#[event(response)]
struct Seated;

#[derive(EventSet)]
enum ToTable {
    Wave(Wave),
    TakeSeat(TakeSeat),
}

#[derive(Protocol)]
#[protocol(version = "1", to_server = ToTable)]
struct Poker;

fn main() {}
