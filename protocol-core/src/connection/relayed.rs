//! Calls of the other end that were passed on to another peer, and its answers to them.
//!
//! Knows which answers are due, not where peers are or how frames look.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{Hash, Hasher};
use std::time::Instant;

use super::hashed::{ByHash, keyed};
use super::incoming::{Incoming, Mode, ShortText};
use crate::ids::ConnectionId;
use crate::wire::Body;

/// What tells a call from others between the same two peers: its id, and whether it is a confirmed
/// pass or a request, whose ids are chosen apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallKey {
    /// Of the id, hashed once for all tables that the call stands in.
    hash: u64,
    pub(super) mode: Mode,
    pub(super) id: ShortText,
}

impl Hash for CallKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl CallKey {
    /// The call that `incoming` is, or answers.
    pub(crate) fn of(incoming: &Incoming<'_>) -> Self {
        let mode = match (incoming.mode, &incoming.frame.body) {
            (Mode::Reply, Body::Acknowledgement { .. }) => Mode::ConfirmPass,
            (Mode::Reply, _) => Mode::Request,
            (mode, _) => mode,
        };
        Self {
            hash: keyed(incoming.id.as_bytes()),
            mode,
            id: ShortText::new(incoming.id),
        }
    }
}

/// A call in transit: an event of this link's other end that was handed to the link of another
/// peer, and whose answer comes back from there.
#[derive(Debug, Clone)]
pub struct RelayedCall {
    pub(super) via: ConnectionId,
    pub(super) key: CallKey,
    pub(super) name: ShortText,
    /// Whether the hub expects the answer only since now; none where no hub knows the call.
    pub(super) is_new_to_hub: Option<bool>,
}

impl RelayedCall {
    /// The call that `incoming` is, handed to the connection `via`.
    pub fn new(incoming: &Incoming<'_>, via: ConnectionId) -> Self {
        Self::with_key(CallKey::of(incoming), incoming, via)
    }

    /// The same where the call's key is known.
    pub(crate) fn with_key(key: CallKey, incoming: &Incoming<'_>, via: ConnectionId) -> Self {
        Self {
            via,
            key,
            name: ShortText::new(incoming.name),
            is_new_to_hub: None,
        }
    }

    /// The same call, which the hub does or does not expect an answer to since now.
    pub(crate) fn new_to_hub(self, is_new: bool) -> Self {
        Self {
            is_new_to_hub: Some(is_new),
            ..self
        }
    }
}

/// An answer in transit, as it came from the connection `via`.
#[derive(Debug, Clone)]
pub struct RelayedAnswer {
    pub(super) via: ConnectionId,
    pub(super) key: CallKey,
    /// The whole frame, as it is to be sent on; none where there was no room for it.
    pub(super) frame: Option<Vec<u8>>,
}

impl RelayedAnswer {
    /// The answer that `incoming` is, from the connection `via`, to be sent on as `frame`; without
    /// one the call ends as `internal`.
    pub fn new(incoming: &Incoming<'_>, via: ConnectionId, frame: Option<Vec<u8>>) -> Self {
        Self::with_key(CallKey::of(incoming), via, frame)
    }

    /// The same where the call's key is known.
    pub(crate) fn with_key(key: CallKey, via: ConnectionId, frame: Option<Vec<u8>>) -> Self {
        Self { via, key, frame }
    }

    /// The same answer without its frame: that it came, and that there is no room for it.
    pub(crate) fn without_frame(self) -> Self {
        Self {
            frame: None,
            ..self
        }
    }

    /// The buffer of its frame, for another one.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.frame.unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.frame.as_ref().map_or(0, Vec::len)
    }
}

/// The calls whose answers are due. Most links have none.
#[derive(Default)]
pub(super) struct Relayed(Option<Box<Calls>>);

#[derive(Default)]
struct Calls {
    open: HashMap<(ConnectionId, CallKey), Open, ByHash>,
    opened: u64,
    /// No call expires before this time.
    earliest: Option<Instant>,
    /// All calls expire at this time, since the other end sends no more.
    given_up_at: Option<Instant>,
}

struct Open {
    name: ShortText,
    at_hub: bool,
    deadline: Instant,
    /// In which order calls were opened, since the map has none.
    number: u64,
}

/// A call that ended without an answer of its peer.
pub(super) struct Unanswered {
    pub(super) via: ConnectionId,
    pub(super) key: CallKey,
    pub(super) name: ShortText,
    /// Whether a hub has to be told.
    pub(super) at_hub: bool,
    number: u64,
}

impl Relayed {
    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |calls| calls.open.len())
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let calls = self.0.as_ref()?;
        let deadlines = [calls.earliest, calls.given_up_at];
        deadlines.into_iter().flatten().min()
    }

    /// Has all calls expire at `until`, unless an earlier time was said before.
    pub(super) fn give_up_at(&mut self, until: Instant) {
        if let Some(calls) = &mut self.0 {
            calls.given_up_at.get_or_insert(until);
        }
    }

    /// Expects an answer until `deadline`; `false` where the same call is open already.
    pub(super) fn open(&mut self, call: RelayedCall, deadline: Instant) -> bool {
        let calls = self.0.get_or_insert_default();
        let Entry::Vacant(entry) = calls.open.entry((call.via, call.key)) else {
            return false;
        };
        calls.opened += 1;
        entry.insert(Open {
            name: call.name,
            at_hub: call.is_new_to_hub.is_some(),
            deadline,
            number: calls.opened,
        });
        let earliest = calls.earliest;
        calls.earliest = Some(earliest.map_or(deadline, |earliest| earliest.min(deadline)));
        true
    }

    /// Ends the call that `answer` answers, and returns its name; none where none is open, so for a
    /// late, repeated or forged one, and for one of the other kind.
    pub(super) fn answered(&mut self, answer: &RelayedAnswer) -> Option<ShortText> {
        let calls = self.0.as_mut()?;
        let open = calls.open.remove(&(answer.via, answer.key))?;
        if calls.open.is_empty() {
            calls.earliest = None;
        }
        Some(open.name)
    }

    /// Ends the calls to a connection that is gone, in the order in which they came.
    pub(super) fn gone(&mut self, via: ConnectionId) -> Vec<Unanswered> {
        self.end(|to, _| to == via)
    }

    /// Ends the calls whose time is over.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Unanswered> {
        let Some(calls) = &mut self.0 else {
            return Vec::new();
        };
        if calls.given_up_at.is_some_and(|until| until <= now) {
            calls.given_up_at = None;
            return self.end_all();
        }
        if calls.earliest.is_none_or(|earliest| earliest > now) {
            return Vec::new();
        }
        let expired = calls.end(|_, open| open.deadline <= now);
        calls.earliest = calls.open.values().map(|open| open.deadline).min();
        expired
    }

    /// Ends all calls.
    pub(super) fn end_all(&mut self) -> Vec<Unanswered> {
        if let Some(calls) = &mut self.0 {
            calls.earliest = None;
        }
        self.end(|_, _| true)
    }

    /// Gives back what many calls took, once none is open.
    pub(super) fn release_idle(&mut self) {
        if self.len() == 0 {
            self.0 = None;
        }
    }

    fn end(&mut self, ends: impl Fn(ConnectionId, &Open) -> bool) -> Vec<Unanswered> {
        self.0
            .as_mut()
            .map(|calls| calls.end(ends))
            .unwrap_or_default()
    }
}

impl Calls {
    fn end(&mut self, ends: impl Fn(ConnectionId, &Open) -> bool) -> Vec<Unanswered> {
        let ended = self.open.extract_if(|(via, _), open| ends(*via, open));
        let mut ended: Vec<_> = ended
            .map(|((via, key), open)| Unanswered {
                via,
                key,
                name: open.name,
                at_hub: open.at_hub,
                number: open.number,
            })
            .collect();
        ended.sort_unstable_by_key(|call| call.number);
        ended
    }
}
