use protocol_core::Event;

#[derive(Event)]
#[event(pass, timeout = "2s")]
struct Moved {
    x: f32,
}

fn main() {}
