//! Changing a room.

use super::{Command, PasswordHash, Turn};
use crate::events::{Room, UpdateError, UpdateRoom};
use crate::state::Name;

/// Changes a room by its host's wish.
#[derive(Debug)]
pub struct Update {
    /// What was asked for.
    pub request: UpdateRoom,
    /// The request's password, if it has one that is not empty.
    pub password: Option<PasswordHash>,
}

impl Command for Update {
    type Reply = Room;
    type Error = UpdateError;

    fn apply<L: Clone>(self, turn: &mut Turn<'_, L>) -> Result<Room, UpdateError> {
        let Self { request, password } = self;
        if !turn.knows(&request.room) {
            return Err(UpdateError::RoomNotFound);
        }
        let news = &mut *turn.news;
        let room = turn.rooms.by_id.get_mut(&request.room);
        let room = room.filter(|room| room.host == *turn.by.id());
        let room = room.ok_or(UpdateError::NotHost)?;
        if request.if_rev.is_some_and(|rev| rev != room.rev) {
            return Err(UpdateError::StaleRev { rev: room.rev });
        }
        let name = request.name.as_deref().map(Name::new).transpose();
        let name = name.map_err(|error| UpdateError::NameInvalid {
            rule: error.to_string(),
        })?;
        let players = room.members.len();
        if request
            .capacity
            .is_some_and(|capacity| capacity.seats() < players)
        {
            return Err(UpdateError::CapacityTooLow { players });
        }
        let before = room.view();
        let takes_new_password = password.is_some();
        if let Some(name) = name {
            room.name = name;
        }
        room.capacity = request.capacity.unwrap_or(room.capacity);
        room.locked = request.locked.unwrap_or(room.locked);
        room.visibility = request.visibility.unwrap_or(room.visibility);
        if request.password.is_some() {
            room.password = password;
        }
        if let Some(meta) = request.meta {
            room.meta = meta;
        }
        if takes_new_password || room.view() != before {
            room.updated(news);
        }
        Ok(room.view())
    }

    fn session_over() -> UpdateError {
        UpdateError::RoomNotFound
    }
}
