//! What waits in the queue, and for how long.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::connection::limits::due;
use crate::connection::pending::{Expects, Waiter};
use crate::error::CloseReason;
use crate::ids::PeerId;

/// What a handle asks the driver to send.
pub(crate) enum Outgoing {
    /// A whole frame of this one receiver.
    Frame(Vec<u8>),
    /// A whole frame of many receivers, encoded once.
    Shared(Bytes),
    /// A call: a frame up to its data, which the connection ends with an id.
    Call(OutgoingCall),
}

/// A request or a confirmed pass that is to be sent.
pub struct OutgoingCall {
    /// Its frame from the first byte to the end of `data`; the connection adds the id and the rest.
    pub start: Vec<u8>,
    /// What comes back.
    pub expects: Expects,
    /// The peer whose answer counts; none for the other end itself.
    pub from: Option<PeerId>,
    /// How long the answer is awaited.
    pub timeout: Duration,
    /// Set where the call had to wait for its place, so that its deadline counts from the call.
    pub deadline: Option<Instant>,
    /// Who is told how it ended.
    pub waiter: Arc<dyn Waiter>,
}

impl std::fmt::Debug for OutgoingCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutgoingCall")
            .field("expects", &self.expects)
            .field("from", &self.from)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Outgoing {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Frame(frame) => frame.len(),
            Self::Shared(frame) => frame.len(),
            Self::Call(call) => call.start.len(),
        }
    }
}

/// A command that found the queue full. It lives as long as the future that brought it, so what is
/// parked is bounded by what callers hold.
pub(super) struct Parked {
    pub(super) outgoing: Outgoing,
    pub(super) waiter: Arc<dyn Waiter>,
    pub(super) timeout: Duration,
    pub(super) deadline: Option<Instant>,
}

/// How the owner of a handle wants the link to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Closing {
    /// Send what is queued, then close.
    Flush,
    /// Handle and answer what has arrived, send what is queued, then close.
    Drain,
    /// Close at once.
    Abort,
}

#[derive(Default)]
pub(super) struct Queue {
    pub(super) ready: VecDeque<Outgoing>,
    pub(super) ready_bytes: usize,
    /// What the driver took but has not sent yet; it counts against the limits.
    pub(super) taken: usize,
    pub(super) taken_bytes: usize,
    pub(super) parked: VecDeque<Parked>,
    pub(super) abandoned: bool,
    pub(super) closing: Option<Closing>,
    pub(super) closed: Option<CloseReason>,
    /// The other end will send no more; what is due to it is still written.
    pub(super) leaving: Option<CloseReason>,
    pub(super) driver: Option<Waker>,
    pub(super) driver_waits: bool,
    pub(super) watchers: BTreeMap<u64, Waker>,
    pub(super) next_watcher: u64,
}

impl Queue {
    pub(super) fn left(&self) -> Option<&CloseReason> {
        self.closed.as_ref().or(self.leaving.as_ref())
    }

    /// Whether the owner wants nothing more sent. In a drain handlers still work and send.
    pub(super) fn refuses(&self) -> bool {
        matches!(self.closing, Some(Closing::Flush | Closing::Abort))
    }

    pub(super) fn expire_parked(&mut self, expiry: &mut Expiry) {
        self.parked.retain_mut(|parked| {
            let deadline = *parked
                .deadline
                .get_or_insert(due(expiry.now, parked.timeout));
            expiry.keeps(deadline, &parked.waiter)
        });
    }
}

/// Takes out what waited too long to be sent. A command has its deadline from the first visit that
/// finds it waiting, so that no handle needs a clock.
pub(super) struct Expiry {
    pub(super) now: Instant,
    pub(super) late: Vec<Arc<dyn Waiter>>,
    /// The first deadline of what is kept.
    pub(super) earliest: Option<Instant>,
}

impl Expiry {
    pub(super) fn keeps(&mut self, deadline: Instant, waiter: &Arc<dyn Waiter>) -> bool {
        if deadline <= self.now {
            self.late.push(Arc::clone(waiter));
            return false;
        }
        let earliest = self.earliest.unwrap_or(deadline);
        self.earliest = Some(earliest.min(deadline));
        true
    }

    /// Takes calls out of a queue of `bytes`; passes in it count as sent.
    pub(super) fn expire(&mut self, commands: &mut VecDeque<Outgoing>, bytes: &mut usize) {
        commands.retain_mut(|outgoing| {
            let Outgoing::Call(call) = outgoing else {
                return true;
            };
            let deadline = *call.deadline.get_or_insert(due(self.now, call.timeout));
            let keeps = self.keeps(deadline, &call.waiter);
            if !keeps {
                *bytes -= call.start.len();
            }
            keeps
        });
    }
}

/// What the driver took from the queue and has not sent yet.
#[derive(Default)]
pub(crate) struct Backlog {
    pub(super) commands: VecDeque<Outgoing>,
    pub(super) bytes: usize,
}

impl Backlog {
    pub(crate) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    pub(crate) fn front_is_call(&self) -> bool {
        matches!(self.commands.front(), Some(Outgoing::Call(_)))
    }

    pub(crate) fn pop(&mut self) -> Option<Outgoing> {
        let outgoing = self.commands.pop_front()?;
        self.bytes -= outgoing.len();
        Some(outgoing)
    }
}

impl Outgoing {
    pub(super) fn into_waiter(self) -> Option<Arc<dyn Waiter>> {
        match self {
            Self::Call(call) => Some(call.waiter),
            Self::Frame(_) | Self::Shared(_) => None,
        }
    }
}
