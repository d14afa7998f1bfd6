use protocol_core::Event;

#[derive(Event)]
#[event(pass, name = "Moved!")]
struct Moved {
    x: f32,
}

fn main() {}
