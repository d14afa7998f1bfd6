//! How the ends of a world come to their links, and what a client says of its own: the one place that
//! knows what the library offers for that.

use protocol_core::{Bind, Client, ClientState, Connect, Server};

use crate::forger::Forger;
use crate::network::{End, Network};
use crate::post::World;

/// Whether whoever proves an id gets it from an older session.
pub(crate) const TAKES_OVER: bool = true;

/// Whether links that are silent are found out, so that they may stay silent after healing.
pub(crate) const FINDS_SILENCE: bool = true;

/// What the stories hold once clients come back by themselves.
pub(crate) const ALSO_TOLD: &[&str] = &[
    "is reconnecting",
    "has resumed",
    "is connected anew",
    "is lost",
    "is taken over",
    "its session has ended: Replaced",
    ": Reconnecting",
    ": Online",
];

/// Where a client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    Connected,
    Reconnecting,
    /// For ever, and why.
    Lost(String),
}

/// A client's link from `host`, and further ones when that is lost. The same seed, the same ids.
pub(crate) fn connect(
    network: &Network,
    host: &str,
    server: &str,
    seed: u64,
) -> Connect<'static, World> {
    let (network, from, to) = (network.clone(), host.to_owned(), server.to_owned());
    let dial = move || {
        let network = network.clone();
        let (from, to) = (from.clone(), to.clone());
        async move { network.dial(from, to).await }
    };
    Client::connect_by(server, dial).seed(seed)
}

/// The same seed, the same ids.
pub(crate) fn bind(bind: Bind<'static, World>, seed: u64) -> Bind<'static, World> {
    bind.seed(seed)
}

pub(crate) fn accept(server: &Server<World>, end: End, forger: Option<&Forger>) {
    match forger {
        None => server.accept_stream(end),
        Some(forger) => server.accept_stream(forger.forge(end)),
    }
}

pub(crate) fn standing(client: &Client<World>) -> Standing {
    match client.state() {
        ClientState::Reconnecting(_) => Standing::Reconnecting,
        ClientState::Lost(reason) => Standing::Lost(reason.to_string()),
        _ => match client.close_reason() {
            None => Standing::Connected,
            Some(reason) => Standing::Lost(reason.to_string()),
        },
    }
}

/// A state in words; whether the session is a new one.
pub(crate) fn in_words(state: &ClientState) -> (String, bool) {
    match state {
        ClientState::Connected => ("is connected anew".to_owned(), true),
        ClientState::Reconnecting(reason) => (format!("is reconnecting: {reason}"), false),
        ClientState::Resumed => ("has resumed".to_owned(), false),
        ClientState::Lost(reason) => (format!("is lost: {reason}"), false),
        other => (format!("{other:?}"), false),
    }
}
