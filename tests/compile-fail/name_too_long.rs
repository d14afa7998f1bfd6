use protocol_core::Event;

#[derive(Event)]
#[event(
    pass,
    name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
)]
struct Moved {
    x: f32,
}

fn main() {}
