//! Changing a room.

use super::{Command, PasswordHash, Turn};
use crate::events::{Room, Secret, UpdateError, UpdateRoom};
use crate::state::Name;

/// Changes a room by its host's wish.
#[derive(Debug, Clone)]
pub struct Update {
    /// What was asked for.
    pub request: UpdateRoom,
    /// The hash of the request's password; none before anybody asked for it.
    pub password: Option<PasswordHash>,
}

/// What became of it.
#[derive(Debug, Clone)]
pub enum Updated {
    /// The room is as it was asked for.
    Is(Room),
    /// The password has to be hashed first, which takes long, so not here; then the command is given
    /// again.
    Hash,
}

impl Command for Update {
    type Reply = Updated;
    type Error = UpdateError;

    fn apply<L: Clone>(self, turn: &mut Turn<'_, L>) -> Result<Updated, UpdateError> {
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
        let new_password = request.password.as_ref().map(Secret::expose);
        if new_password.is_some_and(|text| !text.is_empty()) && password.is_none() {
            return Ok(Updated::Hash);
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
        Ok(Updated::Is(room.view()))
    }

    fn session_over() -> UpdateError {
        UpdateError::RoomNotFound
    }
}
