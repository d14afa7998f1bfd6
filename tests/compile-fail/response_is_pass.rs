use protocol_core::Event;

#[derive(Event)]
#[event(request, response = Seated)]
struct TakeSeat {
    table: String,
}

#[derive(Event)]
#[event(pass)]
struct Seated {
    seat: u8,
}

fn main() {}
