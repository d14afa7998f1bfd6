use protocol_core::Event;

#[derive(Event)]
#[event(request, response = Vec<u8>)]
struct TakeSeat {
    table: String,
}

fn main() {}
