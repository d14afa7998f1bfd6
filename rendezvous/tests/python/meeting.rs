//! What alice, who is typed, and bob, who is written in Python, have to say to each other.

use std::sync::{Arc, Mutex};

use protocol_core::{AtPeer, Context, Event, EventSet, Json, Protocol};
use rendezvous::events::RoomNews;
use rendezvous::{Login, Rooms, SessionNews};
use tokio::sync::Notify;

#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Wave {
    pub(crate) text: String,
}

#[derive(Debug, Event)]
#[event(request, response = Echoed)]
pub(crate) struct Echo(Json);

#[derive(Debug, Event)]
#[event(response)]
pub(crate) struct Echoed(Json);

#[derive(Debug, Event)]
#[event(request, response = Added)]
pub(crate) struct Add {
    pub(crate) a: i64,
    pub(crate) b: i64,
}

#[derive(Debug, Event)]
#[event(response)]
pub(crate) struct Added {
    pub(crate) sum: i64,
}

/// The clients in Python do not know this.
#[derive(Debug, Event)]
#[event(request, response = Added)]
pub(crate) struct Multiply {}

/// What alice and bob say to each other.
#[derive(Debug, EventSet)]
pub(crate) enum Between {
    Wave(Wave),
    Echo(Echo),
    Add(Add),
    Multiply(Multiply),
}

#[derive(Debug, Protocol)]
#[protocol(
    version = "1",
    to_server = (Login, Rooms),
    to_client = (SessionNews, RoomNews),
    to_peer = Between,
)]
pub(crate) struct Meeting;

/// What alice saw, line by line.
pub(crate) type Transcript = Arc<Mutex<Vec<String>>>;

/// Alice's handlers.
#[derive(Debug, Default)]
pub(crate) struct Alice {
    pub(crate) transcript: Transcript,
    /// Is told when bob asks her into the lobby.
    pub(crate) invited: Arc<Notify>,
}

impl Alice {
    fn note(&self, line: impl Into<String>) {
        self.transcript.lock().unwrap().push(line.into());
    }
}

impl BetweenHandler<Meeting, AtPeer> for Alice {
    async fn on_wave(&self, cx: &Context<Meeting, AtPeer>, event: Wave) {
        self.note(format!("{} waves: {}", cx.from(), event.text));
        if event.text == "come to the lobby" {
            self.invited.notify_one();
        }
        if event.text != "your turn" {
            return;
        }
        let text = "hello yourself".to_owned();
        let confirmed = cx.confirm(Wave { text }).await;
        self.note(format!("confirmed: {confirmed:?}"));
        let sum = cx.request(Add { a: 19, b: 23 }).await.map(|it| it.sum);
        self.note(format!("19 + 23: {sum:?}"));
        let unknown = cx.request(Multiply {}).await.map(|it| it.sum);
        self.note(unknown.unwrap_err().to_string());
    }

    async fn on_echo(&self, cx: &Context<Meeting, AtPeer>, event: Echo) -> Echoed {
        self.note(format!("{} asks: {}", cx.from(), event.0.get()));
        Echoed(event.0)
    }

    async fn on_add(&self, _cx: &Context<Meeting, AtPeer>, event: Add) -> Added {
        Added {
            sum: event.a + event.b,
        }
    }

    async fn on_multiply(&self, _cx: &Context<Meeting, AtPeer>, _event: Multiply) -> Added {
        Added { sum: 0 }
    }
}
