use protocol_core::Event;

#[derive(Event)]
#[event(request, response = Seats)]
struct TakeSeat {
    table: String,
}

#[derive(Event)]
#[event(response)]
struct Seats(Vec<u8>);

fn main() {}
