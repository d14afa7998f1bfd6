//! Calls that await their answer: found by the slot in their id, ended by answer, deadline, drop
//! or the end of the link.

use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::delivery::FIRST_PAUSE;
use super::ids::{self, IdSource};
use super::repeat::Repeat;
use crate::error::CloseReason;
use crate::ids::PeerId;
use crate::wire::{ErrorCode, RawData, WireError};

const ID_BYTES: usize = uuid::fmt::Hyphenated::LENGTH;

/// How a call ended, told to its waiter exactly once.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// The response's data; null for a pass that was processed, or queued where no more is asked.
    Done(RawData<'a>),
    /// The other end refused, with this error object.
    Refused(RawData<'a>),
    /// The other end refused, with this error.
    Rejected(&'a WireError),
    /// Nobody will tell whether the event was executed, for this reason.
    Unknown(&'a WireError),
    /// No answer came by the deadline.
    TimedOut,
    /// The link ended after the call was written to it.
    Lost(&'a CloseReason),
    /// The deadline passed while the call still waited to be written.
    NotSentInTime,
    /// The link ended before the call was written.
    NotSent(&'a CloseReason),
}

/// Whether the other end may have read what was written: one that wants encryption reads nothing of a
/// plain link (`PROTOCOL.md` §1).
fn was_read(reason: &CloseReason) -> bool {
    !matches!(
        reason,
        CloseReason::RefusedByPeer(word) if word.standard() == Some(ErrorCode::EncryptionRequired)
    )
}

/// Who waits for a call.
pub trait Waiter: Send + Sync {
    /// Takes the call's end; called at most once.
    fn complete(&self, outcome: Outcome<'_>);
    /// As [`complete`](Self::complete), with a buffer that may keep the answer.
    fn answer(&self, outcome: Outcome<'_>, spare: Vec<u8>) {
        drop(spare);
        self.complete(outcome);
    }
    /// Whether nobody awaits the outcome any more.
    fn is_abandoned(&self) -> bool;
}

/// What a call expects back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expects {
    /// An acknowledgement: the event is a confirmed pass.
    Acknowledgement,
    /// A response: the event is a request.
    Response,
}

/// A call that is to be opened.
pub(super) struct NewCall {
    pub(super) expects: Expects,
    /// Only this peer's answer counts; `None` is the other end itself.
    pub(super) from: Option<PeerId>,
    pub(super) deadline: Instant,
    pub(super) waiter: Arc<dyn Waiter>,
    /// The buffer of its frame, for its answer: who makes it frees it.
    pub(super) spare: Vec<u8>,
    /// What is kept for its repetition.
    pub(super) repeat: Option<Box<Repeat>>,
}

struct Open {
    id: Uuid,
    expects: Expects,
    /// Only this peer's answer counts; `None` is the other end itself.
    from: Option<PeerId>,
    deadline: Instant,
    waiter: Arc<dyn Waiter>,
    spare: Vec<u8>,
    repeat: Option<Box<Repeat>>,
}

/// The calls in flight.
///
/// Deadlines are kept as a lower bound: it moves when an earlier call opens and is made exact when
/// it passes, so that opening and answering cost no ordered structure.
#[derive(Default)]
pub(super) struct Pending {
    slots: Vec<Option<Open>>,
    free: Vec<usize>,
    earliest: Option<Instant>,
}

impl Pending {
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// No call expires before this time.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.earliest
    }

    pub(super) fn open(&mut self, ids: &mut IdSource, now: Instant, call: NewCall) -> Uuid {
        let NewCall {
            expects,
            from,
            deadline,
            waiter,
            spare,
            repeat,
        } = call;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        debug_assert!(
            slot <= ids::MAX_SLOT,
            "`Limits::open_calls` keeps slots small"
        );
        let id = ids.next(now, slot);
        let due = repeat
            .as_ref()
            .map_or(deadline, |repeat| repeat.again_at.min(deadline));
        self.slots[slot] = Some(Open {
            id,
            expects,
            from,
            deadline,
            waiter,
            spare,
            repeat,
        });
        self.earliest = Some(self.earliest.map_or(due, |earliest| earliest.min(due)));
        id
    }

    /// What is kept of a request for its repetition, with the peer that was asked.
    pub(super) fn repeat(
        &mut self,
        id: &str,
        from: Option<&str>,
    ) -> Option<(&mut Repeat, Option<&PeerId>)> {
        let open = self.find(id, Expects::Response, from, true)?;
        let repeat = open.repeat.as_deref_mut()?;
        Some((repeat, open.from.as_ref()))
    }

    /// Has a request that was refused for the time being sent again after a pause, which grows.
    pub(super) fn postpone(&mut self, now: Instant, id: &str, longest: Duration) {
        let Some(repeat) = self.repeat_of(id) else {
            return;
        };
        let pause = FIRST_PAUSE.saturating_mul(1 << repeat.pauses.min(8));
        repeat.pauses += 1;
        repeat.is_paused = true;
        repeat.again_at = super::due(now, pause.min(longest));
        let at = repeat.again_at;
        self.earliest = Some(self.earliest.map_or(at, |earliest| earliest.min(at)));
    }

    /// What is kept of a request for its repetition.
    pub(super) fn repeat_of(&mut self, id: &str) -> Option<&mut Repeat> {
        let id = parse_id(id)?;
        let open = self.slots.get_mut(ids::slot_of(id))?.as_mut()?;
        open.repeat.as_deref_mut().filter(|_| open.id == id)
    }

    /// Visits requests that are due to be sent again, or all of them, in the order of their numbers.
    pub(super) fn repeats(
        &mut self,
        now: Instant,
        all: bool,
        longest: Duration,
        mut visit: impl FnMut(Uuid, &mut Repeat),
    ) {
        if !all && self.earliest.is_none_or(|earliest| earliest > now) {
            return;
        }
        let mut due: Vec<_> = self
            .slots
            .iter_mut()
            .flatten()
            .filter(|open| open.deadline > now)
            .filter_map(|open| Some((open.id, open.repeat.as_deref_mut()?)))
            .filter(|(_, repeat)| all || repeat.again_at <= now)
            .collect();
        due.sort_unstable_by_key(|(_, repeat)| repeat.seq);
        for (id, repeat) in due {
            if !all && !std::mem::take(&mut repeat.is_paused) {
                repeat.after = repeat.after.saturating_mul(2).min(longest);
            }
            repeat.again_at = super::due(now, repeat.after);
            visit(id, repeat);
        }
    }

    /// Ends the calls that `ends` chooses.
    pub(super) fn end_where<'a>(
        &mut self,
        outcome: impl Fn() -> Outcome<'a>,
        ends: impl Fn(Option<&PeerId>, Option<&Repeat>) -> bool,
    ) {
        for slot in 0..self.slots.len() {
            let Some(open) = &self.slots[slot] else {
                continue;
            };
            if ends(open.from.as_ref(), open.repeat.as_deref()) {
                open.waiter.complete(outcome());
                self.slots[slot] = None;
                self.release(slot);
            }
        }
    }

    /// The waiter that an answer belongs to, with a buffer for it; `None` where nobody waits for it, so
    /// for a late, repeated or forged one. A refusal also counts from the server, which stamps `from`
    /// on everything but its own word: it says so where it cannot reach the peer.
    pub(super) fn take(
        &mut self,
        id: &str,
        expects: Expects,
        from: Option<&str>,
        refusal: bool,
    ) -> Option<(Arc<dyn Waiter>, Vec<u8>)> {
        let slot = ids::slot_of(self.find(id, expects, from, refusal)?.id);
        let open = self.slots[slot].take()?;
        self.release(slot);
        Some((open.waiter, open.spare))
    }

    fn find(
        &mut self,
        id: &str,
        expects: Expects,
        from: Option<&str>,
        refusal: bool,
    ) -> Option<&mut Open> {
        let id = parse_id(id)?;
        let open = self.slots.get_mut(ids::slot_of(id))?.as_mut()?;
        let from_asked = open.from.as_deref() == from || (refusal && from.is_none());
        (open.id == id && open.expects == expects && from_asked).then_some(open)
    }

    /// Ends the calls whose deadline is `now` or earlier; `given_up` hears of the requests among them.
    pub(super) fn expire(
        &mut self,
        now: Instant,
        mut given_up: impl FnMut(Uuid, Option<&PeerId>),
    ) -> usize {
        if self.earliest.is_none_or(|earliest| earliest > now) {
            return 0;
        }
        let mut expired = 0;
        let mut earliest = None;
        for slot in 0..self.slots.len() {
            match &self.slots[slot] {
                Some(open) if open.deadline <= now => {
                    open.waiter.complete(Outcome::TimedOut);
                    if open.expects == Expects::Response {
                        given_up(open.id, open.from.as_ref());
                    }
                    self.slots[slot] = None;
                    self.free.push(slot);
                    expired += 1;
                }
                Some(open) => {
                    let again = open.repeat.as_ref().map(|repeat| repeat.again_at);
                    let due = again.map_or(open.deadline, |again| again.min(open.deadline));
                    earliest = Some(earliest.map_or(due, |e: Instant| e.min(due)));
                }
                None => {}
            }
        }
        self.earliest = earliest;
        expired
    }

    /// Frees the places of calls that nobody awaits any more; `given_up` hears of the requests among
    /// them.
    pub(super) fn sweep(&mut self, mut given_up: impl FnMut(Uuid, Option<&PeerId>)) {
        for slot in 0..self.slots.len() {
            if let Some(open) = &self.slots[slot]
                && open.waiter.is_abandoned()
            {
                if open.expects == Expects::Response {
                    given_up(open.id, open.from.as_ref());
                }
                self.slots[slot] = None;
                self.release(slot);
            }
        }
    }

    /// Ends every call with the link.
    pub(super) fn lose(&mut self, reason: &CloseReason) {
        for open in self.slots.drain(..).flatten() {
            open.waiter.complete(if was_read(reason) {
                Outcome::Lost(reason)
            } else {
                Outcome::NotSent(reason)
            });
        }
        self.free.clear();
        self.earliest = None;
    }

    fn release(&mut self, slot: usize) {
        self.free.push(slot);
        if self.is_empty() {
            self.earliest = None;
        }
    }
}

/// One of our ids; other spellings of a UUID are no echo of ours.
pub(super) fn parse_id(id: &str) -> Option<Uuid> {
    Uuid::try_parse(id).ok().filter(|_| id.len() == ID_BYTES)
}
