use protocol_core::{AtClient, AtPeer, Client, Context, Event, EventSet, Protocol};

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

struct Ui;

impl FromTableHandler<Poker, AtClient> for Ui {
    async fn on_dealt(&self, _: &Context<Poker, AtClient>, _: Dealt) {}
}

impl BetweenPlayersHandler<Poker, AtPeer> for Ui {
    async fn on_wave(&self, _: &Context<Poker, AtPeer>, _: Wave) {}

    async fn on_ask_seat(&self, _: &Context<Poker, AtPeer>, _: AskSeat) -> Seated {
        Seated { seat: 1 }
    }
}

async fn connect() {
    let _ = Client::<Poker>::connect("localhost:0").handle(Ui).await;
}

fn main() {}
