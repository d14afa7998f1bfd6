//! Rooms and their players, as data. No server keeps rooms yet: every list of them is empty.

use protocol_core::{EventData, Json, PeerId, RoomId};

/// A room at one revision.
#[derive(Debug, Clone, PartialEq, EventData)]
pub struct Room {
    /// Its id, made by the server and never used again.
    pub id: RoomId,
    /// Its label, which need not be unique.
    pub name: String,
    /// The peer that is in charge of it.
    pub host: PeerId,
    /// How many players it takes.
    pub capacity: u32,
    /// Who can find it.
    pub visibility: Visibility,
    /// Whether nobody can join for now.
    pub locked: bool,
    /// Whether joining takes a password.
    pub has_password: bool,
    /// The host's own data.
    pub meta: Json,
    /// How many changes it has seen.
    pub rev: u64,
    /// Who is in it, in the order in which they joined.
    pub players: Vec<Player>,
}

/// Who can find and join a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EventData)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Visibility {
    /// Listed.
    Public,
    /// Not listed; whoever knows the id can join.
    Unlisted,
    /// By invitation only.
    Private,
    /// A way of a later version.
    #[serde(other)]
    Unknown,
}

/// A member of a room.
#[derive(Debug, Clone, PartialEq, EventData)]
pub struct Player {
    /// The peer's id.
    pub id: PeerId,
    /// A name to show, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether its link stands.
    pub status: PlayerStatus,
    /// The room's revision with which it joined.
    pub joined_rev: u64,
}

/// Whether a player's link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EventData)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlayerStatus {
    /// It does.
    Online,
    /// It was lost, and the player may come back.
    Reconnecting,
    /// A state of a later version.
    #[serde(other)]
    Unknown,
}
