use protocol_core::{Client, Context, Event, EventSet, Protocol};

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

struct Ui;

impl FromTableHandler<Poker> for Ui {
    async fn on_dealt(&self, _: &Context<Poker>, _: Dealt) {}
}

async fn connect() {
    let _ = Client::<Poker>::connect("localhost:0").handle(Ui).await;
}

fn main() {}
