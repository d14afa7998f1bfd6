//! A client's link: what it hears of all sets, in the order in which it arrived.
//!
//! The handlers queue everything and decide nothing, so that host and player own their state and
//! need no lock. An inbox does the same for the passes of one set. Here requests are among them, and
//! the order between sets counts: the last board comes before the news that the room is closed.

use std::error::Error;

use protocol_core::{AtClient, AtPeer, Client, Context, PeerId, RoomId};
use rendezvous::events::{
    HostChanged, LogOut, PlayerJoined, PlayerLeft, PlayerUpdated, RoomNews, RoomNewsHandler,
    RoomUpdated, SelfJoined, SelfLeft,
};
use rendezvous::{IgnoreNews, LoginExt, MyRooms};
use tokio::sync::{mpsc, oneshot};

use crate::events::{
    BoardChanged, FromRefereeHandler, MoveError, Place, Placed, TicTacToe, ToRefereeHandler,
};
use crate::game::Game;

pub(crate) type Failure = Box<dyn Error>;

/// Something that a client hears.
pub(crate) enum Heard {
    News(RoomNews),
    Board {
        from: PeerId,
        game: Game,
    },
    /// A player's move, to be judged. To drop it is to refuse it.
    Move {
        from: PeerId,
        asked: Place,
        answer: oneshot::Sender<Result<Placed, MoveError>>,
    },
}

/// A logged-in client.
pub(crate) struct Link {
    pub(crate) me: PeerId,
    pub(crate) client: Client<TicTacToe>,
    /// The rooms that it is in, as far as it has heard.
    pub(crate) rooms: MyRooms,
    queue: mpsc::Receiver<Heard>,
}

impl Link {
    pub(crate) async fn open(name: &str, address: &str) -> Result<Self, Failure> {
        let (ears, queue) = mpsc::channel(256);
        let connecting = Client::connect(address).handle((IgnoreNews, Ears(ears)));
        let client = connecting.await.map_err(|error| {
            format!("{address}: {error}\nstart a server: cargo run -p rendezvous -- serve")
        })?;
        let login = client.login(name).await;
        let login = login.map_err(|error| format!("{name} cannot log in: {error}"))?;
        Ok(Self {
            me: login.id,
            client,
            rooms: MyRooms::default(),
            queue,
        })
    }

    /// What comes next. Dropping the future loses nothing.
    pub(crate) async fn hear(&mut self) -> Result<Heard, Failure> {
        let Some(heard) = self.queue.recv().await else {
            let reason = self.client.closed().await;
            return Err(format!("the link has ended: {reason}").into());
        };
        if let Heard::News(news) = &heard {
            self.rooms.hear(news)?;
        }
        Ok(heard)
    }

    /// Hears that this client is in the room: nothing of the room comes before that.
    pub(crate) async fn enter(&mut self, room: &RoomId) -> Result<(), Failure> {
        while self.rooms.get(room).is_none() {
            self.hear().await?;
        }
        Ok(())
    }

    pub(crate) async fn log_out(&self) -> Result<(), Failure> {
        self.client.request(LogOut {}).await?;
        Ok(())
    }
}

struct Ears(mpsc::Sender<Heard>);

impl Ears {
    async fn hear(&self, heard: Heard) {
        // Where nobody listens any more, nobody misses it.
        let _ = self.0.send(heard).await;
    }

    async fn news(&self, news: RoomNews) {
        self.hear(Heard::News(news)).await;
    }
}

/// Where an event of another peer is handled.
type FromPeer = Context<TicTacToe, AtPeer>;

impl ToRefereeHandler<TicTacToe, AtPeer> for Ears {
    async fn on_place(&self, cx: &FromPeer, asked: Place) -> Result<Placed, MoveError> {
        let (answer, answered) = oneshot::channel();
        let from = cx.from().clone();
        self.hear(Heard::Move {
            from,
            asked,
            answer,
        })
        .await;
        answered.await.unwrap_or(Err(MoveError::NotPlaying))
    }
}

impl FromRefereeHandler<TicTacToe, AtPeer> for Ears {
    async fn on_board_changed(&self, cx: &FromPeer, BoardChanged(game): BoardChanged) {
        let from = cx.from().clone();
        self.hear(Heard::Board { from, game }).await;
    }
}

/// Where an event of the server is handled.
type FromServer = Context<TicTacToe, AtClient>;

impl RoomNewsHandler<TicTacToe, AtClient> for Ears {
    async fn on_self_joined(&self, _: &FromServer, event: SelfJoined) {
        self.news(RoomNews::SelfJoined(event)).await;
    }

    async fn on_self_left(&self, _: &FromServer, event: SelfLeft) {
        self.news(RoomNews::SelfLeft(event)).await;
    }

    async fn on_player_joined(&self, _: &FromServer, event: PlayerJoined) {
        self.news(RoomNews::PlayerJoined(event)).await;
    }

    async fn on_player_left(&self, _: &FromServer, event: PlayerLeft) {
        self.news(RoomNews::PlayerLeft(event)).await;
    }

    async fn on_player_updated(&self, _: &FromServer, event: PlayerUpdated) {
        self.news(RoomNews::PlayerUpdated(event)).await;
    }

    async fn on_host_changed(&self, _: &FromServer, event: HostChanged) {
        self.news(RoomNews::HostChanged(event)).await;
    }

    async fn on_room_updated(&self, _: &FromServer, event: RoomUpdated) {
        self.news(RoomNews::RoomUpdated(event)).await;
    }
}
