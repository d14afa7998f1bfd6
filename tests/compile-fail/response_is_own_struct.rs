use protocol_core::Event;

#[derive(Event)]
#[event(request, response = Seated)]
struct TakeSeat {
    table: String,
}

struct Seated {
    seat: u8,
}

fn main() {}
