//! What a peer does with rooms.

use protocol_core::{Client, PeerId, RequestError, RoomId};
use rendezvous::events::{CreateRoom, JoinRoom, KickPlayer, LeaveRoom, SetHost};

use crate::journal::Journal;
use crate::post::World;

/// What a peer does with rooms.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Create,
    Join(RoomId),
    Leave(RoomId),
    Kick(RoomId, PeerId),
    SetHost(RoomId, PeerId),
}

impl Act {
    pub(crate) fn words(&self, journal: &Journal) -> (&'static str, String) {
        match self {
            Self::Create => ("creates", "a room".to_owned()),
            Self::Join(room) => ("joins", journal.room(room)),
            Self::Leave(room) => ("leaves", journal.room(room)),
            Self::Kick(room, peer) => ("kicks", format!("{peer} out of {}", journal.room(room))),
            Self::SetHost(room, peer) => ("hands", format!("{} to {peer}", journal.room(room))),
        }
    }
}

pub(crate) async fn perform(client: &Client<World>, act: Act, journal: &Journal) -> String {
    match act {
        Act::Create => {
            let answer = client.request(CreateRoom::new("a room")).await;
            let made = answer.as_ref().ok().map(|room| journal.room(&room.id));
            made.unwrap_or_else(|| short(&answer))
        }
        Act::Join(room) => short(&client.request(JoinRoom::new(room)).await),
        Act::Leave(room) => short(&client.request(LeaveRoom { room }).await),
        Act::Kick(room, player) => {
            let kick = KickPlayer {
                room,
                player,
                ban_ms: None,
                message: None,
            };
            short(&client.request(kick).await)
        }
        Act::SetHost(room, player) => short(&client.request(SetHost { room, player }).await),
    }
}

/// The answer in words that hold no id.
pub(crate) fn short<T, E: std::fmt::Debug>(answer: &Result<T, RequestError<E>>) -> String {
    match answer {
        Ok(_) => "done".to_owned(),
        Err(RequestError::Refused(refusal)) => format!("refused {refusal:?}"),
        Err(RequestError::Rejected(error)) => format!("rejected {}", error.code),
        Err(error) if error.is_unknown() => "unknown".to_owned(),
        Err(_) => "not sent".to_owned(),
    }
}
