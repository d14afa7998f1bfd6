//! A server with rooms, and its typed clients.

use protocol_core::{Client, Event, EventSet, Inbox, Protocol, Server, inbox};
use rendezvous::events::RoomNews;
use rendezvous::{Config, IgnoreNews, Login, LoginExt, Rendezvous, Rooms, SessionNews};

#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct Say {
    pub(crate) text: String,
}

#[derive(Debug, EventSet)]
pub(crate) enum Between {
    Say(Say),
}

#[derive(Debug, Protocol)]
#[protocol(
    version = "1",
    to_server = (Login, Rooms),
    to_client = (SessionNews, RoomNews),
    to_peer = Between,
)]
pub(crate) struct World;

pub(crate) struct Place {
    pub(crate) server: Server<World>,
    pub(crate) rendezvous: Rendezvous,
}

pub(crate) async fn open(change: impl FnOnce(&mut Config)) -> Place {
    let mut config = Config::default();
    change(&mut config);
    let rendezvous = Rendezvous::new(config);
    let server = rendezvous
        .bind("127.0.0.1:0")
        .handle(rendezvous.clone())
        .await
        .unwrap();
    Place { server, rendezvous }
}

/// A logged-in client and what it hears.
pub(crate) struct Peer {
    pub(crate) client: Client<World>,
    pub(crate) news: Inbox<RoomNews>,
    pub(crate) said: Inbox<Between>,
}

impl Place {
    pub(crate) async fn peer(&self, id: &str) -> Peer {
        let (on_news, news) = inbox(256);
        let (on_said, said) = inbox(256);
        let client = Client::connect(self.server.address())
            .handle((IgnoreNews, on_news, on_said))
            .await
            .unwrap();
        client.login(id).await.unwrap();
        Peer { client, news, said }
    }
}
