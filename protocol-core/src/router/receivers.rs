//! The members of a room, while an event is given to them.

use std::sync::Arc;

use crate::connection::{Outgoing, Share, Tried};
use crate::router::Outlet;

/// Takes the members of a room that an event goes to; see [`Relay::pass_to_room`](crate::Relay).
#[derive(Debug)]
pub struct Receivers<'a> {
    frame: &'a Arc<[u8]>,
    pub(super) queued: usize,
    /// Those who do not read fast enough, or accept only shorter frames.
    pub(super) missed: usize,
}

impl<'a> Receivers<'a> {
    pub(super) fn new(frame: &'a Arc<[u8]>) -> Self {
        Self {
            frame,
            queued: 0,
            missed: 0,
        }
    }

    /// Queues the event for one more member, without waiting. Half of a client's queue takes such
    /// events; beyond that they are dropped and counted.
    pub fn add<S>(&mut self, member: &Outlet<S>) {
        let link = &member.link;
        if self.frame.len() - 1 > link.frame_out {
            self.missed += 1;
            return;
        }
        if link.is_down() {
            link.note_dropped(true);
            self.missed += 1;
            return;
        }
        let frame = Outgoing::Shared(self.frame.clone());
        match link.outbox.try_push(frame, Share::Half) {
            Tried::Queued => self.queued += 1,
            Tried::Full => {
                link.note_dropped(true);
                self.missed += 1;
            }
            Tried::Closed => {}
        }
    }
}
