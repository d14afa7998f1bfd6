//! What waits in the queue, and for how long.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::ready::{Ready, release};
use crate::connection::limits::due;
use crate::connection::pending::{Expects, Waiter};
use crate::connection::relayed::RelayedAnswer;
use crate::error::CloseReason;
use crate::ids::{ConnectionId, PeerId};
use crate::metrics;

/// What a handle asks the driver to send.
pub(crate) enum Outgoing {
    /// A whole frame of this one receiver.
    Frame(Vec<u8>),
    /// A whole frame of many receivers, encoded once.
    Shared(Arc<[u8]>),
    /// The same, which its receiver must not miss, also where its link is lost meanwhile.
    Held(Arc<[u8]>),
    /// A call: a frame up to its data, which the connection ends with an id.
    Call(OutgoingCall),
    /// The answer to an event, behind what its handler sent.
    Answer(Vec<u8>),
    /// A peer's answer to a call that the receiver had relayed to it.
    Relayed(RelayedAnswer),
    /// A peer that the receiver has asked is gone, and answers nothing more.
    PeerGone(ConnectionId),
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
            Self::Frame(frame) | Self::Answer(frame) => frame.len(),
            Self::Shared(frame) | Self::Held(frame) => frame.len(),
            Self::Call(call) => call.start.len(),
            Self::Relayed(answer) => answer.len(),
            Self::PeerGone(_) => 0,
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
    /// Handle and answer what has arrived, send what is queued, then close.
    Drain,
    /// Handle nothing more, answer what is being handled, send what is queued, then close.
    Leave,
    /// Send what is queued, then close.
    Flush,
    /// Break off: another link has the name.
    Replace,
    /// Break off: something that must not be missed found no room, so that the other end would be
    /// wrong about all that follows.
    Overflow,
}

#[derive(Default)]
#[repr(C)]
pub(super) struct Queue {
    pub(super) driver_waits: bool,
    /// Whether the driver is to look after more than frames that are ready.
    pub(super) asks: bool,
    pub(super) abandoned: bool,
    pub(super) closing: Option<Closing>,
    pub(super) ready: Ready,
    /// What the driver took but has not sent yet; it counts against the limits.
    pub(super) taken: usize,
    pub(super) taken_bytes: usize,
    pub(super) driver: Option<Waker>,
    pub(super) closed: Option<Box<CloseReason>>,
    /// How many events, and bytes, waited when the link was lost, where the session goes on.
    pub(super) down: Option<(usize, usize)>,
    /// By ticket, so in order of arrival.
    pub(super) parked: BTreeMap<u64, Parked>,
    pub(super) next_ticket: u64,
    /// The first ticket that has no deadline yet.
    unstamped: u64,
    /// No parked command gives up before this time.
    parked_until: Option<Instant>,
    /// The other end will send no more; what is due to it is still written.
    pub(super) leaving: Option<Box<CloseReason>>,
    pub(super) watchers: BTreeMap<u64, Waker>,
    pub(super) next_watcher: u64,
}

impl Queue {
    pub(super) fn left(&self) -> Option<&CloseReason> {
        self.closed.as_deref().or(self.leaving.as_deref())
    }

    /// Takes note that something of so many bytes is queued that may be missed: while the link is lost it
    /// takes no room from what must not.
    pub(super) fn make_way(&mut self, bytes: usize) {
        if let Some((events, waiting)) = &mut self.down {
            *events += 1;
            *waiting += bytes;
        }
    }

    /// Whether the owner wants nothing more sent. In a drain handlers still work and send.
    pub(super) fn refuses(&self) -> bool {
        self.closing >= Some(Closing::Leave)
    }

    pub(super) fn park(&mut self, parked: Parked) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.parked.insert(ticket, parked);
        ticket
    }

    /// Ends what was parked for too long, and says when the next is due. A command has its deadline
    /// from the first visit that finds it, so that no handle needs a clock.
    pub(super) fn expire_parked(&mut self, now: Instant, late: &mut Late) -> Option<Instant> {
        for parked in self
            .parked
            .range_mut(self.unstamped..)
            .map(|(_, parked)| parked)
        {
            let deadline = due(now, parked.timeout);
            parked.deadline = Some(deadline);
            self.parked_until = Some(earlier(self.parked_until, deadline));
        }
        self.unstamped = self.next_ticket;
        if self.parked_until.is_some_and(|until| until <= now) {
            let mut until = None;
            self.parked.retain(|_, parked| {
                let deadline = parked.deadline.unwrap_or(now);
                if deadline <= now {
                    late.push(Arc::clone(&parked.waiter));
                    return false;
                }
                until = Some(earlier(until, deadline));
                true
            });
            self.parked_until = until;
        }
        if self.parked.is_empty() {
            self.parked_until = None;
        }
        self.parked_until
    }
}

/// Those who waited too long for a place.
pub(super) type Late = Vec<Arc<dyn Waiter>>;

fn earlier(first: Option<Instant>, second: Instant) -> Instant {
    first.map_or(second, |first| first.min(second))
}

/// What the driver took from the queue and has not sent yet, in order. Calls for which no place is
/// free stand aside, so that what needs none goes on.
#[derive(Default)]
#[repr(C)]
pub(crate) struct Backlog {
    commands: VecDeque<Outgoing>,
    bytes: usize,
    /// Bytes of answers that wait behind what their handlers sent.
    answer_bytes: usize,
    calls: VecDeque<OutgoingCall>,
    /// No call gives up before this time.
    until: Option<Instant>,
}

impl Backlog {
    pub(crate) fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.calls.is_empty()
    }

    /// Whether something waits that an answer must not overtake.
    pub(crate) fn has_frames(&self) -> bool {
        !self.commands.is_empty()
    }

    /// Frees what a burst took.
    pub(crate) fn release_idle(&mut self) {
        release(&mut self.commands);
    }

    pub(crate) fn answer_bytes(&self) -> usize {
        self.answer_bytes
    }

    pub(super) fn len(&self) -> usize {
        self.commands.len() + self.calls.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Puts an answer behind what its handler sent.
    pub(crate) fn push_answer(&mut self, frame: Vec<u8>) {
        self.answer_bytes += frame.len();
        self.commands.push_back(Outgoing::Answer(frame));
    }

    /// The next to be sent; calls only where there `is_room` for one more.
    pub(crate) fn pop(&mut self, is_room: bool) -> Option<Outgoing> {
        if is_room && let Some(call) = self.calls.pop_front() {
            self.bytes -= call.start.len();
            return Some(Outgoing::Call(call));
        }
        while let Some(outgoing) = self.commands.pop_front() {
            match outgoing {
                Outgoing::Call(call) if !is_room => {
                    metrics::count(metrics::CALLS_QUEUED);
                    self.calls.push_back(call);
                }
                Outgoing::Answer(frame) => {
                    self.answer_bytes -= frame.len();
                    return Some(Outgoing::Answer(frame));
                }
                outgoing => {
                    self.bytes -= outgoing.len();
                    return Some(outgoing);
                }
            }
        }
        None
    }

    /// Takes in what is `ready`; from now on a call's time runs.
    pub(super) fn take_in(&mut self, ready: &mut Ready, now: Instant) {
        self.bytes += mem::take(&mut ready.bytes);
        let Ready { frames, rest, .. } = ready;
        self.commands.extend(frames.drain(..).map(Outgoing::from));
        for outgoing in rest.iter_mut() {
            if let Outgoing::Call(call) = outgoing {
                let deadline = *call.deadline.get_or_insert(due(now, call.timeout));
                self.until = Some(earlier(self.until, deadline));
            }
        }
        if self.commands.is_empty() {
            mem::swap(&mut self.commands, rest);
        } else {
            self.commands.append(rest);
        }
    }

    /// Takes out the calls that waited too long, and says when the next is due.
    pub(super) fn expire(&mut self, now: Instant, late: &mut Late) -> Option<Instant> {
        if self.until.is_some_and(|until| until <= now) {
            let (mut until, mut freed) = (None, 0);
            let mut keeps = |call: &OutgoingCall| {
                let deadline = call.deadline.unwrap_or(now);
                if deadline <= now {
                    freed += call.start.len();
                    late.push(Arc::clone(&call.waiter));
                    return false;
                }
                until = Some(earlier(until, deadline));
                true
            };
            self.calls.retain(&mut keeps);
            self.commands.retain(|outgoing| match outgoing {
                Outgoing::Call(call) => keeps(call),
                _ => true,
            });
            self.bytes -= freed;
            self.until = until;
        }
        if self.is_empty() {
            self.until = None;
        }
        self.until
    }

    /// Those who wait for what is left.
    pub(super) fn into_waiters(self) -> impl Iterator<Item = Arc<dyn Waiter>> {
        let calls = self.calls.into_iter().map(Outgoing::Call);
        calls.chain(self.commands).filter_map(Outgoing::into_waiter)
    }
}

impl Outgoing {
    pub(super) fn into_waiter(self) -> Option<Arc<dyn Waiter>> {
        match self {
            Self::Call(call) => Some(call.waiter),
            _ => None,
        }
    }
}
