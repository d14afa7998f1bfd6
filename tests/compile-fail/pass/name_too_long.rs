use protocol_core::Event;

#[derive(Event)]
#[event(
    pass,
    name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
)]
struct Moved {
    x: f32,
}

fn main() {}
