//! What clients ask of rooms (`PROTOCOL.md` §10).

use protocol_core::{Event, EventError, EventSet, RoomId};

use super::bounds::known_visibility;
use super::{
    Capacity, CreateInvite, Cursor, DeleteRoom, KickPlayer, Meta, OnHostLeave, Room, RoomSummary,
    Secret, SetHost, UpdateRoom, Visibility,
};

/// Makes a room; its creator is its host and first member.
#[derive(Debug, Clone, Event)]
#[event(request, response = Room, error = CreateError)]
pub struct CreateRoom {
    /// Its label: 1 to 64 characters, see [`Name`](crate::state::Name).
    pub name: String,
    /// How many players it takes; 16 where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
    /// Who can find it; public where it is absent.
    #[serde(
        default,
        deserialize_with = "known_visibility",
        skip_serializing_if = "Option::is_none"
    )]
    pub visibility: Option<Visibility>,
    /// What joining takes; none where it is absent or empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// Data of the host's own; `null` where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// What becomes of it when its host leaves; it migrates where this is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_host_leave: Option<OnHostLeave>,
    /// A text of the client's choice, at most 64 bytes. While the creator is in a room that it made
    /// with the same nonce, asking again answers that room and makes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
}

impl CreateRoom {
    /// A room called `name`, with the defaults for all else.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            capacity: None,
            visibility: None,
            password: None,
            meta: None,
            on_host_leave: None,
            nonce: None,
        }
    }
}

/// Why a room was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, EventError)]
#[non_exhaustive]
pub enum CreateError {
    /// The name is none.
    #[error("the name {rule}")]
    NameInvalid {
        /// The rule that it breaks.
        rule: String,
    },
    /// The nonce is too long.
    #[error("the nonce has {bytes} bytes: at most 64 are allowed")]
    NonceTooLong {
        /// How many it has.
        bytes: usize,
    },
    /// The peer is in as many rooms as it may be.
    #[error("you are in {max} rooms, as many as may be: leave one first")]
    TooManyRooms {
        /// How many may be.
        max: usize,
    },
    /// The server has as many rooms as it takes.
    #[error("the server has {max} rooms, as many as it takes: come back later")]
    ServerFull {
        /// How many it takes.
        max: usize,
    },
    /// Too many passwords came from this address.
    #[error("too many passwords: try again in {retry_after_ms} ms")]
    TooManyTries {
        /// After how many milliseconds one more is taken.
        retry_after_ms: u64,
    },
    /// The session has ended meanwhile, or the server is about to stop.
    #[error("there is no session any more: log in")]
    SessionOver,
}

/// A room has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Event)]
#[event(response)]
pub struct Changed {
    /// Its revision with the change.
    pub rev: u64,
}

/// Enters a room, by its id or by an invite.
#[derive(Debug, Clone, Event)]
#[event(request, response = Room, error = JoinError)]
pub struct JoinRoom {
    /// The room's id. Where an invite is given too, it has to be one to this room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// A code from [`CreateInvite`]; a private room is joined by one only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite: Option<Secret>,
    /// The room's password, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
}

impl JoinRoom {
    /// Joins the room with this id.
    pub fn new(room: RoomId) -> Self {
        Self {
            room: Some(room),
            invite: None,
            password: None,
        }
    }

    /// Joins the room that this code invites to.
    pub fn by_invite(invite: Secret) -> Self {
        Self {
            room: None,
            invite: Some(invite),
            password: None,
        }
    }
}

/// Why a room was not joined, judged in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, EventError)]
#[non_exhaustive]
pub enum JoinError {
    /// There is no such room, none that the peer may know of, or no such invite.
    #[error("there is no such room: join by `room` or by `invite`")]
    RoomNotFound,
    /// The host has banned the peer.
    #[error("you are banned from this room for {for_ms} ms")]
    Banned {
        /// For how much longer, in milliseconds.
        for_ms: u64,
    },
    /// Nobody can join for now.
    #[error("the room is locked")]
    RoomLocked,
    /// The room has a password, and this is not it.
    #[error("the password is missing or wrong")]
    BadPassword,
    /// Too many passwords came from this address, so this one was not looked at.
    #[error("too many passwords: try again in {retry_after_ms} ms")]
    TooManyTries {
        /// After how many milliseconds one more is taken.
        retry_after_ms: u64,
    },
    /// All seats are taken.
    #[error("the room is full: {max} players")]
    RoomFull {
        /// How many it takes.
        max: usize,
    },
    /// The peer is in as many rooms as it may be.
    #[error("you are in {max} rooms, as many as may be: leave one first")]
    TooManyRooms {
        /// How many may be.
        max: usize,
    },
    /// The session has ended meanwhile, or the server is about to stop.
    #[error("there is no session any more: log in")]
    SessionOver,
}

/// Leaves a room.
#[derive(Debug, Clone, Event)]
#[event(request, response = Changed, error = LeaveError)]
pub struct LeaveRoom {
    /// Which.
    pub room: RoomId,
}

/// Why a room was not left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, EventError)]
#[non_exhaustive]
pub enum LeaveError {
    /// The peer is in no such room.
    #[error("you are in no such room")]
    RoomNotFound,
}

/// Asks for public rooms, the oldest first.
#[derive(Debug, Clone, Default, Event)]
#[event(request, response = RoomList)]
pub struct ListRooms {
    /// A part of the names; case and width make no difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// How many at most: 50 where it is absent, never above 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Where the list before this one ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// A part of the list of rooms. It may be short, even empty, where there is a cursor.
#[derive(Debug, Clone, PartialEq, Event)]
#[event(response)]
pub struct RoomList {
    /// The rooms.
    pub rooms: Vec<RoomSummary>,
    /// What gets the next part; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// What every client can ask of rooms: `to_server` of a protocol. Handled by
/// [`Rendezvous`](crate::Rendezvous).
#[derive(Debug, Clone, EventSet)]
pub enum Rooms {
    /// Makes a room.
    CreateRoom(CreateRoom),
    /// Ends one.
    DeleteRoom(DeleteRoom),
    /// Enters one.
    JoinRoom(JoinRoom),
    /// Makes a code to join by.
    CreateInvite(CreateInvite),
    /// Leaves one.
    LeaveRoom(LeaveRoom),
    /// Lists public ones.
    ListRooms(ListRooms),
    /// Changes one.
    UpdateRoom(UpdateRoom),
    /// Puts a player out.
    KickPlayer(KickPlayer),
    /// Gives it another host.
    SetHost(SetHost),
}
