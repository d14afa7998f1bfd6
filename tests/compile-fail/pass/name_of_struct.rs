use protocol_core::Event;

#[derive(Event)]
#[event(pass, name = "table.protocol_error")]
struct ProtocolError;

#[derive(Event)]
#[event(pass, name = "groesse")]
struct Größe;

fn main() {}
