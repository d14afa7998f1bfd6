use protocol_core::Event;

#[derive(Event)]
#[event(pass)]
struct Moved {
    by: f32,
}

#[derive(Event)]
#[event(pass)]
struct Named {
    name: String,
}

fn main() {}
