use protocol_core::Event;

#[derive(Event)]
#[event(pass)]
struct ProtocolError;

#[derive(Event)]
#[event(pass)]
struct Größe;

fn main() {}
