//! A client's own picture of its rooms, built from what it hears.

use protocol_core::RoomId;

use crate::events::{JoinCause, Room, RoomNews, SelfJoined};

/// The rooms that a client is in, kept up to date by its [`RoomNews`]. One is for one session: where
/// that is resumed on another link it goes on, and with a new session the client is in no room and
/// starts with a new one.
///
/// Of its own status a client hears nothing, so while it is away that and the room's revision are those
/// of before.
///
/// # Examples
///
/// ```
/// use protocol_core::{PeerId, RoomId};
/// use rendezvous::events::{HostChanged, LeaveReason, RoomNews, SelfLeft};
/// use rendezvous::{MyRooms, OutOfStep};
///
/// let mut rooms = MyRooms::default();
/// let left = SelfLeft {
///     room: RoomId::new("r1")?,
///     rev: 7,
///     reason: LeaveReason::Left,
///     by: None,
///     message: None,
/// };
/// // Nobody leaves a room without having been in it.
/// assert_eq!(rooms.hear(&RoomNews::SelfLeft(left)), Err(OutOfStep));
/// assert_eq!(rooms.iter().count(), 0);
/// # Ok::<(), protocol_core::IdError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MyRooms {
    rooms: Vec<Room>,
}

/// News that do not fit what was heard before. A server that keeps to `PROTOCOL.md` §10 sends none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("news of a room that do not fit what was heard before")]
pub struct OutOfStep;

impl MyRooms {
    /// Takes news in.
    ///
    /// # Errors
    ///
    /// Where they do not fit; then nothing has changed.
    pub fn hear(&mut self, news: &RoomNews) -> Result<(), OutOfStep> {
        match news {
            RoomNews::SelfJoined(joined) => self.enter(joined)?,
            RoomNews::SelfLeft(left) => {
                self.after(&left.room, left.rev)?;
                self.rooms.retain(|room| room.id != left.room);
            }
            RoomNews::PlayerJoined(joined) => {
                let room = self.after(&joined.room, joined.rev)?;
                let mut players = room.players.iter();
                ensure(players.all(|player| player.id != joined.player.id))?;
                room.players.push(joined.player.clone());
                room.rev = joined.rev;
            }
            RoomNews::PlayerLeft(left) => {
                let room = self.after(&left.room, left.rev)?;
                let mut players = room.players.iter();
                let place = players.position(|player| player.id == left.player);
                room.players.remove(place.ok_or(OutOfStep)?);
                room.rev = left.rev;
            }
            RoomNews::PlayerUpdated(updated) => {
                let room = self.after(&updated.room, updated.rev)?;
                let mut players = room.players.iter_mut();
                let player = players.find(|player| player.id == updated.player);
                player.ok_or(OutOfStep)?.status = updated.status;
                room.rev = updated.rev;
            }
            RoomNews::HostChanged(changed) => {
                // The host's leave and this are one change, so of one revision.
                let room = self.rooms.iter_mut().find(|room| room.id == changed.room);
                let room = room.ok_or(OutOfStep)?;
                ensure(changed.rev >= room.rev && changed.previous == room.host)?;
                room.host = changed.host.clone();
                room.rev = changed.rev;
            }
            RoomNews::RoomUpdated(updated) => {
                let room = self.after(&updated.0.id, updated.0.rev)?;
                *room = updated.0.clone();
            }
        }
        Ok(())
    }

    /// A room that the client is in.
    pub fn get(&self, id: &RoomId) -> Option<&Room> {
        self.rooms.iter().find(|room| room.id == *id)
    }

    /// The rooms, in the order in which the client came to be in them.
    pub fn iter(&self) -> impl Iterator<Item = &Room> {
        self.rooms.iter()
    }

    fn enter(&mut self, joined: &SelfJoined) -> Result<(), OutOfStep> {
        let known = self.rooms.iter_mut().find(|room| room.id == joined.id);
        match known {
            None => self.rooms.push(joined.clone().into_room()),
            Some(room) => {
                ensure(joined.cause == JoinCause::Resumed && room.rev <= joined.rev)?;
                *room = joined.clone().into_room();
            }
        }
        Ok(())
    }

    /// The room, if `rev` is one that follows.
    fn after(&mut self, id: &RoomId, rev: u64) -> Result<&mut Room, OutOfStep> {
        let room = self.rooms.iter_mut().find(|room| room.id == *id);
        room.filter(|room| room.rev < rev).ok_or(OutOfStep)
    }
}

fn ensure(holds: bool) -> Result<(), OutOfStep> {
    holds.then_some(()).ok_or(OutOfStep)
}
