//! What a link keeps of the peer that it last had to do with, so that a dialogue searches nothing.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::connection::{ByHash, CallKey};
use crate::router::Link;

/// For how many calls a settled pair may keep places, while its asker is busy and when it is idle.
const BURST_CAPACITY: usize = 128;
const IDLE_CAPACITY: usize = 8;

/// The relayed calls from one link to another that are not answered yet.
#[derive(Default)]
pub(super) struct Owed(Mutex<Calls>);

#[derive(Default)]
struct Calls {
    open: HashSet<CallKey, ByHash>,
    /// The hub has forgotten that the two have to do with each other.
    over: bool,
}

impl Owed {
    /// Begins a call; whether it was not open before. None where that is over.
    pub(super) fn begin(&self, call: CallKey) -> Option<bool> {
        let mut calls = self.lock();
        (!calls.over).then(|| calls.open.insert(call))
    }

    /// Ends a call; whether it was open. None where that is over.
    pub(super) fn end(&self, call: &CallKey) -> Option<bool> {
        let mut calls = self.lock();
        let was_open = calls.open.remove(call);
        calls.release(BURST_CAPACITY);
        (!calls.over).then_some(was_open)
    }

    /// Has nothing begin any more: the hub forgets it.
    pub(super) fn finish(&self) {
        let mut calls = self.lock();
        calls.over = true;
        calls.open = HashSet::default();
    }

    /// As [`finish`](Self::finish), where no call is open; whether none is.
    pub(super) fn finish_settled(&self) -> bool {
        let mut calls = self.lock();
        calls.over |= calls.open.is_empty();
        calls.over
    }

    pub(super) fn release_idle(&self) {
        self.lock().release(IDLE_CAPACITY);
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Calls {
    /// Frees more places than `kept`, once no call is open.
    fn release(&mut self, kept: usize) {
        if self.open.is_empty() && self.open.capacity() > kept {
            self.open = HashSet::default();
        }
    }
}

/// The way to one peer, as another link's driver keeps it. It says itself when it leads nowhere any more.
#[derive(Default)]
pub(crate) struct Way {
    link: Option<Arc<Link>>,
    /// What the peer owes whoever keeps this, and what that one owes the peer.
    pub(super) asked: Option<Arc<Owed>>,
    pub(super) owed: Option<Arc<Owed>>,
}

impl Way {
    /// Where it leads.
    pub(super) fn link(&self) -> Option<&Arc<Link>> {
        self.link.as_ref()
    }

    /// The link of `peer`, if that is where it leads.
    pub(super) fn to(&self, peer: &str) -> Option<&Arc<Link>> {
        let leads_there = |link: &&Arc<Link>| {
            link.is_listed() && link.peer.get().is_some_and(|name| **name == *peer)
        };
        self.link.as_ref().filter(leads_there)
    }

    /// Begins a call to `peer`; whether it was not open before. None where the hub has to be asked.
    pub(super) fn begin(&self, peer: &str, call: CallKey) -> Option<bool> {
        self.to(peer)?;
        self.asked.as_ref()?.begin(call)
    }

    /// Ends a call of `peer`; whether it was open. None where the hub has to be asked.
    pub(super) fn end(&self, peer: &str, call: &CallKey) -> Option<bool> {
        self.to(peer)?;
        self.owed.as_ref()?.end(call)
    }

    /// Has it lead to `link`; what was known of another is forgotten.
    pub(super) fn lead(&mut self, link: Arc<Link>) -> &mut Self {
        if !self
            .link
            .as_ref()
            .is_some_and(|old| Arc::ptr_eq(old, &link))
        {
            *self = Self {
                link: Some(link),
                ..Self::default()
            };
        }
        self
    }
}
