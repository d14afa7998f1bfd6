//! Links that are lost, and stand again or not.

use protocol_core::{PeerId, RoomId};
use rendezvous::events::{LeaveReason, PlayerStatus};

use super::laws::Cause;
use super::model::Model;
use super::world::World;
use crate::house::Peer;

impl World<'_> {
    pub(super) fn set_status(&mut self, who: usize, status: PlayerStatus) {
        let client = &mut self.clients[who];
        let was_away = client.is_away;
        client.is_away = status != PlayerStatus::Online;
        let is_new = client.is_away != was_away;
        let peer = client.peer.clone().unwrap();
        self.note(&format!("{} is {status:?}", peer.id()));
        self.house.set_status(&peer, status);
        if is_new {
            self.model.set_status(peer.id(), status);
        }
        self.check(!is_new, &Cause::Other);
    }

    /// What becomes of somebody whose link is lost.
    pub(super) fn be_away(&mut self, who: usize, peer: &Peer, room: RoomId) {
        match self.random.below(12) {
            0..5 => self.set_status(who, PlayerStatus::Online),
            5 => self.set_status(who, PlayerStatus::Reconnecting),
            6 => self.vanish(who, LeaveReason::GraceExpired),
            // What was under way when the link was lost is done all the same.
            7 => self.create(peer),
            8 => self.join(peer, room),
            9 => self.leave(peer, room),
            _ => self.wait(),
        }
    }
}

impl Model {
    pub(super) fn status_of(&self, peer: &PeerId) -> PlayerStatus {
        if self.away.contains(peer) {
            PlayerStatus::Reconnecting
        } else {
            PlayerStatus::Online
        }
    }

    fn set_status(&mut self, peer: &PeerId, status: PlayerStatus) {
        self.away.retain(|away| away != peer);
        if status != PlayerStatus::Online {
            self.away.push(peer.clone());
        }
        for room in self.places.iter_mut().map(|place| &mut place.room) {
            let mut players = room.players.iter_mut();
            if let Some(player) = players.find(|player| player.id == *peer) {
                player.status = status;
                room.rev += 1;
            }
        }
    }
}
