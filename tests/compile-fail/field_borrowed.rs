use protocol_core::Event;

#[derive(Event)]
#[event(pass)]
struct Named {
    name: &'static str,
}

fn main() {}
