//! What the frames carry, and the events that a server decodes.

use std::ops::Range;

use protocol_core::{Context, Event, EventSet, PeerId, Protocol};

/// Asks for the same back.
#[derive(Debug, Event)]
#[event(request, response = Echoed)]
pub(crate) struct Echo {
    id: u64,
    name: String,
    tags: Vec<String>,
    pos: [f64; 3],
}

/// What was asked for.
#[derive(Debug, Event)]
#[event(response)]
pub(crate) struct Echoed {
    id: u64,
    name: String,
    tags: Vec<String>,
    pos: [f64; 3],
}

/// Gives a connection the name that others reach it by.
#[derive(Debug, Event)]
#[event(request, response = Joined)]
pub(crate) struct Join {
    id: PeerId,
}

#[derive(Debug, Event)]
#[event(response)]
pub(crate) struct Joined {
    id: PeerId,
}

#[derive(Debug, EventSet)]
pub(crate) enum ToServer {
    Echo(Echo),
    Join(Join),
}

#[derive(Debug, Protocol)]
#[protocol(version = "1", to_server = ToServer)]
pub(crate) struct Working;

pub(crate) struct Handler;

impl ToServerHandler<Working> for Handler {
    async fn on_echo(&self, _cx: &Context<Working>, event: Echo) -> Echoed {
        let Echo {
            id,
            name,
            tags,
            pos,
        } = event;
        Echoed {
            id,
            name,
            tags,
            pos,
        }
    }

    async fn on_join(&self, cx: &Context<Working>, event: Join) -> Joined {
        assert!(cx.identify(event.id.clone()), "{} was taken", event.id);
        Joined { id: event.id }
    }
}

/// Lines, one for each number, whose frames `frame` makes of it and its data.
pub(crate) fn lines(numbers: &Range<u64>, frame: impl Fn(u64, &str) -> String) -> String {
    let line = |number| frame(number, &data(number)) + "\n";
    numbers.clone().map(line).collect()
}

/// The data of an echo.
pub(crate) fn data(id: u64) -> String {
    format!(
        concat!(
            r#"{{"id":{},"name":"Wanderer-of-Oaks","#,
            r#""tags":["explorer","redguild","level-42"],"pos":[1523.75,-48.0625,307.5]}}"#
        ),
        id
    )
}
