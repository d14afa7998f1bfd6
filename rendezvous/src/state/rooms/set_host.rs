//! Giving a room another host.

use super::{Command, Turn};
use crate::events::{Changed, SetHost, SetHostError};

/// Gives a room another host by its host's wish.
#[derive(Debug)]
pub struct Appoint(pub SetHost);

impl Command for Appoint {
    type Reply = Changed;
    type Error = SetHostError;

    fn apply<L: Clone>(self, turn: &mut Turn<'_, L>) -> Result<Changed, SetHostError> {
        let SetHost { room: id, player } = self.0;
        let news = &mut *turn.news;
        let room = turn.rooms.by_id.get_mut(&id);
        let room = room.filter(|room| room.host == *turn.by.id());
        let room = room.ok_or(SetHostError::NotHost)?;
        if room.member(&player).is_none() {
            return Err(SetHostError::NotMember);
        }
        if room.host != player {
            room.give_to(player, news);
        }
        Ok(Changed { rev: room.rev })
    }

    fn session_over() -> SetHostError {
        SetHostError::NotHost
    }
}
