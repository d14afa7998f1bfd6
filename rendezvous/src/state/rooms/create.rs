//! Making a room.

use protocol_core::RoomId;

use super::invite::Invites;
use super::room::{Bans, RoomState};
use super::{Command, PasswordHash, Turn};
use crate::events::{CreateError, CreateRoom, JoinCause, OnHostLeave, Room, Visibility};
use crate::state::Name;

/// A nonce is compared, not shown; a UUID fits twice.
const MAX_NONCE_BYTES: usize = 64;

/// Makes a room.
#[derive(Debug)]
pub struct Create {
    /// The room's id, which no room had before.
    pub id: RoomId,
    /// What was asked for.
    pub request: CreateRoom,
    /// The request's password, if it has one.
    pub password: Option<PasswordHash>,
}

impl Command for Create {
    type Reply = Room;
    type Error = CreateError;

    fn apply<L: Clone>(self, turn: &mut Turn<'_, L>) -> Result<Room, CreateError> {
        let Self {
            id,
            request,
            password,
        } = self;
        let name = Name::new(&request.name).map_err(|error| CreateError::NameInvalid {
            rule: error.to_string(),
        })?;
        if let Some(bytes) = request.nonce.as_ref().map(String::len)
            && bytes > MAX_NONCE_BYTES
        {
            return Err(CreateError::NonceTooLong { bytes });
        }
        let (me, rooms) = (turn.by.id().clone(), &mut *turn.rooms);
        let made_by = request.nonce.map(|nonce| (me.clone(), nonce));
        if made_by.is_some() {
            let mut mine = rooms
                .of_peer(&me)
                .iter()
                .filter_map(|id| rooms.by_id.get(id));
            if let Some(room) = mine.find(|room| room.made_by == made_by) {
                return Ok(room.view());
            }
        }
        if rooms.closed {
            return Err(CreateError::SessionOver);
        }
        let limits = rooms.limits;
        if rooms.of_peer(&me).len() >= limits.rooms_a_peer {
            let max = limits.rooms_a_peer;
            return Err(CreateError::TooManyRooms { max });
        }
        if rooms.by_id.len() >= limits.rooms {
            return Err(CreateError::TooManyRooms { max: limits.rooms });
        }
        let mut room = RoomState {
            id: id.clone(),
            number: rooms.next_number,
            name,
            host: me.clone(),
            capacity: request.capacity.unwrap_or_default(),
            visibility: request.visibility.unwrap_or(Visibility::Public),
            locked: false,
            password,
            meta: request.meta.unwrap_or_default(),
            on_host_leave: request.on_host_leave.unwrap_or(OnHostLeave::Migrate),
            made_by,
            rev: 0,
            members: Vec::new(),
            bans: Bans::default(),
            invites: Invites::default(),
        };
        rooms.next_number += 1;
        room.add(turn.by, turn.line, JoinCause::Created, turn.news);
        let view = room.view();
        rooms.by_number.insert(room.number, id.clone());
        rooms.by_peer.entry(me).or_default().push(id.clone());
        rooms.by_id.insert(id, room);
        Ok(view)
    }

    fn session_over() -> CreateError {
        CreateError::SessionOver
    }
}
