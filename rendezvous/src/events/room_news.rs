//! What the server tells the members of rooms (`PROTOCOL.md` §10).

use protocol_core::{Event, EventData, EventSet, PeerId, RoomId};

use super::{Capacity, Meta, Player, PlayerStatus, Room, Visibility};

/// This client is in a room from now on: the first that it hears of it. With
/// [`JoinCause::Resumed`] it still is, and this is how the room is now.
#[derive(Debug, Clone, PartialEq, Event)]
#[event(pass)]
pub struct SelfJoined {
    /// The room's id.
    pub id: RoomId,
    /// Its label.
    pub name: String,
    /// The peer that is in charge of it.
    pub host: PeerId,
    /// How many players it takes.
    pub capacity: Capacity,
    /// Who can find it.
    pub visibility: Visibility,
    /// Whether nobody can join for now.
    pub locked: bool,
    /// Whether joining takes a password.
    pub has_password: bool,
    /// The host's own data.
    pub meta: Meta,
    /// How many changes it has seen.
    pub rev: u64,
    /// Who is in it, in the order in which they joined, oneself included.
    pub players: Vec<Player>,
    /// How this came about.
    pub cause: JoinCause,
}

impl SelfJoined {
    /// The news that one is in `room`.
    pub fn new(room: Room, cause: JoinCause) -> Self {
        Self {
            id: room.id,
            name: room.name,
            host: room.host,
            capacity: room.capacity,
            visibility: room.visibility,
            locked: room.locked,
            has_password: room.has_password,
            meta: room.meta,
            rev: room.rev,
            players: room.players,
            cause,
        }
    }

    /// The room as it is with this.
    pub fn into_room(self) -> Room {
        Room {
            id: self.id,
            name: self.name,
            host: self.host,
            capacity: self.capacity,
            visibility: self.visibility,
            locked: self.locked,
            has_password: self.has_password,
            meta: self.meta,
            rev: self.rev,
            players: self.players,
        }
    }
}

/// How a client came to be in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EventData)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JoinCause {
    /// It made the room.
    Created,
    /// It joined.
    Joined,
    /// Its link stands again. What it knew of the room is replaced by this, which shows the changes of
    /// its own status too.
    Resumed,
    /// A cause of a later version.
    #[serde(other)]
    Unknown,
}

/// This client is no longer in a room: the last that it hears of it.
#[derive(Debug, Clone, PartialEq, Eq, Event)]
#[event(pass)]
pub struct SelfLeft {
    /// Which room.
    pub room: RoomId,
    /// Its revision with this.
    pub rev: u64,
    /// Why.
    pub reason: LeaveReason,
    /// Who put the client out, or ended the room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<PeerId>,
    /// What they said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Why somebody is no longer in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EventData)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeaveReason {
    /// They left, or logged out.
    Left,
    /// The host put them out.
    Kicked,
    /// The host deleted the room.
    RoomDeleted,
    /// The host left, and the room ended with that.
    HostClosed,
    /// Their link was lost, and they did not come back within the grace of their session.
    GraceExpired,
    /// The server stops.
    Shutdown,
    /// A reason of a later version.
    #[serde(other)]
    Unknown,
}

/// Another player is in the room from now on.
#[derive(Debug, Clone, PartialEq, Event)]
#[event(pass)]
pub struct PlayerJoined {
    /// Which room.
    pub room: RoomId,
    /// Its revision with this.
    pub rev: u64,
    /// Who.
    pub player: Player,
}

/// Another player is no longer in the room.
#[derive(Debug, Clone, PartialEq, Eq, Event)]
#[event(pass)]
pub struct PlayerLeft {
    /// Which room.
    pub room: RoomId,
    /// Its revision with this.
    pub rev: u64,
    /// Who.
    pub player: PeerId,
    /// Why.
    pub reason: LeaveReason,
    /// Who put the player out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<PeerId>,
}

/// Another player's link was lost, or stands again.
#[derive(Debug, Clone, PartialEq, Eq, Event)]
#[event(pass)]
pub struct PlayerUpdated {
    /// Which room.
    pub room: RoomId,
    /// Its revision with this.
    pub rev: u64,
    /// Who.
    pub player: PeerId,
    /// How it is now.
    pub status: PlayerStatus,
}

/// The room has another host.
#[derive(Debug, Clone, PartialEq, Eq, Event)]
#[event(pass)]
pub struct HostChanged {
    /// Which room.
    pub room: RoomId,
    /// Its revision with this.
    pub rev: u64,
    /// Who is in charge now.
    pub host: PeerId,
    /// Who was before.
    pub previous: PeerId,
}

/// The host has changed the room.
#[derive(Debug, Clone, PartialEq, Event)]
#[event(pass)]
pub struct RoomUpdated(
    /// The room as it is now.
    pub Room,
);

/// What a rendezvous server tells the members of rooms: `to_client` of a protocol.
#[derive(Debug, Clone, PartialEq, EventSet)]
pub enum RoomNews {
    /// This client is in a room.
    SelfJoined(SelfJoined),
    /// It no longer is.
    SelfLeft(SelfLeft),
    /// Another player is.
    PlayerJoined(PlayerJoined),
    /// Another no longer is.
    PlayerLeft(PlayerLeft),
    /// Another's link was lost, or stands again.
    PlayerUpdated(PlayerUpdated),
    /// There is another host.
    HostChanged(HostChanged),
    /// The host has changed the room.
    RoomUpdated(RoomUpdated),
}
