//! Rooms and their players, as data.

use protocol_core::{Event, EventData, PeerId, RoomId};

use super::{Capacity, Meta};

/// A room at one revision, as its members see it.
#[derive(Debug, Clone, PartialEq, Event)]
#[event(response)]
pub struct Room {
    /// Its id, made by the server and never used again.
    pub id: RoomId,
    /// Its label, which need not be unique.
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
}

/// A room in a list: how many players it has, not which.
#[derive(Debug, Clone, PartialEq, EventData)]
pub struct RoomSummary {
    /// Its id.
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
    /// How many players are in it.
    pub players: usize,
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
    /// By invitation only; to everybody else it does not exist.
    Private,
    /// A way of a later version.
    #[serde(other)]
    Unknown,
}

/// What becomes of a room when its host leaves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EventData)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnHostLeave {
    /// The member that has been in it longest becomes host.
    Migrate,
    /// The room ends.
    Close,
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
