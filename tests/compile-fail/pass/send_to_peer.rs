use protocol_core::{Client, Event, EventSet, PeerId, Protocol};

#[derive(Event)]
#[event(pass)]
struct Moved {
    x: f32,
}

#[derive(Event)]
#[event(request, response = Seated)]
struct TakeSeat {
    table: String,
}

#[derive(Event)]
#[event(response)]
struct Seated {
    seat: u8,
}

#[derive(Event)]
#[event(pass)]
struct Dealt {
    card: u8,
}

#[derive(Event)]
#[event(pass)]
struct Wave;

#[derive(Event)]
#[event(request, response = Seated)]
struct AskSeat;

#[derive(EventSet)]
enum ToTable {
    Moved(Moved),
    TakeSeat(TakeSeat),
}

#[derive(EventSet)]
enum FromTable {
    Dealt(Dealt),
}

#[derive(EventSet)]
enum BetweenPlayers {
    Wave(Wave),
    AskSeat(AskSeat),
}

#[derive(Protocol)]
#[protocol(version = "1", to_server = ToTable, to_client = FromTable, to_peer = BetweenPlayers)]
struct Poker;

async fn client(client: &Client<Poker>, peer: &PeerId) {
    let _ = client.to(peer).send(Wave).await;
}

fn main() {}
