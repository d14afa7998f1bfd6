//! Broadcasts: one publisher, and receivers each of which hears all that it says.
//!
//! The clients are the same for every contender, sockets with messages written by hand: what
//! differs is the server between them.

mod floors;
mod inline_floor;
mod link;
mod nats;
mod progress;
mod queue_floor;
mod receivers;
mod rendezvous;
mod socketioxide;

pub(crate) use rendezvous::Rooms;

pub(super) use self::{
    floors::Floor,
    inline_floor::Inline,
    nats::Nats,
    progress::{Hearing, Progress},
    queue_floor::Queues,
    socketioxide::Socketioxide,
};
use crate::mode::{Mode, Workload};

/// The room, or the subject, that all of them are in.
const ROOM: &str = "room";

/// Whether a mode is one of broadcasts.
fn takes(mode: &Mode) -> bool {
    mode.workload == Workload::Broadcast
}
