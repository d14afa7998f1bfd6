//! Entering a room.

use protocol_core::RoomId;

use super::{Command, PasswordHash, Turn};
use crate::events::{JoinCause, JoinError, JoinRoom, Room, Secret};

/// Enters a room.
#[derive(Debug, Clone)]
pub struct Join {
    /// What was asked for.
    pub request: JoinRoom,
    /// What was found out about the request's password; none before anybody asked.
    pub proof: Option<Proof>,
}

/// Whether the password that was given is the one that was hashed.
#[derive(Debug, Clone)]
pub struct Proof {
    /// What it was compared with.
    pub hash: PasswordHash,
    /// Whether it is the same.
    pub matches: bool,
}

/// What became of it.
#[derive(Debug, Clone)]
pub enum Joined {
    /// The peer is a member.
    In(Room),
    /// The password has to be compared with this first, which takes long, so not here; then the
    /// command is given again.
    Prove(PasswordHash),
}

impl Command for Join {
    type Reply = Joined;
    type Error = JoinError;

    fn apply<L: Clone>(self, turn: &mut Turn<'_, L>) -> Result<Joined, JoinError> {
        let (me, now) = (turn.by, turn.now);
        let invite = self.request.invite.as_ref().map(Secret::expose);
        let id = self.find(turn).ok_or(JoinError::RoomNotFound)?;
        let is_member = turn.rooms.is_member(&id, me.id());
        let (max, count) = (
            turn.rooms.limits.rooms_a_peer,
            turn.rooms.of_peer(me.id()).len(),
        );
        let way = (turn.line, turn.rooms.status_of(me.id()));
        let room = turn.rooms.by_id.get_mut(&id);
        let room = room.ok_or(JoinError::RoomNotFound)?;
        if is_member {
            return Ok(Joined::In(room.view()));
        }
        let may_enter = match invite {
            Some(code) => room.invites.holds(code, now),
            None => room.is_open(),
        };
        if !may_enter {
            return Err(JoinError::RoomNotFound);
        }
        if let Some(left) = room.bans.left(me.key(), now) {
            // Rounded up, so that whoever waits for as long gets in.
            let for_ms = left.as_nanos().div_ceil(1_000_000);
            let for_ms = u64::try_from(for_ms).unwrap_or(u64::MAX);
            return Err(JoinError::Banned { for_ms });
        }
        if room.locked {
            return Err(JoinError::RoomLocked);
        }
        if let Some(hash) = &room.password {
            let given = self.request.password.as_ref().map_or("", Secret::expose);
            if given.is_empty() {
                return Err(JoinError::BadPassword);
            }
            match self.proof {
                Some(proof) if proof.hash == *hash && proof.matches => {}
                Some(proof) if proof.hash == *hash => return Err(JoinError::BadPassword),
                // Nobody looked yet, or the password has changed since.
                _ => return Ok(Joined::Prove(hash.clone())),
            }
        }
        let seats = room.capacity.seats();
        if room.members.len() >= seats {
            return Err(JoinError::RoomFull { max: seats });
        }
        if count >= max {
            return Err(JoinError::TooManyRooms { max });
        }
        if let Some(code) = invite {
            room.invites.used(code);
        }
        room.add(me, way, JoinCause::Joined, turn.news);
        let view = room.view();
        let mine = turn.rooms.by_peer.entry(me.id().clone());
        mine.or_default().push(id);
        Ok(Joined::In(view))
    }

    fn session_over() -> JoinError {
        JoinError::SessionOver
    }
}

impl Join {
    /// The room that is meant, whether or not it may be entered.
    fn find<L: Clone>(&self, turn: &Turn<'_, L>) -> Option<RoomId> {
        let JoinRoom { room, invite, .. } = &self.request;
        let Some(code) = invite else {
            return room.clone();
        };
        let invited = turn.rooms.by_invite.get(code.expose())?;
        let same = room.as_ref().is_none_or(|room| room == invited);
        same.then(|| invited.clone())
    }
}
