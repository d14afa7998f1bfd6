//! Leaving a room.

use super::{Command, Turn};
use crate::events::{Changed, LeaveError, LeaveReason, LeaveRoom};

/// Leaves a room.
#[derive(Debug)]
pub struct Leave(pub LeaveRoom);

impl Command for Leave {
    type Reply = Changed;
    type Error = LeaveError;

    fn apply<L: Clone>(self, turn: &mut Turn<'_, L>) -> Result<Changed, LeaveError> {
        let (me, id) = (turn.by.id(), self.0.room);
        if !turn.rooms.is_member(&id, me) {
            return Err(LeaveError::RoomNotFound);
        }
        let reason = LeaveReason::Left;
        let rev = turn.rooms.remove_member(&id, me, reason, None, turn.news);
        rev.map(|rev| Changed { rev })
            .ok_or(LeaveError::RoomNotFound)
    }

    fn session_over() -> LeaveError {
        LeaveError::RoomNotFound
    }
}
