//! Calls that await their answer: found by the slot in their id, ended by answer, deadline, drop
//! or the end of the link.

use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;

use super::ids::{self, IdSource};
use crate::error::CloseReason;
use crate::ids::PeerId;
use crate::wire::{ErrorCode, RawData};

const ID_BYTES: usize = uuid::fmt::Hyphenated::LENGTH;

/// How a call ended, told to its waiter exactly once.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// The response's data; null for a pass that was processed, or queued where no more is asked.
    Done(RawData<'a>),
    /// The other end refused, with this error object.
    Refused(RawData<'a>),
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

struct Open {
    id: Uuid,
    expects: Expects,
    /// Only this peer's answer counts; `None` is the other end itself.
    from: Option<PeerId>,
    deadline: Instant,
    waiter: Arc<dyn Waiter>,
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

    pub(super) fn open(
        &mut self,
        ids: &mut IdSource,
        now: Instant,
        deadline: Instant,
        expects: Expects,
        from: Option<PeerId>,
        waiter: Arc<dyn Waiter>,
    ) -> Uuid {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        debug_assert!(
            slot <= ids::MAX_SLOT,
            "`Limits::open_calls` keeps slots small"
        );
        let id = ids.next(now, slot);
        self.slots[slot] = Some(Open {
            id,
            expects,
            from,
            deadline,
            waiter,
        });
        self.earliest = Some(
            self.earliest
                .map_or(deadline, |earliest| earliest.min(deadline)),
        );
        id
    }

    /// The waiter that an answer belongs to; `None` where nobody waits for it, so for a late,
    /// repeated or forged one. A refusal also counts from the server, which stamps `from` on
    /// everything but its own word: it says so where it cannot reach the peer.
    pub(super) fn take(
        &mut self,
        id: &str,
        expects: Expects,
        from: Option<&str>,
        refusal: bool,
    ) -> Option<Arc<dyn Waiter>> {
        // Other spellings of a UUID are no echo of ours.
        let id = Uuid::try_parse(id).ok().filter(|_| id.len() == ID_BYTES)?;
        let slot = ids::slot_of(id);
        let entry = self.slots.get_mut(slot)?;
        let open = entry.as_ref()?;
        let from_asked = open.from.as_deref() == from || (refusal && from.is_none());
        if open.id != id || open.expects != expects || !from_asked {
            return None;
        }
        let open = entry.take()?;
        self.release(slot);
        Some(open.waiter)
    }

    /// Ends the calls whose deadline is `now` or earlier.
    pub(super) fn expire(&mut self, now: Instant) -> usize {
        if self.earliest.is_none_or(|earliest| earliest > now) {
            return 0;
        }
        let mut expired = 0;
        let mut earliest = None;
        for slot in 0..self.slots.len() {
            match &self.slots[slot] {
                Some(open) if open.deadline <= now => {
                    open.waiter.complete(Outcome::TimedOut);
                    self.slots[slot] = None;
                    self.free.push(slot);
                    expired += 1;
                }
                Some(open) => {
                    earliest =
                        Some(earliest.map_or(open.deadline, |e: Instant| e.min(open.deadline)));
                }
                None => {}
            }
        }
        self.earliest = earliest;
        expired
    }

    /// Frees the places of calls that nobody awaits any more.
    pub(super) fn sweep(&mut self) {
        for slot in 0..self.slots.len() {
            if self.slots[slot]
                .as_ref()
                .is_some_and(|open| open.waiter.is_abandoned())
            {
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
