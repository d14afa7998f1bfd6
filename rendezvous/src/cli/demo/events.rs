//! What the players of the demo say to each other, and the protocol that they and the server speak.

use protocol_core::{Event, EventSet, Protocol};

use crate::cli::in_words::Sentence;
use crate::events::{Login, RoomNews, Rooms, SessionNews};

/// Words for everybody in a room.
#[derive(Debug, Event)]
#[event(pass)]
pub(super) struct Say {
    pub(super) text: String,
}

/// A question that has to be answered.
#[derive(Debug, Event)]
#[event(request, response = Reply)]
pub(super) struct Challenge {
    pub(super) game: String,
}

#[derive(Debug, Event)]
#[event(response)]
pub(super) struct Reply {
    pub(super) accepted: bool,
}

/// What must arrive, though there is nothing to answer.
#[derive(Debug, Event)]
#[event(pass)]
pub(super) struct Move {
    pub(super) piece: String,
    pub(super) to: String,
}

/// What nobody has to answer.
#[derive(Debug, EventSet)]
pub(super) enum Talk {
    Say(Say),
    Move(Move),
}

impl Talk {
    pub(super) fn in_words(&self, from: &str) -> Sentence {
        match self {
            Self::Say(say) => Sentence::new::<Say>(format!("{from}: \"{}\"", say.text)),
            Self::Move(Move { piece, to }) => {
                Sentence::new::<Move>(format!("{from}: {piece} to {to}"))
            }
        }
    }
}

#[derive(Debug, EventSet)]
pub(super) enum Games {
    Challenge(Challenge),
}

#[derive(Debug, Protocol)]
#[protocol(
    version = "1",
    to_server = (Login, Rooms),
    to_client = (SessionNews, RoomNews),
    to_peer = (Talk, Games),
)]
pub(super) struct Playground;
