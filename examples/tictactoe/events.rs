//! What players say to each other, and the protocol that it makes with login and rooms. Data only.

use protocol_core::{Event, EventError, EventSet, Protocol};
use rendezvous::{Login, RoomNews, Rooms, SessionNews};

use crate::game::{Game, Mark};

/// The stock sets as they are, and two of its own. The server knows only the stock sets.
#[derive(Debug, Protocol)]
#[protocol(
    version = "1",
    to_server = (Login, Rooms),
    to_client = (SessionNews, RoomNews),
    to_peer = (ToReferee, FromReferee)
)]
pub(crate) struct TicTacToe;

/// What a player asks the room's host, who has the referee.
#[derive(Debug, EventSet)]
pub(crate) enum ToReferee {
    /// To make a move.
    Place(Place),
}

/// What the referee tells the room.
#[derive(Debug, EventSet)]
pub(crate) enum FromReferee {
    /// How the game stands now.
    BoardChanged(BoardChanged),
}

#[derive(Debug, Event)]
#[event(request, response = Placed, error = MoveError)]
pub(crate) struct Place {
    /// From 1, top left, to 9, bottom right.
    pub(crate) cell: u8,
}

#[derive(Debug, Event)]
#[event(response)]
pub(crate) struct Placed {}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, EventError)]
pub(crate) enum MoveError {
    #[error("it is not your turn")]
    NotYourTurn,
    #[error("{by} has that cell")]
    CellTaken { by: Mark },
    #[error("there is no cell {cell}: choose one from 1 to 9")]
    NoSuchCell { cell: u8 },
    #[error("you play no game in this room")]
    NotPlaying,
    #[error("the game is over")]
    GameOver,
}

/// Goes to the room after each change, and once more when somebody has entered.
#[derive(Debug, Event)]
#[event(pass)]
pub(crate) struct BoardChanged(pub(crate) Game);
