//! A server with rooms, and its typed clients.

use std::net::SocketAddr;
use std::time::Duration;

use protocol_core::{
    AtPeer, Client, Context, Event, EventSet, Inbox, PeerId, Protocol, RequestError, RoomId,
    Server, ignore, inbox,
};
use protocol_tests::{Notices, PlainOrEncrypted, notices};
use rendezvous::events::{CreateRoom, JoinRoom, LogIn, Ping, Room};
use rendezvous::{Config, Login, LoginExt, MyRooms, Rendezvous, RoomNews, Rooms, SessionNews};

/// To everybody in a room, or to one.
#[derive(Debug, PartialEq, Event)]
#[event(pass)]
pub(crate) struct Say {
    pub(crate) text: String,
}

#[derive(Debug, EventSet)]
pub(crate) enum Between {
    Say(Say),
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

#[derive(Debug, EventSet)]
pub(crate) enum Courtesy {
    Greet(Greet),
}

#[derive(Debug, Protocol)]
#[protocol(
    version = "1",
    to_server = (Login, Rooms),
    to_client = (SessionNews, RoomNews),
    to_peer = (Between, Courtesy),
)]
pub(crate) struct World;

/// A client that greets back.
pub(crate) struct Polite;

impl CourtesyHandler<World, AtPeer> for Polite {
    async fn on_greet(&self, cx: &Context<World, AtPeer>, _event: Greet) -> Greeting {
        let text = format!("hello, {}", cx.from());
        Greeting { text }
    }
}

/// A server that is open.
pub(crate) struct Place {
    pub(crate) server: Server<World>,
    pub(crate) rendezvous: Rendezvous,
    pub(crate) notices: Notices,
}

pub(crate) async fn open(change: impl FnOnce(&mut Config)) -> Place {
    let mut config = Config::default();
    change(&mut config);
    let rendezvous = Rendezvous::new(config);
    let (observer, notices) = notices();
    let server = rendezvous
        .bind("127.0.0.1:0")
        .plain_or_encrypted()
        .observe(observer)
        .handle(rendezvous.clone())
        .await
        .unwrap();
    Place {
        server,
        rendezvous,
        notices,
    }
}

impl Place {
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// A typed client that is logged in.
    pub(crate) async fn peer(&self, id: &str) -> Peer {
        Peer::log_in(self.address(), LogIn::new(id)).await
    }

    /// A peer whose session ends with its link.
    pub(crate) async fn peer_without_grace(&self, id: &str) -> Peer {
        let login = LogIn::new(id).grace(Duration::ZERO);
        Peer::log_in(self.address(), login).await
    }

    /// Waits until so many are connected. The test's own watch bounds it.
    pub(crate) async fn has_connections(&self, count: usize) {
        while self.server.connections() != count {
            tokio::task::yield_now().await;
        }
    }

    /// The room as its members should see it.
    pub(crate) fn room(&self, id: &RoomId) -> Room {
        self.rendezvous.room(id).expect("there is the room")
    }

    pub(crate) async fn shut_down(&self) -> bool {
        let deadline = Duration::from_secs(5);
        self.rendezvous.shutdown(&self.server, deadline).await
    }
}

/// A logged-in client, what it hears, and its own picture of its rooms.
pub(crate) struct Peer {
    pub(crate) id: PeerId,
    pub(crate) client: Client<World>,
    pub(crate) said: Inbox<Between>,
    pub(crate) mine: MyRooms,
    news: Inbox<RoomNews>,
}

impl Peer {
    pub(crate) async fn log_in(address: SocketAddr, login: LogIn) -> Self {
        let (on_news, news) = inbox(1 << 14);
        let (on_said, said) = inbox(1 << 14);
        let connect = Client::connect(address).plain_or_encrypted().handle((
            ignore::<SessionNews>(),
            on_news,
            on_said,
            Polite,
        ));
        let client = connect.await.unwrap();
        let id = client.login_with(login).await.unwrap().id;
        Self {
            id,
            client,
            said,
            mine: MyRooms::default(),
            news,
        }
    }

    pub(crate) async fn create(&self, name: &str) -> Room {
        self.client.request(CreateRoom::new(name)).await.unwrap()
    }

    pub(crate) async fn join(&self, room: &RoomId) -> Room {
        let join = JoinRoom::new(room.clone());
        self.client.request(join).await.unwrap()
    }

    pub(crate) async fn say(&self, room: &RoomId, text: &str) {
        let text = text.to_owned();
        self.client.to_room(room).send(Say { text }).await.unwrap();
    }

    /// The next that a peer says, and who.
    pub(crate) async fn heard(&mut self) -> (String, String) {
        let received = self.said.next().await.expect("the link is up");
        let Between::Say(say) = received.event;
        (received.from.unwrap().to_string(), say.text)
    }

    /// The next news, which have to fit what was heard before.
    pub(crate) async fn news(&mut self) -> RoomNews {
        let received = self.news.next().await.expect("the link is up");
        self.take_in(received.event)
    }

    /// Waits for the next news that `find` looks for.
    pub(crate) async fn hears(&mut self, find: impl Fn(&RoomNews) -> bool) -> RoomNews {
        loop {
            let news = self.news().await;
            if find(&news) {
                return news;
            }
        }
    }

    /// All news of what was done before this.
    pub(crate) async fn settle(&mut self) -> Vec<RoomNews> {
        self.client.request(Ping::default()).await.unwrap();
        let mut heard = Vec::new();
        while let Some(received) = self.news.try_next() {
            heard.push(self.take_in(received.event));
        }
        heard
    }

    /// Nothing was done of which this peer hears.
    pub(crate) async fn hears_nothing(&mut self) {
        let heard = self.settle().await;
        assert!(heard.is_empty(), "{heard:?}");
    }

    /// All news until the link's end.
    pub(crate) async fn rest(&mut self) -> Vec<RoomNews> {
        let mut heard = Vec::new();
        while let Some(received) = self.news.next().await {
            heard.push(self.take_in(received.event));
        }
        heard
    }

    fn take_in(&mut self, news: RoomNews) -> RoomNews {
        let about = match &news {
            RoomNews::PlayerJoined(joined) => Some(&joined.player.id),
            RoomNews::PlayerLeft(left) => Some(&left.player),
            RoomNews::PlayerUpdated(updated) => Some(&updated.player),
            _ => None,
        };
        assert_ne!(about, Some(&self.id), "news of oneself: {news:?}");
        let fits = self.mine.hear(&news);
        assert!(fits.is_ok(), "{news:?} after {:?}", self.mine);
        news
    }
}

pub(crate) fn peer_id(text: &str) -> PeerId {
    PeerId::new(text).unwrap()
}

/// The ids of a room's players, in their order.
pub(crate) fn players(room: &Room) -> Vec<&str> {
    room.players.iter().map(|player| &*player.id).collect()
}

/// The event's own error with which a request was refused.
pub(crate) fn refusal<T: std::fmt::Debug, E: std::fmt::Debug>(
    answer: Result<T, RequestError<E>>,
) -> E {
    match answer {
        Err(RequestError::Refused(refusal)) => refusal,
        other => panic!("no refusal: {other:?}"),
    }
}

/// The standard code with which a call was rejected.
pub(crate) fn rejection<T: std::fmt::Debug, E: std::fmt::Debug>(
    answer: Result<T, RequestError<E>>,
) -> String {
    match answer {
        Err(RequestError::Rejected(error)) => error.code.to_string(),
        other => panic!("no rejection: {other:?}"),
    }
}
