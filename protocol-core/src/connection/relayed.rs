//! Calls of the other end that were passed on to another peer, and its answers to them.
//!
//! Knows which answers are due, not where peers are or how frames look.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::time::Instant;

use super::incoming::{Incoming, Mode, Short};
use crate::ids::ConnectionId;
use crate::wire::Body;

/// What an idle link may keep for its next calls.
const IDLE_CAPACITY: usize = 8;

/// A call in transit: an event of this link's other end that was handed to the link of another
/// peer, and whose answer comes back from there.
#[derive(Debug, Clone)]
pub struct RelayedCall {
    pub(super) via: ConnectionId,
    pub(super) mode: Mode,
    pub(super) id: Short,
    pub(super) name: Short,
}

impl RelayedCall {
    /// The call that `incoming` is, handed to the connection `via`.
    pub fn new(incoming: &Incoming<'_>, via: ConnectionId) -> Self {
        Self {
            via,
            mode: incoming.mode,
            id: Short::new(incoming.id),
            name: Short::new(incoming.name),
        }
    }
}

/// An answer in transit, as it came from the connection `via`.
#[derive(Debug, Clone)]
pub struct RelayedAnswer {
    pub(super) via: ConnectionId,
    /// What it answers: an acknowledgement a confirmed pass, a response a request.
    pub(super) mode: Mode,
    pub(super) id: Short,
    /// The whole frame, as it is to be sent on.
    pub(super) frame: Vec<u8>,
}

impl RelayedAnswer {
    /// The answer that `incoming` is, from the connection `via`, to be sent on as `frame`.
    pub fn new(incoming: &Incoming<'_>, via: ConnectionId, frame: Vec<u8>) -> Self {
        let mode = match incoming.frame.body {
            Body::Acknowledgement { .. } => Mode::ConfirmPass,
            _ => Mode::Request,
        };
        Self {
            via,
            mode,
            id: Short::new(incoming.id),
            frame,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.frame.len()
    }
}

/// The calls whose answers are due.
#[derive(Default)]
pub(super) struct Relayed {
    open: HashMap<(ConnectionId, Short), Open>,
    opened: u64,
    /// No call expires before this time.
    earliest: Option<Instant>,
}

struct Open {
    mode: Mode,
    name: Short,
    deadline: Instant,
    /// In which order calls were opened, since the map has none.
    number: u64,
}

/// A call that ended without an answer of its peer.
pub(super) struct Unanswered {
    pub(super) mode: Mode,
    pub(super) id: Short,
    pub(super) name: Short,
    number: u64,
}

impl Relayed {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.earliest
    }

    /// Expects an answer until `deadline`. A call that is sent again while it is open stays one.
    pub(super) fn open(&mut self, call: RelayedCall, deadline: Instant) {
        let RelayedCall {
            via,
            mode,
            id,
            name,
        } = call;
        self.opened += 1;
        self.open.entry((via, id)).or_insert(Open {
            mode,
            name,
            deadline,
            number: self.opened,
        });
        self.earliest = Some(
            self.earliest
                .map_or(deadline, |earliest| earliest.min(deadline)),
        );
    }

    /// Ends the call that `answer` answers; `false` where none is open, so for a late, repeated or
    /// forged one, and for one of the other kind.
    pub(super) fn answered(&mut self, answer: &RelayedAnswer) -> bool {
        let Entry::Occupied(open) = self.open.entry((answer.via, answer.id)) else {
            return false;
        };
        if open.get().mode != answer.mode {
            return false;
        }
        open.remove();
        if self.open.is_empty() {
            self.earliest = None;
        }
        true
    }

    /// Ends the calls to a connection that is gone, in the order in which they came.
    pub(super) fn gone(&mut self, via: ConnectionId) -> Vec<Unanswered> {
        self.end(|to, _| to == via)
    }

    /// Ends the calls whose time is over.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Unanswered> {
        if self.earliest.is_none_or(|earliest| earliest > now) {
            return Vec::new();
        }
        let expired = self.end(|_, open| open.deadline <= now);
        self.earliest = self.open.values().map(|open| open.deadline).min();
        expired
    }

    pub(super) fn owing(&self) -> HashSet<ConnectionId> {
        self.open.keys().map(|(via, _)| *via).collect()
    }

    /// Gives back what many calls took, once none is open.
    pub(super) fn release_idle(&mut self) {
        if self.open.is_empty() && self.open.capacity() > IDLE_CAPACITY {
            self.open = HashMap::new();
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn end(&mut self, ends: impl Fn(ConnectionId, &Open) -> bool) -> Vec<Unanswered> {
        let ended = self.open.extract_if(|(via, _), open| ends(*via, open));
        let mut ended: Vec<_> = ended
            .map(|((_, id), open)| Unanswered {
                mode: open.mode,
                id,
                name: open.name,
                number: open.number,
            })
            .collect();
        ended.sort_unstable_by_key(|call| call.number);
        ended
    }
}
