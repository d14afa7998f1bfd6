use protocol_core::{Event, EventSet};

#[derive(Event)]
#[event(request, response = Seated)]
struct TakeSeat {
    table: String,
}

#[derive(Event)]
#[event(response)]
struct Seated {
    seat: u8,
}

#[derive(EventSet)]
enum ToTable {
    TakeSeat(TakeSeat),
}

fn main() {}
