use protocol_core::{Context, Event, EventSet, Protocol, Server};

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

struct Tables;

impl ToTableHandler<Poker> for Tables {
    async fn on_moved(&self, _: &Context<Poker>, _: Moved) {}

    async fn on_take_seat(&self, _: &Context<Poker>, _: TakeSeat) -> Seated {
        Seated { seat: 1 }
    }
}

async fn serve() {
    let _ = Server::<Poker>::bind("localhost:0").await;
}

fn main() {}
