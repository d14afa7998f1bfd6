//! What everybody here says to each other and to the server.

use protocol_core::{Context, Event, EventSet, Protocol};
use rendezvous::{Login, RoomNews, Rooms, SessionNews};

/// A numbered pass, to be confirmed.
#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Parcel {
    pub(crate) number: u64,
}

/// A pass that nobody waits for.
#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Wave(pub(crate) String);

#[derive(Debug, EventSet)]
pub(crate) enum Between {
    Parcel(Parcel),
    Wave(Wave),
}

/// Has the server ask back, and wait for the answer.
#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Hold {}

/// Asks for an answer of so many bytes.
#[derive(Debug, Event)]
#[event(request, response = Filled)]
pub(crate) struct Fill {
    pub(crate) bytes: usize,
}

#[derive(Debug, Event)]
#[event(response)]
pub(crate) struct Filled {
    pub(crate) filling: String,
}

#[derive(Debug, EventSet)]
pub(crate) enum ToDesk {
    Hold(Hold),
    Fill(Fill),
}

/// What the server asks back.
#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Sure {}

#[derive(Debug, EventSet)]
pub(crate) enum FromDesk {
    Sure(Sure),
}

#[derive(Debug, Protocol)]
#[protocol(
    version = "1",
    to_server = (Login, Rooms, ToDesk),
    to_client = (SessionNews, RoomNews, FromDesk),
    to_peer = Between,
)]
pub(crate) struct Crowd;

/// The server's own handler.
pub(crate) struct Desk;

impl ToDeskHandler<Crowd> for Desk {
    async fn on_hold(&self, cx: &Context<Crowd>, _event: Hold) {
        // Nobody answers; it ends with the link.
        let _ = cx.confirm(Sure {}).await;
    }

    async fn on_fill(&self, _cx: &Context<Crowd>, event: Fill) -> Filled {
        Filled {
            filling: "x".repeat(event.bytes),
        }
    }
}
