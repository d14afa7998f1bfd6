//! What the host of a room asks of it (`PROTOCOL.md` §10).

use std::num::{NonZeroU32, NonZeroU64};

use protocol_core::{Event, EventError, PeerId, RoomId};

use super::bounds::known_visibility;
use super::{Capacity, Changed, Meta, Room, Secret, Visibility};

/// Ends a room. Only its host may.
#[derive(Debug, Clone, Event)]
#[event(request, response = Changed, error = DeleteError)]
pub struct DeleteRoom {
    /// Which.
    pub room: RoomId,
}

/// Why a room was not deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, EventError)]
#[non_exhaustive]
pub enum DeleteError {
    /// Another peer is its host.
    #[error("only the room's host may do that")]
    NotHost,
    /// There is no such room, or none that the peer may know of.
    #[error("there is no such room")]
    RoomNotFound,
}

/// Makes a code by which others can join a room. Only its host may. A room has 64 codes at most; above
/// that the one that ends first holds no more.
#[derive(Debug, Clone, Event)]
#[event(request, response = Invited, error = InviteError)]
pub struct CreateInvite {
    /// Which room.
    pub room: RoomId,
    /// For how many milliseconds it holds; 24 hours where it is absent, 30 days at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<NonZeroU64>,
    /// How many peers may join by it; any number where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uses: Option<NonZeroU32>,
}

/// A code to join a room by.
#[derive(Debug, Clone, Event)]
#[event(response)]
pub struct Invited {
    /// The code. Whoever has it can join.
    pub invite: Secret,
}

/// Why no invite was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, EventError)]
#[non_exhaustive]
pub enum InviteError {
    /// There is no such room that the peer is host of.
    #[error("you are not the host of such a room")]
    NotHost,
}

/// Changes a room. Only its host may. What is absent stays.
#[derive(Debug, Clone, Event)]
#[event(request, response = Room, error = UpdateError)]
pub struct UpdateRoom {
    /// Which.
    pub room: RoomId,
    /// The revision that the change is meant for; any where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_rev: Option<u64>,
    /// Its label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many players it takes; not fewer than are in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
    /// Whether nobody can join for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    /// Who can find it.
    #[serde(
        default,
        deserialize_with = "known_visibility",
        skip_serializing_if = "Option::is_none"
    )]
    pub visibility: Option<Visibility>,
    /// What joining takes; an empty one removes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// The host's own data, replaced as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl UpdateRoom {
    /// A change of nothing, to be filled in.
    pub fn new(room: RoomId) -> Self {
        Self {
            room,
            if_rev: None,
            name: None,
            capacity: None,
            locked: None,
            visibility: None,
            password: None,
            meta: None,
        }
    }
}

/// Why a room was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, EventError)]
#[non_exhaustive]
pub enum UpdateError {
    /// Another peer is its host.
    #[error("only the room's host may do that")]
    NotHost,
    /// There is no such room, or none that the peer may know of.
    #[error("there is no such room")]
    RoomNotFound,
    /// The room has changed since.
    #[error("the room has changed: it is at revision {rev} now")]
    StaleRev {
        /// Its revision now.
        rev: u64,
    },
    /// The name is none.
    #[error("the name {rule}")]
    NameInvalid {
        /// The rule that it breaks.
        rule: String,
    },
    /// Too many passwords came from this address.
    #[error("too many passwords: try again in {retry_after_ms} ms")]
    TooManyTries {
        /// After how many milliseconds one more is taken.
        retry_after_ms: u64,
    },
    /// More players are in the room than it would take.
    #[error("{players} players are in the room: choose no lower capacity")]
    CapacityTooLow {
        /// How many are in it.
        players: usize,
    },
}

/// Puts a player out of a room. Only its host may.
#[derive(Debug, Clone, Event)]
#[event(request, response = Changed, error = KickError)]
pub struct KickPlayer {
    /// Which room.
    pub room: RoomId,
    /// Whom.
    pub player: PeerId,
    /// For how many milliseconds the player cannot come back; none where it is absent, 365 days at
    /// most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ban_ms: Option<u64>,
    /// What the player is told, at most 256 bytes; a longer one is cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Why a player was not put out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, EventError)]
#[non_exhaustive]
pub enum KickError {
    /// There is no such room that the peer is host of.
    #[error("you are not the host of such a room")]
    NotHost,
    /// The player is not in the room.
    #[error("the player is not in the room")]
    NotMember,
    /// The host is the player.
    #[error("this is yourself: leave the room instead")]
    Yourself,
}

/// Gives a room another host. Only its host may.
#[derive(Debug, Clone, Event)]
#[event(request, response = Changed, error = SetHostError)]
pub struct SetHost {
    /// Which room.
    pub room: RoomId,
    /// The new host.
    pub player: PeerId,
}

/// Why a player was not made host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, EventError)]
#[non_exhaustive]
pub enum SetHostError {
    /// There is no such room that the peer is host of.
    #[error("you are not the host of such a room")]
    NotHost,
    /// The player is not in the room.
    #[error("the player is not in the room")]
    NotMember,
}
