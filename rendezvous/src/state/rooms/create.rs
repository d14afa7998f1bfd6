//! Making a room.

use protocol_core::RoomId;

use super::invite::Invites;
use super::room::{Bans, RoomState};
use super::{Command, PasswordHash, Turn};
use crate::events::{CreateError, CreateRoom, JoinCause, OnHostLeave, Room, Secret, Visibility};
use crate::state::Name;

/// A nonce is compared, not shown; a UUID fits twice.
const MAX_NONCE_BYTES: usize = 64;

/// Makes a room.
#[derive(Debug, Clone)]
pub struct Create {
    /// The room's id, which no room had before.
    pub id: RoomId,
    /// What was asked for.
    pub request: CreateRoom,
    /// The hash of the request's password; none before anybody asked for it.
    pub password: Option<PasswordHash>,
}

/// What became of it.
#[derive(Debug, Clone)]
pub enum Created {
    /// The room is there.
    Is(Room),
    /// The password has to be hashed first, which takes long, so not here; then the command is given
    /// again.
    Hash,
}

impl Command for Create {
    type Reply = Created;
    type Error = CreateError;

    fn apply<L: Clone>(self, turn: &mut Turn<'_, L>) -> Result<Created, CreateError> {
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
                return Ok(Created::Is(room.view()));
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
            return Err(CreateError::ServerFull { max: limits.rooms });
        }
        let needs_hash = request.password.as_ref().is_some_and(Secret::is_given);
        if needs_hash && password.is_none() {
            return Ok(Created::Hash);
        }
        let mut room = RoomState {
            id: id.clone(),
            made: rooms.made,
            listed: None,
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
        let way = (turn.line, rooms.status_of(&me));
        room.add(turn.by, way, JoinCause::Created, turn.news);
        let view = room.view();
        rooms.by_peer.entry(me).or_default().push(id.clone());
        rooms.made += 1;
        rooms.by_id.insert(id.clone(), room);
        rooms.list_or_hide(&id);
        Ok(Created::Is(view))
    }

    fn session_over() -> CreateError {
        CreateError::SessionOver
    }
}
