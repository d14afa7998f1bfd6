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
        let hidden = request.password.as_ref().map(Secret::is_given);
        if hidden == Some(true) && password.is_none() {
            return Ok(Updated::Hash);
        }
        let mut changed = password.is_some();
        if let Some(name) = name {
            changed |= replace(&mut room.name, name);
        }
        if let Some(capacity) = request.capacity {
            changed |= replace(&mut room.capacity, capacity);
        }
        if let Some(locked) = request.locked {
            changed |= replace(&mut room.locked, locked);
        }
        if let Some(visibility) = request.visibility {
            changed |= replace(&mut room.visibility, visibility);
        }
        if let Some(meta) = request.meta {
            changed |= replace(&mut room.meta, meta);
        }
        if hidden.is_some() {
            changed |= replace(&mut room.password, password);
        }
        if changed {
            room.updated(news);
        }
        let view = room.view();
        turn.rooms.list_or_hide(&request.room);
        Ok(Updated::Is(view))
    }

    fn session_over() -> UpdateError {
        UpdateError::RoomNotFound
    }
}

/// Whether that changes anything.
fn replace<T: PartialEq>(place: &mut T, value: T) -> bool {
    let changes = *place != value;
    *place = value;
    changes
}
