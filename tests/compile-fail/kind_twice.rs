use protocol_core::Event;

#[derive(Event)]
#[event(request, pass, response = Seated)]
struct TakeSeat {
    table: String,
}

#[derive(Event)]
#[event(response)]
struct Seated {
    seat: u8,
}

fn main() {}
