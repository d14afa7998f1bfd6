use protocol_core::{Context, Event, EventData, EventSet, Protocol};

#[derive(Event)]
#[event(pass, concurrent, timeout = "soon", nam = "move", name = "Move!")]
struct Moved<T> {
    x: f32,
    to: T,
}

#[derive(Event)]
#[event(request, name = "")]
struct TakeSeat {
    table: String,
}

#[derive(EventData)]
#[event_data(colour = "red")]
union Chair {
    seat: u8,
}

#[derive(EventSet)]
enum ToTable {
    Wave,
    TakeSeat(TakeSeat),
}

#[derive(Protocol)]
#[protocol(to_server = (ToTable, ToTable), to_clients = ToTable)]
struct Poker {}

struct Tables;

// Nothing that uses the items above is reported again.
impl ToTableHandler<Poker> for Tables {
    async fn on_take_seat(&self, _: &Context<Poker>, seat: TakeSeat) -> TakeSeat {
        seat
    }
}

fn is_event<E: Event>() {}

fn main() {
    is_event::<Moved<u8>>();
    is_event::<TakeSeat>();
}
