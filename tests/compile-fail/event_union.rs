use protocol_core::Event;

#[derive(Event)]
#[event(pass)]
union Moved {
    x: f32,
    steps: u32,
}

fn main() {}
