use protocol_core::Event;

#[derive(Event)]
#[event(pass, timeout = "2s", timeout = "3s")]
struct Moved {
    x: f32,
}

fn main() {}
