use protocol_core::Event;

#[derive(Event)]
#[event(pass)]
struct Moved<T> {
    by: T,
}

#[derive(Event)]
#[event(pass)]
struct Named<'a> {
    name: &'a str,
}

fn main() {}
