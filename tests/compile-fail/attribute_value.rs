use protocol_core::Event;

#[derive(Event)]
#[event(pass, timeout = 2, max_size = "4KB")]
struct Moved {
    x: f32,
}

#[derive(Event)]
#[event(pass, name)]
struct Wave;

fn main() {}
