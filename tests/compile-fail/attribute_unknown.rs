use protocol_core::{Event, EventSet, Protocol};

#[derive(Event)]
#[event(pass, nam = "move")]
struct Moved {
    x: f32,
}

#[derive(Event)]
#[event(pass, colour = "red")]
struct Wave;

#[derive(Event)]
#[event(request, respnse = Seated)]
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
#[protocol(version = "1", to_sever = ToTable)]
struct Poker;

fn main() {}
