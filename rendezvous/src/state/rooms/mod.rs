//! Rooms: who is in them, what may be done by whom, and what each member hears of it.
//!
//! Commands go in, one file each, and the news for each member come out. Knows no sockets, no clock
//! and no randomness: ways to members, the time, ids and codes are passed in.

mod command;
mod create;
mod delete;
mod invite;
mod join;
mod kick;
mod leave;
mod list;
mod room;
mod set_host;
mod status;
mod update;

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use protocol_core::{PeerId, RoomId};

use self::invite::Code;
use self::room::{KickedBy, RoomState};
use super::PeerName;
use crate::events::{LeaveReason, OnHostLeave, PlayerStatus, Room, RoomNews, Visibility};

pub use command::Command;
pub use create::{Create, Created};
pub use delete::Delete;
pub use invite::Invite;
pub use join::{Join, Joined, Proof};
pub use kick::Kick;
pub use leave::Leave;
pub use list::List;
pub use room::PasswordHash;
pub use set_host::Appoint;
pub use update::{Update, Updated};

/// How many rooms there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomLimits {
    /// In all.
    pub rooms: usize,
    /// That one peer is in.
    pub rooms_a_peer: usize,
}

/// What some members hear of a change. News are given in their order.
#[derive(Debug, Clone)]
pub struct News<L> {
    /// The ways to those members.
    pub to: Vec<L>,
    /// What they hear.
    pub event: RoomNews,
}

/// All rooms. `L` is the way to a member, of which nothing is known here.
#[derive(Debug)]
pub struct Rooms<L> {
    limits: RoomLimits,
    by_id: HashMap<RoomId, RoomState<L>>,
    /// The public ones, in the order in which they became so. Others leave no trace here, not even
    /// a gap between the numbers.
    listed: BTreeMap<u64, RoomId>,
    by_invite: HashMap<Code, RoomId>,
    /// Only peers that are in some room.
    by_peer: HashMap<PeerId, Vec<RoomId>>,
    /// Only peers that are not online, in some room or in none: a command that was under way when the
    /// link was lost may still make or join one.
    away: HashMap<PeerId, PlayerStatus>,
    next_listed: u64,
    made: u64,
    /// No rooms are made any more, so none are there to join.
    closed: bool,
}

/// Who gives a command, when, and where its news go.
pub struct Turn<'a, L> {
    rooms: &'a mut Rooms<L>,
    by: &'a PeerName,
    line: &'a L,
    now: Instant,
    news: &'a mut Vec<News<L>>,
}

impl<L: Clone> Rooms<L> {
    /// No rooms yet.
    pub fn new(limits: RoomLimits) -> Self {
        Self {
            limits,
            by_id: HashMap::new(),
            listed: BTreeMap::new(),
            by_invite: HashMap::new(),
            by_peer: HashMap::new(),
            away: HashMap::new(),
            next_listed: 0,
            made: 0,
            closed: false,
        }
    }

    /// Does what a logged-in peer, reached by `line`, commands. What members hear of it is added to
    /// `news`.
    ///
    /// # Errors
    ///
    /// As the command's own event says; then nothing has changed.
    pub fn apply<C: Command>(
        &mut self,
        command: C,
        by: &PeerName,
        line: &L,
        now: Instant,
        news: &mut Vec<News<L>>,
    ) -> Result<C::Reply, C::Error> {
        command.apply(&mut Turn {
            rooms: self,
            by,
            line,
            now,
            news,
        })
    }

    /// Takes a peer out of all its rooms, and forgets how its link is.
    pub fn leave_all(&mut self, peer: &PeerId, reason: LeaveReason, news: &mut Vec<News<L>>) {
        self.away.remove(peer);
        for id in self.by_peer.get(peer).cloned().unwrap_or_default() {
            self.remove_member(&id, peer, reason, None, news);
        }
    }

    /// Ends all rooms for good.
    pub fn end_all(&mut self, reason: LeaveReason, news: &mut Vec<News<L>>) {
        self.closed = true;
        let mut rooms: Vec<_> = self.by_id.values().collect();
        // A map's order is left to chance, and members in several rooms would hear it.
        rooms.sort_unstable_by_key(|room| room.made);
        let ids: Vec<_> = rooms.into_iter().map(|room| room.id.clone()).collect();
        for id in ids {
            self.end(&id, reason, None, news);
        }
    }

    /// A room as its members see it.
    pub fn view(&self, id: &str) -> Option<Room> {
        self.by_id.get(id).map(RoomState::view)
    }

    /// The rooms that a peer is in, in the order in which it joined.
    pub fn of_peer(&self, peer: &str) -> &[RoomId] {
        self.by_peer.get(peer).map_or(&[], Vec::as_slice)
    }

    /// Whether a peer is in a room.
    pub fn is_member(&self, id: &str, peer: &str) -> bool {
        self.of_peer(peer).iter().any(|room| room.as_str() == id)
    }

    /// The host of a room.
    pub fn host(&self, id: &str) -> Option<&PeerId> {
        self.by_id.get(id).map(|room| &room.host)
    }

    /// Whether two peers are in one room.
    pub fn share_room(&self, one: &str, other: &str) -> bool {
        let others = self.of_peer(other);
        self.of_peer(one).iter().any(|room| others.contains(room))
    }

    /// The ways to all members of a room but one; none where that one is no member.
    pub fn others(&self, id: &str, peer: &str) -> Option<impl Iterator<Item = &L>> {
        if !self.is_member(id, peer) {
            return None;
        }
        Some(self.by_id.get(id)?.lines_but(peer))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Takes a member out of a room that it is in; returns the room's revision with that.
    fn remove_member(
        &mut self,
        id: &RoomId,
        peer: &PeerId,
        reason: LeaveReason,
        kick: Option<KickedBy>,
        news: &mut Vec<News<L>>,
    ) -> Option<u64> {
        let room = self.by_id.get_mut(id)?;
        let closes = room.host == *peer && room.on_host_leave == OnHostLeave::Close;
        if closes || room.members.len() == 1 {
            let by = Some(peer.clone());
            let rev = room.end(LeaveReason::HostClosed, by, Some((peer, reason)), news);
            self.forget(id);
            return Some(rev);
        }
        let rev = room.remove(peer, reason, kick, news);
        self.forget_membership(id, peer);
        Some(rev)
    }

    /// Ends a room; returns its last revision.
    fn end(
        &mut self,
        id: &RoomId,
        reason: LeaveReason,
        by: Option<PeerId>,
        news: &mut Vec<News<L>>,
    ) -> Option<u64> {
        let rev = self.by_id.get_mut(id)?.end(reason, by, None, news);
        self.forget(id);
        Some(rev)
    }

    /// Takes a room into the list, or out of it, as its visibility says.
    fn list_or_hide(&mut self, id: &RoomId) {
        let Some(room) = self.by_id.get_mut(id) else {
            return;
        };
        let is_public = room.visibility == Visibility::Public;
        if is_public && room.listed.is_none() {
            room.listed = Some(self.next_listed);
            self.listed.insert(self.next_listed, id.clone());
            self.next_listed += 1;
        } else if !is_public && let Some(number) = room.listed.take() {
            self.listed.remove(&number);
        }
    }

    /// Forgets a room that is over.
    fn forget(&mut self, id: &RoomId) {
        let Some(room) = self.by_id.remove(id) else {
            return;
        };
        if let Some(number) = room.listed {
            self.listed.remove(&number);
        }
        for invite in room.invites.codes() {
            self.by_invite.remove(invite);
        }
        for member in &room.members {
            self.forget_membership(id, &member.id);
        }
    }

    fn forget_membership(&mut self, id: &RoomId, peer: &PeerId) {
        if let Some(rooms) = self.by_peer.get_mut(peer) {
            rooms.retain(|room| room != id);
            if rooms.is_empty() {
                self.by_peer.remove(peer);
            }
        }
    }
}

impl<L: Clone> Turn<'_, L> {
    /// The room that the peer is host of.
    fn hosted(&mut self, id: &RoomId) -> Option<&mut RoomState<L>> {
        let room = self.rooms.by_id.get_mut(id)?;
        (room.host == *self.by.id()).then_some(room)
    }

    /// Whether the peer may know that there is such a room.
    fn knows(&self, id: &RoomId) -> bool {
        let room = self.rooms.by_id.get(id);
        room.is_some_and(|room| room.is_open() || self.rooms.is_member(id, self.by.id()))
    }
}
