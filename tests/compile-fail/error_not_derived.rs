use protocol_core::Event;

#[derive(Event)]
#[event(pass, error = MoveError)]
struct Moved {
    x: f32,
}

#[derive(Debug)]
enum MoveError {
    TooFar,
}

fn main() {}
