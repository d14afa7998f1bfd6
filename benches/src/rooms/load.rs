//! The loads: a steady one, whose pace does not depend on the server, and loads in which one event
//! at a time goes to all members of a room.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tokio::time::{MissedTickBehavior, interval};

use super::{
    client::Client,
    crowd::{Crowd, Room},
    figures::{Load, Snapshot, Watch},
};

/// How often the steady load sends what is due.
const TICK: Duration = Duration::from_millis(1);

/// Whom the steady load is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    /// The other members of the sender's room.
    Room,
    /// One client, of another room.
    Peer,
}

/// Each client now and then sends something; `rate` is what all of them send in a second. Clients
/// of different rooms take turns.
pub(super) async fn steady(
    crowd: &mut Crowd,
    rooms: &[Room],
    to: To,
    rate: f64,
    watch: &Watch,
) -> Result<Load> {
    let tally = Arc::clone(&crowd.tally);
    let receipts_before = tally.received();
    let (mut sent, mut receipts) = (0_u64, 0);
    let mut turns = Turns::new(rooms);
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let started = Instant::now();
    let mut begin = None;
    loop {
        ticks.tick().await;
        let passed = started.elapsed();
        if begin.is_none() && passed >= watch.warm_up {
            tally.keep_latencies(true);
            begin = Some(Snapshot::take(watch, sent, tally.received())?);
        }
        if passed >= watch.warm_up + watch.window {
            break;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count from a positive time"
        )]
        let due = (passed.as_secs_f64() * rate) as u64;
        while sent < due {
            let (room, from, peer) = turns.next();
            let number = watch.number();
            let (dest, receivers) = match to {
                To::Room => (&room.dest, room.members.len() - 1),
                To::Peer => (&peer.id, 1),
            };
            tally.send(number, u32::try_from(receivers)?)?;
            from.say(dest, number)?;
            sent += 1;
            receipts += receivers as u64;
        }
    }
    let begin = begin.context("a window without a beginning")?;
    let load = begin.until(watch, sent, tally.received())?;
    tally.keep_latencies(false);
    crowd.check()?;
    tally.until(receipts_before + receipts).await?;
    load.with_latencies(&tally.latencies())
}

/// Whose turn it is to send: the first of each room, then the second of each, and so on.
struct Turns<'a> {
    rooms: &'a [Room],
    next: usize,
}

impl<'a> Turns<'a> {
    fn new(rooms: &'a [Room]) -> Self {
        Self { rooms, next: 0 }
    }

    /// The room, its member, and a member of the room that is farthest away.
    fn next(&mut self) -> (&'a Room, &'a Client, &'a Client) {
        let (place, turn) = (self.next % self.rooms.len(), self.next / self.rooms.len());
        self.next += 1;
        let member = |place: usize| {
            let room = &self.rooms[place % self.rooms.len()];
            (room, &*room.members[turn % room.members.len()])
        };
        let (room, from) = member(place);
        let (_, peer) = member(place + self.rooms.len() / 2);
        (room, from, peer)
    }
}

/// Members in turn say something to all others, one after the other: the next when the last member
/// has got it.
pub(super) async fn broadcasts(crowd: &mut Crowd, room: &Room, watch: &Watch) -> Result<Load> {
    let tally = Arc::clone(&crowd.tally);
    let receivers = room.members.len() - 1;
    let mut due = tally.received();
    let mut members = room.members.iter().cycle();
    let mut step = async || {
        let (from, number) = (members.next().context("nobody")?, watch.number());
        tally.send(number, u32::try_from(receivers)?)?;
        from.say(&room.dest, number)?;
        due += receivers as u64;
        tally.until(due).await?;
        Ok(1)
    };
    one_by_one(crowd, watch, &mut step).await
}

/// Clients in turn join a room and leave it, so that with each of them it has one member more than
/// `room`: the next step when all members have heard of the last.
pub(super) async fn visits(crowd: &mut Crowd, room: &Room, watch: &Watch) -> Result<Load> {
    let tally = Arc::clone(&crowd.tally);
    let visitors = crowd.clients[room.members.len()..].to_vec();
    let mut visitors = visitors.iter().cycle();
    let mut due = tally.received();
    let news = room.members.len() as u64 + 1;
    let mut step = async || {
        let visitor = visitors.next().context("nobody is left to visit")?;
        for joins in [true, false] {
            let began = Instant::now();
            if joins {
                visitor.join(room.id()).await?;
            } else {
                visitor.leave(room.id()).await?;
            }
            due += news;
            tally.until(due).await?;
            tally.took(began);
        }
        Ok(2)
    };
    one_by_one(crowd, watch, &mut step).await
}

/// Repeats a step, which returns how many events it had, for a warm-up and a window.
async fn one_by_one(
    crowd: &mut Crowd,
    watch: &Watch,
    step: &mut impl AsyncFnMut() -> Result<u64>,
) -> Result<Load> {
    let tally = Arc::clone(&crowd.tally);
    let started = Instant::now();
    while started.elapsed() < watch.warm_up {
        step().await?;
    }
    tally.keep_latencies(true);
    let begin = Snapshot::take(watch, 0, tally.received())?;
    let mut events = 0;
    while started.elapsed() < watch.warm_up + watch.window {
        events += step().await?;
    }
    let load = begin.until(watch, events, tally.received())?;
    tally.keep_latencies(false);
    crowd.check()?;
    load.with_latencies(&tally.latencies())
}
