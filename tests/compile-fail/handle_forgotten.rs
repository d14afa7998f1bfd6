use protocol_core::{Client, Event, EventSet, Protocol, Server};

#[derive(Event)]
#[event(pass)]
struct Moved {
    x: f32,
}

#[derive(Event)]
#[event(pass)]
struct Dealt {
    card: u8,
}

#[derive(EventSet)]
enum ToTable {
    Moved(Moved),
}

#[derive(EventSet)]
enum FromTable {
    Dealt(Dealt),
}

#[derive(Protocol)]
#[protocol(version = "1", to_server = ToTable, to_client = FromTable)]
struct Poker;

async fn serve() {
    let _ = Server::<Poker>::bind("localhost:0").await;
}

async fn connect() {
    let _ = Client::<Poker>::connect("localhost:0").await;
}

fn main() {}
