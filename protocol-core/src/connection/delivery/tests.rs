//! The bounds of streams, on both sides of each.

mod attempts;
mod pins;
mod receiver;
mod recent;
mod requests;
mod sender;

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::{DeliveryLimits, Ended, Origin, Pass, Sender};
use crate::ids::PeerId;
use crate::wire::{ErrorCode, WireError};

const S: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);
/// Longer than anything else takes.
const HOUR: Duration = Duration::from_hours(1);

fn just_before(time: Duration) -> Duration {
    time.saturating_sub(MS)
}

fn peer(name: &str) -> PeerId {
    PeerId::new(name).unwrap()
}

fn origin(from: &str, inc: &str) -> Origin {
    Origin {
        from: Some(peer(from)),
        inc: inc.into(),
    }
}

fn refusal(code: ErrorCode) -> WireError {
    WireError::new(code, "")
}

/// A handler's own.
fn unwanted() -> WireError {
    WireError {
        code: "unwanted".into(),
        message: "no".into(),
        data: None,
    }
}

/// A frame: its pass, its number, its base and the life that it is for.
type Frame = (u64, u64, Option<u64>, Option<String>);

/// A sender whose clock is its tests', with passes to bob that are named 1, 2, 3.
struct Sending {
    now: Instant,
    sender: Sender<u64>,
    ended: Vec<(u64, Ended)>,
    passes: u64,
    bob: PeerId,
}

impl Sending {
    /// Knows nothing of bob.
    fn new(limits: DeliveryLimits) -> Self {
        Self {
            now: Instant::now(),
            sender: Sender::new(limits),
            ended: Vec::new(),
            passes: 0,
            bob: peer("bob"),
        }
    }

    /// Knows that bob is in the life `b1`.
    fn pinned(limits: DeliveryLimits) -> Self {
        let mut sending = Self::new(limits);
        sending.sender.pin(Some(&sending.bob));
        sending.learn(Some("b1"));
        sending
    }

    fn pass(&mut self, bytes: usize, time: Duration) -> Pass<u64> {
        self.passes += 1;
        Pass {
            id: Uuid::from_u128(self.passes.into()),
            start: vec![b'x'; bytes],
            deadline: self.now + time,
            waiter: self.passes,
        }
    }

    fn confirm_of(&mut self, bytes: usize, time: Duration) {
        let pass = self.pass(bytes, time);
        self.sender.confirm(Some(&self.bob), pass).unwrap();
        self.check();
    }

    fn confirm(&mut self, count: usize) {
        (0..count).for_each(|_| self.confirm_of(10, HOUR));
    }

    fn learn(&mut self, inc: Option<&str>) {
        let Self { sender, ended, .. } = self;
        let end = |waiter, how| ended.push((waiter, how));
        sender.learn(Some(&self.bob), inc, end);
        self.check();
    }

    fn transmit_at_most(&mut self, mut room: usize) -> Vec<Frame> {
        let mut frames = Vec::new();
        self.sender.transmit(self.now, |sent| {
            let pass = u64::try_from(sent.id.as_u128()).unwrap();
            frames.push((pass, sent.seq, sent.base, sent.dest_inc.map(str::to_owned)));
            room -= 1;
            room > 0
        });
        self.check();
        frames
    }

    /// The passes that are sent now.
    fn transmit(&mut self) -> Vec<u64> {
        let frames = self.transmit_at_most(usize::MAX);
        frames.into_iter().map(|(pass, ..)| pass).collect()
    }

    fn acknowledged(&mut self, ack: u64, since: Option<u64>, error: Option<WireError>) -> bool {
        let Self { sender, ended, .. } = self;
        let end = |waiter, how| ended.push((waiter, how));
        let settled = sender.acknowledged(self.now, Some(&self.bob), ack, since, error, end);
        self.check();
        settled
    }

    /// The relay's refusal of a pass; whether it was one of those that are open.
    fn refused(&mut self, pass: u64, error: &WireError) -> bool {
        let Self { sender, ended, .. } = self;
        let end = |waiter, how| ended.push((waiter, how));
        let id = Uuid::from_u128(pass.into());
        let found = sender.refused(self.now, None, id, error, end);
        self.check();
        found.is_some()
    }

    fn wake(&mut self) {
        let Self { sender, ended, .. } = self;
        sender.handle_timeout(self.now, |waiter, how| ended.push((waiter, how)));
        self.check();
    }

    /// Lets time pass, and then what is due then happen.
    fn pass_time(&mut self, time: Duration) {
        self.now += time;
        self.wake();
    }

    fn ended(&mut self) -> Vec<(u64, Ended)> {
        std::mem::take(&mut self.ended)
    }

    /// The sums are those of what is kept.
    fn check(&self) {
        let sums = (self.sender.open(), self.sender.bytes());
        assert_eq!(sums, self.sender.counted());
    }
}
