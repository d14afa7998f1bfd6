use protocol_core::Event;

#[derive(Event)]
#[event(pass, timeout = "2s", max_size = "4KiB")]
struct Moved {
    x: f32,
}

#[derive(Event)]
#[event(pass, name = "waved")]
struct Wave;

fn main() {}
