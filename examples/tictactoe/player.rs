//! Somebody at a terminal: the host, who plays X, the opponent, or one of those who watch.

use std::error::Error;
use std::fmt::Display;
use std::io;

use protocol_core::{
    Client, ClientState, ClientStates, Inbox, PeerId, Received, RequestError, RoomId, ignore, queue,
};
use rendezvous::events::{
    CreateRoom, JoinRoom, LeaveReason, LeaveRoom, ListRooms, OnHostLeave, Room, RoomNews,
};
use rendezvous::{LoginExt, SessionNews};
use tokio::sync::watch;

use crate::events::{BoardChanged, FromReferee, MoveError, Place, Placed, TicTacToe};
use crate::game::Game;
use crate::referee::Referee;

pub(crate) type Failure = Box<dyn Error>;

/// What all rooms of this game are called: it is how players find them.
const ROOM_NAME: &str = "tic-tac-toe";

const NO_GAME: &str =
    "there is no such game: open one with cargo run --example tictactoe -- host alice";

/// What somebody comes for.
pub(crate) enum Role {
    Host,
    Join,
    Watch,
}

impl Role {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "host" => Some(Self::Host),
            "join" => Some(Self::Join),
            "watch" => Some(Self::Watch),
            _ => None,
        }
    }
}

/// What a client hears, in the order in which it came.
enum Heard {
    Server(RoomNews),
    Referee(FromReferee),
}

pub(crate) struct Player {
    client: Client<TicTacToe>,
    /// What becomes of the link.
    states: ClientStates,
    me: PeerId,
    room: RoomId,
    /// Always the same: the room ends when the host leaves.
    host: PeerId,
    inbox: Inbox<Heard>,
    referee: Referee,
    judged: watch::Receiver<Option<Game>>,
    /// Stands before each line where several people share the terminal.
    margin: String,
    /// As it was last shown.
    game: Option<Game>,
    is_over: bool,
}

impl Player {
    /// Logs in and enters a room.
    pub(crate) async fn enter(
        role: Role,
        name: &str,
        address: &str,
        margin: String,
    ) -> Result<Self, Failure> {
        let ((queue, inbox), referee) = (queue(256), Referee::default());
        let connecting = Client::connect(address).handle((
            ignore::<SessionNews>(),
            queue.of(Heard::Server),
            queue.of(Heard::Referee),
            referee.clone(),
        ));
        let client = connecting.await.map_err(|error| {
            format!("{address}: {error}\nstart a server: cargo run -p rendezvous -- serve")
        })?;
        let login = client.login(name).await;
        let login = login.map_err(|error| format!("{name} cannot log in: {error}"))?;
        let room = match role {
            Role::Host => open(&client).await,
            // The first who joins a host plays.
            Role::Join => join(&client, 1).await,
            Role::Watch => join(&client, 2).await,
        };
        let room = match room {
            Ok(room) => room,
            Err(error) => {
                // The name would stay taken for a while.
                client.close().await;
                return Err(error);
            }
        };
        Ok(Self {
            states: client.states(),
            client,
            me: login.id,
            room: room.id,
            host: room.host,
            inbox,
            judged: referee.watch(),
            referee,
            margin,
            game: None,
            is_over: false,
        })
    }

    /// Whether the game is over, or this player no longer in the room.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Logs out, unless there is no link now.
    pub(crate) async fn log_out(self) {
        self.client.close().await;
    }

    /// Does the next thing that there is to do: with what it hears, or with the `line` that is typed
    /// next. Where there is none any more, it leaves.
    pub(crate) async fn turn(
        &mut self,
        line: impl Future<Output = io::Result<Option<String>>>,
    ) -> Result<(), Failure> {
        tokio::select! {
            // What a line leads to is shown before the next is taken.
            biased;
            received = self.inbox.next() => {
                let Some(received) = received else {
                    let reason = self.client.closed().await;
                    return Err(format!("the link has ended: {reason}").into());
                };
                self.hear(received);
            }
            Some(state) = self.states.next() => self.hear_of_link(&state),
            Ok(()) = self.judged.changed() => self.tell().await?,
            line = line => match line?.as_deref().map(str::trim) {
                None | Some("/quit")
                    if matches!(self.client.state(), ClientState::Reconnecting(_)) =>
                {
                    self.is_over = true;
                }
                None | Some("/quit") => {
                    let room = self.room.clone();
                    self.client.request(LeaveRoom { room }).await?;
                }
                Some(line) => match line.parse() {
                    Ok(cell) => self.place(cell).await,
                    Err(_) => self.show("type a cell from 1 to 9, or /quit"),
                },
            },
        }
        Ok(())
    }

    /// Asks the referee for a move, through the server. So does the host, of itself.
    async fn place(&self, cell: u8) {
        let host = self.client.to(&self.host);
        match host.request(Place { cell }).await {
            // The board is shown when the referee tells it.
            Ok(Placed {}) => {}
            Err(RequestError::Refused(MoveError::CellTaken { by })) => {
                self.show(format!("{by} has cell {cell}: choose a free one"));
            }
            Err(error) => self.show(error),
        }
    }

    /// Tells the room, and oneself, how the game stands by one's own referee.
    async fn tell(&mut self) -> Result<(), Failure> {
        let game = self.judged.borrow_and_update().clone();
        if let Some(game) = game {
            let room = self.client.to_room(&self.room);
            room.send(BoardChanged(game.clone())).await?;
            self.show_game(game);
        }
        Ok(())
    }

    fn hear(&mut self, received: Received<Heard>) {
        let is_host = self.me == self.host;
        match received.event {
            Heard::Referee(FromReferee::BoardChanged(BoardChanged(game))) => {
                // Anybody could send a board: the one that counts is what the host tells this room.
                if received.from.as_ref() == Some(&self.host)
                    && received.room.as_ref() == Some(&self.room)
                {
                    self.show_game(game);
                }
            }
            Heard::Server(RoomNews::SelfJoined(_)) if is_host => {
                self.show("you play X, and wait for somebody to play O");
            }
            Heard::Server(RoomNews::PlayerJoined(joined)) => {
                self.show(format!("{} comes in", joined.player.id));
                if is_host {
                    self.referee.welcome(&self.me, joined.player.id);
                }
            }
            Heard::Server(RoomNews::PlayerLeft(left)) => {
                self.show(format!("{} goes away", left.player));
                self.referee.dismiss(&left.player);
            }
            Heard::Server(RoomNews::SelfLeft(left)) => {
                self.is_over = true;
                self.show(match left.reason {
                    LeaveReason::HostClosed => "the host has left: this room is closed",
                    _ => "you are no longer in the room",
                });
            }
            Heard::Server(_) => {}
        }
    }

    /// The client gets another link by itself.
    fn hear_of_link(&mut self, state: &ClientState) {
        match state {
            ClientState::Reconnecting(_) => self.show("the link is lost, wait or /quit"),
            ClientState::Resumed => self.show("the link is back"),
            ClientState::Connected => {
                // A new session, as when the server was started again.
                self.is_over = true;
                self.show("the link is back, and the game is gone");
            }
            _ => {}
        }
    }

    fn show(&self, line: impl Display) {
        println!("{}{line}", self.margin);
    }

    /// Shows a game, unless it is shown already.
    fn show_game(&mut self, game: Game) {
        if self.game.is_none() && self.me == game.o {
            self.show(format!("you play O against {}", game.x));
        } else if self.game.is_none() && self.me != game.x {
            self.show(format!("you watch {} and {}", game.x, game.o));
        }
        if self.game.as_ref() != Some(&game) {
            let (board, standing) = (&game.board, game.standing());
            if self.margin.is_empty() {
                self.show(format!("\n{board:#}\n{standing}"));
            } else {
                self.show(format!("{board}  {standing}"));
            }
        }
        self.is_over = game.is_over();
        self.game = Some(game);
    }
}

async fn open(client: &Client<TicTacToe>) -> Result<Room, Failure> {
    let ask = CreateRoom {
        // A game without its referee is over.
        on_host_leave: Some(OnHostLeave::Close),
        ..CreateRoom::new(ROOM_NAME)
    };
    Ok(client.request(ask).await?)
}

/// Enters the oldest game that has `players` or more.
async fn join(client: &Client<TicTacToe>, players: usize) -> Result<Room, Failure> {
    let ask = ListRooms {
        filter: Some(ROOM_NAME.to_owned()),
        ..ListRooms::default()
    };
    let mut games = client.request(ask).await?.rooms.into_iter();
    let game = games.find(|room| room.name == ROOM_NAME && room.players >= players);
    let game = game.ok_or(NO_GAME)?;
    Ok(client.request(JoinRoom::new(game.id)).await?)
}
