use protocol_core::Event;

#[derive(Event)]
#[event(pass, name = "cancel_request")]
struct Moved {
    x: f32,
}

fn main() {}
