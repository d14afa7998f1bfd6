//! A server with events of its own beside login and relay, and its typed clients.

use std::net::SocketAddr;
use std::time::Duration;

use protocol_core::{
    AtPeer, Client, Context, Event, EventSet, Inbox, PeerId, Protocol, RequestError, Server, inbox,
};
use protocol_tests::{Notices, notices};
use rendezvous::{Config, Login, Rendezvous, SessionNews};

/// To the house itself, from whoever is logged in.
#[derive(Debug, Event)]
#[event(request, response = Opened)]
pub(crate) struct Knock {}

#[derive(Debug, Event)]
#[event(response)]
pub(crate) struct Opened {
    pub(crate) to: Option<PeerId>,
}

/// Takes a name without a login, as a handler of the server's own may do.
#[derive(Debug, Event)]
#[event(request, response = Opened)]
pub(crate) struct Claim {
    pub(crate) id: PeerId,
}

#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Leaflet {}

#[derive(Debug, EventSet)]
pub(crate) enum ToHouse {
    Knock(Knock),
    Claim(Claim),
    Leaflet(Leaflet),
}

/// From peer to peer.
#[derive(Debug, Event)]
#[event(request, response = Greeting)]
pub(crate) struct Greet {}

#[derive(Debug, Event)]
#[event(response)]
pub(crate) struct Greeting {
    pub(crate) text: String,
}

/// From peer to peer, without a word.
#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Nod {}

#[derive(Debug, EventSet)]
pub(crate) enum Between {
    Greet(Greet),
    Nod(Nod),
}

#[derive(Debug, Protocol)]
#[protocol(
    name = "house",
    version = "7",
    to_server = (Login, ToHouse),
    to_client = SessionNews,
    to_peer = Between,
)]
pub(crate) struct House;

/// The handler of the house's own events.
pub(crate) struct Porter;

impl ToHouseHandler<House> for Porter {
    async fn on_knock(&self, cx: &Context<House>, _event: Knock) -> Opened {
        let to = cx.peer().cloned();
        Opened { to }
    }

    async fn on_claim(&self, cx: &Context<House>, event: Claim) -> Opened {
        let to = cx.identify(event.id.clone()).then_some(event.id);
        Opened { to }
    }

    async fn on_leaflet(&self, _cx: &Context<House>, _event: Leaflet) {}
}

/// A client that greets back.
pub(crate) struct Guest;

impl BetweenHandler<House, AtPeer> for Guest {
    async fn on_greet(&self, cx: &Context<House, AtPeer>, _event: Greet) -> Greeting {
        let text = format!("hello, {}", cx.from());
        Greeting { text }
    }

    async fn on_nod(&self, _cx: &Context<House, AtPeer>, _event: Nod) {}
}

/// A house that is open.
pub(crate) struct Open {
    pub(crate) server: Server<House>,
    pub(crate) rendezvous: Rendezvous,
    pub(crate) notices: Notices,
}

pub(crate) async fn open(change: impl FnOnce(&mut Config)) -> Open {
    let mut config = Config::default();
    change(&mut config);
    let rendezvous = Rendezvous::new(config);
    let (observer, notices) = notices();
    let server = rendezvous
        .bind("127.0.0.1:0")
        .observe(observer)
        .handle((Porter, rendezvous.clone()))
        .await
        .unwrap();
    Open {
        server,
        rendezvous,
        notices,
    }
}

impl Open {
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// A typed client, and what the server tells it of its session.
    pub(crate) async fn guest(&self) -> (Client<House>, Inbox<SessionNews>) {
        let (news, heard) = inbox(16);
        let connect = Client::connect(self.address()).handle((Guest, news));
        (connect.await.unwrap(), heard)
    }

    /// Waits until so many are logged in. The test's own watch bounds it.
    pub(crate) async fn has_sessions(&self, count: usize) {
        while self.rendezvous.sessions() != count {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until so many are connected.
    pub(crate) async fn has_connections(&self, count: usize) {
        while self.server.connections() != count {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn shut_down(&self) -> bool {
        let deadline = Duration::from_secs(5);
        self.rendezvous.shutdown(&self.server, deadline).await
    }
}

/// The code with which the other end refused a call.
pub(crate) fn code<E: std::fmt::Debug>(error: RequestError<E>) -> String {
    match error {
        RequestError::Rejected(error) | RequestError::Other(error) => error.code.to_string(),
        error => panic!("{error:?}"),
    }
}
