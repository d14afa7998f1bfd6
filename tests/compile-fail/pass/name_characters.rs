use protocol_core::Event;

#[derive(Event)]
#[event(pass, name = "moved-1.a:b_c")]
struct Moved {
    x: f32,
}

fn main() {}
