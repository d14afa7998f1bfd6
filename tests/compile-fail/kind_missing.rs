use protocol_core::Event;

#[derive(Event)]
#[event(timeout = "2s")]
struct Moved {
    x: f32,
}

#[derive(Event)]
struct Wave;

fn main() {}
