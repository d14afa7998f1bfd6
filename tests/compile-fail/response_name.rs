use protocol_core::Event;

#[derive(Event)]
#[event(request, response = Seated)]
struct TakeSeat {
    table: String,
}

#[derive(Event)]
#[event(response, name = "seated")]
struct Seated {
    seat: u8,
}

fn main() {}
