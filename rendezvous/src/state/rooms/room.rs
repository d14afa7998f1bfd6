//! One room: its members and settings, and what a change of them means for whom.

use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol_core::{PeerId, RoomId};

use super::News;
use super::invite::Invites;
use crate::events::{
    Capacity, HostChanged, JoinCause, LeaveReason, Meta, OnHostLeave, Player, PlayerJoined,
    PlayerLeft, PlayerStatus, PlayerUpdated, Room, RoomNews, RoomUpdated, SelfJoined, SelfLeft,
    Visibility,
};
use crate::state::{Name, PeerName};

/// Bans that a room keeps; above that the one that ends first leaves.
const MAX_BANS: usize = 1_000;

/// A password as it is kept: hashed, in the PHC string format.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Arc<str>);

impl PasswordHash {
    /// Takes a PHC string.
    pub fn new(phc: &str) -> Self {
        Self(phc.into())
    }

    /// The PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[derive(Debug)]
pub(super) struct Member<L> {
    pub(super) id: PeerId,
    /// By which it is banned.
    pub(super) key: Box<str>,
    status: PlayerStatus,
    joined_rev: u64,
    line: L,
}

/// Who put a member out, and what they said.
#[derive(Debug, Clone)]
pub(super) struct KickedBy {
    pub(super) host: PeerId,
    pub(super) message: Option<String>,
}

#[derive(Debug)]
pub(super) struct RoomState<L> {
    pub(super) id: RoomId,
    /// How many were made before it.
    pub(super) made: u64,
    /// Its place in the list, where it is public.
    pub(super) listed: Option<u64>,
    pub(super) name: Name,
    pub(super) host: PeerId,
    pub(super) capacity: Capacity,
    pub(super) visibility: Visibility,
    pub(super) locked: bool,
    pub(super) password: Option<PasswordHash>,
    pub(super) meta: Meta,
    pub(super) on_host_leave: OnHostLeave,
    /// By which the creator can ask again for the same room.
    pub(super) made_by: Option<(PeerId, String)>,
    pub(super) rev: u64,
    /// In join order.
    pub(super) members: Vec<Member<L>>,
    pub(super) bans: Bans,
    pub(super) invites: Invites,
}

impl<L: Clone> RoomState<L> {
    /// Lets a peer in.
    pub(super) fn add(
        &mut self,
        peer: &PeerName,
        (line, status): (&L, PlayerStatus),
        cause: JoinCause,
        news: &mut Vec<News<L>>,
    ) {
        self.rev += 1;
        let player = Player {
            id: peer.id().clone(),
            name: None,
            status,
            joined_rev: self.rev,
        };
        let joined = PlayerJoined {
            room: self.id.clone(),
            rev: self.rev,
            player,
        };
        self.tell_all(RoomNews::PlayerJoined(joined), news);
        self.members.push(Member {
            id: peer.id().clone(),
            key: peer.key().into(),
            status,
            joined_rev: self.rev,
            line: line.clone(),
        });
        let joined = SelfJoined::new(self.view(), cause);
        news.push(News {
            to: vec![line.clone()],
            event: RoomNews::SelfJoined(joined),
        });
    }

    /// Takes out one of several members.
    pub(super) fn remove(
        &mut self,
        peer: &PeerId,
        reason: LeaveReason,
        kick: Option<KickedBy>,
        news: &mut Vec<News<L>>,
    ) -> u64 {
        let Some(place) = self.members.iter().position(|member| member.id == *peer) else {
            return self.rev;
        };
        let gone = self.members.remove(place);
        self.rev += 1;
        let (by, message) = kick.map_or((None, None), |kick| (Some(kick.host), kick.message));
        let left = PlayerLeft {
            room: self.id.clone(),
            rev: self.rev,
            player: gone.id,
            reason,
            by: by.clone(),
        };
        self.tell_all(RoomNews::PlayerLeft(left), news);
        if self.host == *peer
            && let Some(heir) = self.heir()
        {
            self.tell_host(heir, news);
        }
        news.push(News {
            to: vec![gone.line],
            event: self.self_left(reason, by, message),
        });
        self.rev
    }

    /// Ends the room: each member hears that once, and nothing of the others. The one who ends it by
    /// leaving has a reason of its own.
    pub(super) fn end(
        &mut self,
        reason: LeaveReason,
        by: Option<PeerId>,
        leaver: Option<(&PeerId, LeaveReason)>,
        news: &mut Vec<News<L>>,
    ) -> u64 {
        self.rev += 1;
        let goes = |member: &&Member<L>| leaver.is_some_and(|(peer, _)| *peer == member.id);
        let (gone, others): (Vec<_>, Vec<_>) = self.members.iter().partition(goes);
        let lines =
            |members: Vec<&Member<L>>| members.into_iter().map(|m| m.line.clone()).collect();
        if !others.is_empty() {
            news.push(News {
                to: lines(others),
                event: self.self_left(reason, by, None),
            });
        }
        if let Some((_, reason)) = leaver {
            news.push(News {
                to: lines(gone),
                event: self.self_left(reason, None, None),
            });
        }
        self.rev
    }

    /// Gives the room another host, one of its members, in a revision of its own.
    pub(super) fn give_to(&mut self, heir: PeerId, news: &mut Vec<News<L>>) {
        self.rev += 1;
        self.tell_host(heir, news);
    }

    /// Says that the settings have changed, in a revision of its own.
    pub(super) fn updated(&mut self, news: &mut Vec<News<L>>) {
        self.rev += 1;
        let updated = RoomUpdated(self.view());
        self.tell_all(RoomNews::RoomUpdated(updated), news);
    }

    /// Shows how a member's link is, in a revision of its own.
    pub(super) fn set_status(
        &mut self,
        peer: &PeerId,
        status: PlayerStatus,
        news: &mut Vec<News<L>>,
    ) {
        let mut members = self.members.iter_mut();
        let Some(member) = members.find(|member| member.id == *peer) else {
            return;
        };
        member.status = status;
        let line = member.line.clone();
        self.rev += 1;
        let updated = PlayerUpdated {
            room: self.id.clone(),
            rev: self.rev,
            player: peer.clone(),
            status,
        };
        let others: Vec<_> = self.lines_but(peer).cloned().collect();
        tell(others, RoomNews::PlayerUpdated(updated), news);
        if status == PlayerStatus::Online {
            let resumed = SelfJoined::new(self.view(), JoinCause::Resumed);
            tell(vec![line], RoomNews::SelfJoined(resumed), news);
        }
    }

    pub(super) fn view(&self) -> Room {
        Room {
            id: self.id.clone(),
            name: self.name.as_str().to_owned(),
            host: self.host.clone(),
            capacity: self.capacity,
            visibility: self.visibility,
            locked: self.locked,
            has_password: self.password.is_some(),
            meta: self.meta.clone(),
            rev: self.rev,
            players: self.members.iter().map(Member::view).collect(),
        }
    }

    /// Whether whoever knows its id may know that it is there.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.visibility, Visibility::Public | Visibility::Unlisted)
    }

    pub(super) fn member(&self, peer: &str) -> Option<&Member<L>> {
        self.members.iter().find(|member| &*member.id == peer)
    }

    /// The ways to all members but one.
    pub(super) fn lines_but(&self, peer: &str) -> impl Iterator<Item = &L> {
        let others = self
            .members
            .iter()
            .filter(move |member| &*member.id != peer);
        others.map(|member| &member.line)
    }

    /// The member that has been here longest, if possible one whose link stands.
    fn heir(&self) -> Option<PeerId> {
        let mut members = self.members.iter();
        let online = members.find(|member| member.status == PlayerStatus::Online);
        online
            .or(self.members.first())
            .map(|member| member.id.clone())
    }

    fn tell_host(&mut self, heir: PeerId, news: &mut Vec<News<L>>) {
        let changed = HostChanged {
            room: self.id.clone(),
            rev: self.rev,
            host: heir.clone(),
            previous: mem::replace(&mut self.host, heir),
        };
        self.tell_all(RoomNews::HostChanged(changed), news);
    }

    fn tell_all(&self, event: RoomNews, news: &mut Vec<News<L>>) {
        let lines = self.members.iter().map(|member| member.line.clone());
        tell(lines.collect(), event, news);
    }

    fn self_left(
        &self,
        reason: LeaveReason,
        by: Option<PeerId>,
        message: Option<String>,
    ) -> RoomNews {
        RoomNews::SelfLeft(SelfLeft {
            room: self.id.clone(),
            rev: self.rev,
            reason,
            by,
            message,
        })
    }
}

fn tell<L>(to: Vec<L>, event: RoomNews, news: &mut Vec<News<L>>) {
    if !to.is_empty() {
        news.push(News { to, event });
    }
}

impl<L> Member<L> {
    fn view(&self) -> Player {
        Player {
            id: self.id.clone(),
            name: None,
            status: self.status,
            joined_rev: self.joined_rev,
        }
    }
}

/// Who may not come back, by key, and until when.
#[derive(Debug, Default)]
pub(super) struct Bans(HashMap<Box<str>, Instant>);

impl Bans {
    pub(super) fn add(&mut self, key: &str, until: Instant) {
        if self.0.len() >= MAX_BANS
            && let Some((first, _)) = self.0.iter().min_by_key(|&(key, until)| (until, key))
        {
            let first = first.clone();
            self.0.remove(&first);
        }
        self.0.insert(key.into(), until);
    }

    /// For how much longer a peer is banned.
    pub(super) fn left(&self, key: &str, now: Instant) -> Option<Duration> {
        let until = self.0.get(key)?;
        Some(until.duration_since(now)).filter(|left| !left.is_zero())
    }
}
