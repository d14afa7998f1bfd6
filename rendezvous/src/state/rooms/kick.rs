//! Putting a player out.

use std::time::Duration;

use super::room::KickedBy;
use super::{Command, Turn};
use crate::events::{Changed, KickError, KickPlayer, LeaveReason};

/// The longest ban.
const LONGEST_BAN: Duration = Duration::from_hours(365 * 24);

/// Bytes of what the player is told.
const MAX_MESSAGE_BYTES: usize = 256;

/// Puts a player out by the host's wish.
#[derive(Debug)]
pub struct Kick(pub KickPlayer);

impl Command for Kick {
    type Reply = Changed;
    type Error = KickError;

    fn apply<L: Clone>(self, turn: &mut Turn<'_, L>) -> Result<Changed, KickError> {
        let (host, now) = (turn.by.id().clone(), turn.now);
        let KickPlayer {
            room: id,
            player,
            ban_ms,
            message,
        } = self.0;
        let room = turn.hosted(&id).ok_or(KickError::NotHost)?;
        if player == host {
            return Err(KickError::Yourself);
        }
        let key = match room.member(&player) {
            Some(member) => member.key.clone(),
            None => return Err(KickError::NotMember),
        };
        // A ban of no time would take the place of another.
        if let Some(ban) = ban_ms.filter(|ms| *ms > 0).map(Duration::from_millis) {
            room.bans.add(&key, now + ban.min(LONGEST_BAN));
        }
        let message = message.map(|mut message| {
            message.truncate(message.floor_char_boundary(MAX_MESSAGE_BYTES));
            message
        });
        let kick = Some(KickedBy { host, message });
        let reason = LeaveReason::Kicked;
        let rev = turn
            .rooms
            .remove_member(&id, &player, reason, kick, turn.news);
        rev.map(|rev| Changed { rev }).ok_or(KickError::NotMember)
    }

    fn session_over() -> KickError {
        KickError::NotHost
    }
}
