//! What has to hold once nothing goes wrong any more.

use std::time::Duration;

use protocol_core::PeerId;
use tokio::time::{Instant, sleep};

use super::{LOOK_EACH, SETTLED_WITHIN, World};
use crate::house::SERVER;
use crate::journal::{End, Kind};
use crate::links::{self, Standing};
use crate::network::{Fault, KEEPALIVE};
use crate::peer::{Order, Peer};

impl World {
    /// By when all that takes so long at most has happened. Where black holes outlast the healing, the
    /// last of them has to be found before.
    fn healed_by(&self) -> Instant {
        let holes = if self.script.tells_holes || !links::FINDS_SILENCE {
            Duration::ZERO
        } else {
            KEEPALIVE
        };
        Instant::now() + holes + SETTLED_WITHIN
    }

    /// Once nothing goes wrong, every call ends, and everybody is in, or knows why not.
    pub(super) async fn settle(&mut self) {
        self.house_due = Instant::now();
        let end = self.healed_by();
        while Instant::now() < end {
            self.keep_alive();
            while self.ending.try_join_next().is_some() {}
            if !self.house.is_open() && self.ending.is_empty() {
                self.house.open().await;
            }
            self.promote();
            if self.unsettled().is_empty() && self.ending.is_empty() && self.house.is_open() {
                self.journal.tell("all has settled");
                return;
            }
            sleep(LOOK_EACH).await;
        }
        for what in self.unsettled() {
            self.journal.wrong(&format!("does not settle: {what}"));
        }
        if !self.ending.is_empty() {
            self.journal.wrong("does not settle: somebody does not end");
        }
    }

    fn unsettled(&mut self) -> Vec<String> {
        let mut unsettled = Vec::new();
        for seat in &mut self.seats {
            let all = || seat.peer.iter().chain(&seat.challenger).chain(&seat.old);
            // Of several that live under one name only one can have it; the others go on asking.
            let is_disputed = all().count() > 1 && all().any(Peer::is_connected);
            let peers = seat.peer.iter_mut().chain(&mut seat.challenger);
            for peer in peers.chain(&mut seat.old) {
                let (calls, standing) = (peer.open_calls(), peer.standing());
                let asks = is_disputed && standing == Some(Standing::Reconnecting);
                let is_in = peer.is_connected() || peer.is_lost() || peer.has_given_up();
                if calls > 0 || !(is_in || asks) {
                    let name = self.journal.name(peer.life);
                    unsettled.push(format!("{name} has {calls} open calls, is {standing:?}"));
                }
            }
        }
        unsettled
    }

    /// Everybody comes back who is gone, and then everybody reaches everybody. That may take several
    /// rounds: who handles something does not see that their link has ended.
    pub(super) async fn all_meet(&mut self) {
        let end = self.healed_by();
        for seat in &mut self.seats {
            for old in seat.old.drain(..) {
                old.crash(Fault::Reset);
            }
            seat.due = Instant::now();
        }
        let mut failed = vec!["to come back".to_owned()];
        while Instant::now() < end && !failed.is_empty() {
            self.tend().await;
            if self.is_complete() {
                failed = self.call_all(end).await;
            }
            sleep(LOOK_EACH).await;
        }
        for failed in failed {
            self.journal.wrong(&format!("after healing fails {failed}"));
        }
    }

    fn is_complete(&self) -> bool {
        self.seats.iter().all(|seat| {
            seat.challenger.is_none() && seat.peer.as_ref().is_some_and(Peer::is_connected)
        })
    }

    /// Everybody calls everybody; what failed.
    async fn call_all(&mut self, end: Instant) -> Vec<String> {
        self.journal.tell("everybody calls everybody");
        let before = self.journal.book().calls.len();
        for seat in &mut self.seats {
            for other in self.script.names.iter().chain(&[SERVER]) {
                if let (true, Some(peer)) = (seat.name != *other, &mut seat.peer) {
                    peer.call(other, Order::plain(Kind::Parcel));
                    peer.call(other, Order::plain(Kind::Ask));
                }
            }
        }
        while Instant::now() < end && !self.unsettled().is_empty() {
            self.keep_alive();
            sleep(LOOK_EACH).await;
        }
        let book = self.journal.book();
        let failed = book.calls[before..]
            .iter()
            .filter(|call| !matches!(&call.ends[..], [(_, End::Done)]));
        failed
            .map(|call| {
                let from = &book.lives[call.life].name;
                format!("{:?} {} of {from} to {}", call.kind, call.number, call.to)
            })
            .collect()
    }

    /// Everybody's picture of their rooms becomes what the server has, with nobody in them who is not
    /// there.
    pub(super) async fn no_ghosts(&mut self) {
        let end = self.healed_by();
        while Instant::now() < end && !self.ghosts().is_empty() {
            self.keep_alive();
            sleep(LOOK_EACH).await;
        }
        for ghost in self.ghosts() {
            self.journal.wrong(&ghost);
        }
    }

    fn ghosts(&self) -> Vec<String> {
        let mut ghosts = Vec::new();
        let Some(rendezvous) = self.house.rendezvous() else {
            return vec!["there is no server".to_owned()];
        };
        if rendezvous.sessions() != self.seats.len() {
            ghosts.push(format!("there are {} sessions", rendezvous.sessions()));
        }
        for seat in &self.seats {
            let id = PeerId::new(seat.name).expect("a name");
            let rooms = rendezvous.rooms_of(&id);
            let truth: Vec<_> = rooms.iter().filter_map(|id| rendezvous.room(id)).collect();
            let picture = seat.peer.as_ref().map(Peer::rooms).unwrap_or_default();
            if !picture.iter().eq(&truth) {
                ghosts.push(format!("{} sees {picture:?}, not {truth:?}", seat.name));
            }
            for room in truth {
                let online = rendezvous::events::PlayerStatus::Online;
                let is_there = |id: &PeerId| self.script.names.iter().any(|name| *name == &**id);
                let players = &room.players;
                if !players
                    .iter()
                    .all(|player| is_there(&player.id) && player.status == online)
                {
                    ghosts.push(format!("there are ghosts in {room:?}"));
                }
            }
        }
        ghosts
    }
}
