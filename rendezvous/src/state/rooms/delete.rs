//! Ending a room.

use super::{Command, Turn};
use crate::events::{Changed, DeleteError, DeleteRoom, LeaveReason};

/// Ends a room by its host's wish.
#[derive(Debug)]
pub struct Delete(pub DeleteRoom);

impl Command for Delete {
    type Reply = Changed;
    type Error = DeleteError;

    fn apply<L: Clone>(self, turn: &mut Turn<'_, L>) -> Result<Changed, DeleteError> {
        let id = self.0.room;
        if !turn.knows(&id) {
            return Err(DeleteError::RoomNotFound);
        }
        if turn.hosted(&id).is_none() {
            return Err(DeleteError::NotHost);
        }
        let by = Some(turn.by.id().clone());
        let rev = turn.rooms.end(&id, LeaveReason::RoomDeleted, by, turn.news);
        rev.map(|rev| Changed { rev })
            .ok_or(DeleteError::RoomNotFound)
    }

    fn session_over() -> DeleteError {
        DeleteError::RoomNotFound
    }
}
