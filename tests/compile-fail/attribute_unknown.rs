use protocol_core::Event;

#[derive(Event)]
#[event(pass, nam = "move")]
struct Moved {
    x: f32,
}

#[derive(Event)]
#[event(pass, colour = "red")]
struct Wave;

fn main() {}
