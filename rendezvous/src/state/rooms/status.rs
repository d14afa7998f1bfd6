//! A member's link is lost, or stands again.

use protocol_core::PeerId;

use super::{News, Rooms};
use crate::events::PlayerStatus;

impl<L: Clone> Rooms<L> {
    /// Says how a peer's link is, in the rooms that it is in and in those that it comes to be in. Peers
    /// are online until this says something else, and again after [`leave_all`](Self::leave_all).
    ///
    /// Nothing happens where nothing is new. Else it is a change of each of its rooms: the others hear
    /// `player_updated`. The peer itself hears of a lost link nothing, and of one that stands again
    /// `self_joined`, which holds its own changes too.
    pub fn set_status(&mut self, peer: &PeerId, status: PlayerStatus, news: &mut Vec<News<L>>) {
        if self.status_of(peer) == status {
            return;
        }
        if status == PlayerStatus::Online {
            self.away.remove(peer);
        } else {
            self.away.insert(peer.clone(), status);
        }
        for id in self.by_peer.get(peer).into_iter().flatten() {
            if let Some(room) = self.by_id.get_mut(id) {
                room.set_status(peer, status, news);
            }
        }
    }

    /// How a peer's link is.
    pub(super) fn status_of(&self, peer: &PeerId) -> PlayerStatus {
        let away = self.away.get(peer);
        away.copied().unwrap_or(PlayerStatus::Online)
    }
}
