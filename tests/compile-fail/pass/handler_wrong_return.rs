use protocol_core::{Context, Event, EventSet, Protocol};

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

#[derive(EventSet)]
enum ToTable {
    Moved(Moved),
    TakeSeat(TakeSeat),
}

#[derive(Protocol)]
#[protocol(version = "1", to_server = ToTable)]
struct Poker;

struct Tables;

impl ToTableHandler<Poker> for Tables {
    async fn on_moved(&self, _: &Context<Poker>, _: Moved) {}

    async fn on_take_seat(&self, _: &Context<Poker>, _: TakeSeat) -> Seated {
        Seated { seat: 1 }
    }
}

fn main() {}
