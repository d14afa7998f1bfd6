use protocol_core::{AtClient, Client, Context, Event, EventSet, Protocol, Server};

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

struct Tables;

impl ToTableHandler<Poker> for Tables {
    async fn on_moved(&self, _: &Context<Poker>, _: Moved) {}
}

struct Ui;

impl FromTableHandler<Poker, AtClient> for Ui {
    async fn on_dealt(&self, _: &Context<Poker, AtClient>, _: Dealt) {}
}

async fn serve() {
    let _ = Server::<Poker>::bind("localhost:0").handle(Tables).await;
}

async fn connect() {
    let _ = Client::<Poker>::connect("localhost:0").handle(Ui).await;
}

fn main() {}
