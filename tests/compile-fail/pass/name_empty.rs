use protocol_core::Event;

#[derive(Event)]
#[event(pass, name = "moved")]
struct Moved {
    x: f32,
}

fn main() {}
