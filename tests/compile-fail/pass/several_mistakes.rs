use protocol_core::{Context, Event, EventData, EventSet, Protocol};

#[derive(Event)]
#[event(pass, timeout = "2s", name = "move")]
struct Moved {
    x: f32,
    to: u8,
}

#[derive(Event)]
#[event(request, response = Chair, name = "take")]
struct TakeSeat {
    table: String,
}

#[derive(Event)]
#[event(response)]
struct Chair {
    seat: Seat,
}

#[derive(EventData)]
struct Seat(u8);

#[derive(EventSet)]
enum ToTable {
    Moved(Moved),
    TakeSeat(TakeSeat),
}

#[derive(Protocol)]
#[protocol(version = "1", to_server = ToTable, to_client = ToTable)]
struct Poker;

struct Tables;

impl ToTableHandler<Poker> for Tables {
    async fn on_moved(&self, _: &Context<Poker>, _: Moved) {}

    async fn on_take_seat(&self, _: &Context<Poker>, _: TakeSeat) -> Chair {
        Chair { seat: Seat(1) }
    }
}

fn is_event<E: Event>() {}

fn main() {
    is_event::<Moved>();
    is_event::<TakeSeat>();
}
