use protocol_core::Event;

#[derive(Event)]
#[event(pass)]
enum Moved {
    Left,
    Right,
}

fn main() {}
