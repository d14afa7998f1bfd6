//! The connections of one server: by id, by the peer they speak for, and who has asked whom.

mod way;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use self::way::Owed;
pub(crate) use self::way::Way;
use crate::connection::{ByHash, CallKey, DeliveryLimits, Memory, due};
use crate::ids::{ConnectionId, PeerId};
use crate::router::Link;

/// From so many peers on that a link has asked, those that owe it nothing are forgotten now and then.
const MANY_ASKED: usize = 64;

/// Lives that are remembered beyond their sessions: more than a server has sessions, and each takes a
/// few hundred bytes.
const MEMORIES: usize = 65_536;

#[derive(Default)]
pub(crate) struct Hub {
    links: RwLock<Links>,
    memories: Mutex<Memories>,
}

/// What is remembered of events that were processed, by the life of the peer that sent them: its
/// session may end before it gives them up.
#[derive(Default)]
struct Memories(BTreeMap<Life, (Instant, Memory)>);

/// A peer, and which of its lives, if it has declared one.
type Life = (PeerId, Option<Box<str>>);

impl Memories {
    fn keep(&mut self, now: Instant, limits: &DeliveryLimits, key: Life, memory: Memory) {
        if self.0.len().is_power_of_two() || self.0.len() >= MEMORIES {
            self.0
                .retain(|_, (since, _)| due(*since, limits.stream_idle) > now);
        }
        if self.0.len() >= MEMORIES
            && let Some(oldest) = self.0.iter().min_by_key(|(_, (since, _))| *since)
        {
            let oldest = oldest.0.clone();
            self.0.remove(&oldest);
        }
        self.0.insert(key, (now, memory));
    }
}

#[derive(Default)]
struct Links {
    by_id: HashMap<ConnectionId, Entry, ByHash>,
    by_peer: HashMap<PeerId, ConnectionId>,
}

struct Entry {
    link: Arc<Link>,
    /// None before the first relayed call, as with most links.
    calls: Option<Box<Calls>>,
}

/// Who has to do with a link by relayed calls.
#[derive(Default)]
struct Calls {
    /// Whom this link has asked, and which answers each of them owes.
    asked: HashMap<ConnectionId, Arc<Owed>, ByHash>,
    /// The other side of that relation.
    askers: HashSet<ConnectionId, ByHash>,
}

impl Links {
    fn of_peer(&self, peer: &str) -> Option<&Entry> {
        self.by_id.get(self.by_peer.get(peer)?)
    }

    /// What `debtor` owes `asker`, where they have to do with each other.
    fn owed(&self, asker: ConnectionId, debtor: ConnectionId) -> Option<&Arc<Owed>> {
        self.by_id.get(&asker)?.calls.as_ref()?.asked.get(&debtor)
    }

    fn calls(&mut self, id: ConnectionId) -> Option<&mut Calls> {
        self.by_id.get_mut(&id)?.calls.as_deref_mut()
    }

    /// Forgets whom `asker` has asked and who owes nothing, once these may be many. So what is
    /// remembered is bounded by open calls.
    fn forget_settled(&mut self, asker: ConnectionId) {
        let Some(calls) = self.calls(asker) else {
            return;
        };
        let count = calls.asked.len();
        if count < MANY_ASKED || !count.is_power_of_two() {
            return;
        }
        let settled = calls.asked.extract_if(|_, owed| owed.finish_settled());
        let settled: Vec<_> = settled.collect();
        for (id, _) in settled {
            if let Some(calls) = self.calls(id) {
                calls.askers.remove(&asker);
            }
        }
    }
}

impl Hub {
    fn read(&self) -> RwLockReadGuard<'_, Links> {
        self.links.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Links> {
        self.links.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// An id that no other link of this process has, so that several servers can share state that is
    /// kept by connection.
    pub(crate) fn next_id() -> ConnectionId {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        ConnectionId(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn add(&self, link: &Arc<Link>) {
        let entry = Entry {
            link: Arc::clone(link),
            calls: None,
        };
        let mut links = self.write();
        links.by_id.insert(link.id, entry);
        link.set_listed(true);
    }

    /// Frees the name of a link that has ended, and tells those who wait for its answers. Does
    /// nothing where it was done before.
    pub(crate) fn remove(&self, link: &Link) {
        let mut links = self.write();
        let Some(entry) = links.by_id.remove(&link.id) else {
            return;
        };
        link.set_listed(false);
        if let Some(peer) = link.peer.get() {
            links.by_peer.remove(peer);
        }
        let calls = entry.calls.unwrap_or_default();
        for (asked, owed) in &calls.asked {
            owed.finish();
            if let Some(asked) = links.calls(*asked) {
                asked.askers.remove(&link.id);
            }
        }
        let mut waiting = Vec::with_capacity(calls.askers.len());
        for asker in &calls.askers {
            if let Some(asker) = links.by_id.get_mut(asker) {
                let calls = asker.calls.as_mut();
                if let Some(owed) = calls.and_then(|calls| calls.asked.remove(&link.id)) {
                    owed.finish();
                }
                waiting.push(Arc::clone(&asker.link));
            }
        }
        drop(links);
        waiting.sort_unstable_by_key(|asker| asker.id);
        for asker in waiting {
            asker.outbox.peer_gone(link.id);
        }
        link.say_farewell();
    }

    /// Gives a link its peer's name; `false` where another link has it, or this one has another.
    pub(crate) fn identify(&self, link: &Link, peer: PeerId) -> bool {
        let mut links = self.write();
        if !links.by_id.contains_key(&link.id) {
            return false;
        }
        if let Some(owner) = links.by_peer.get(&peer) {
            return *owner == link.id;
        }
        let named = link.peer.set(peer.clone()).is_ok();
        if named {
            links.by_peer.insert(peer, link.id);
        }
        named
    }

    pub(crate) fn of_peer(&self, peer: &str) -> Option<Arc<Link>> {
        let links = self.read();
        links.of_peer(peer).map(|entry| Arc::clone(&entry.link))
    }

    /// The link of `peer`, as a sender that is still here itself reaches it.
    pub(crate) fn reach<'a>(
        &self,
        sender: &Link,
        way: &'a mut Way,
        peer: &str,
    ) -> Option<&'a Arc<Link>> {
        if !sender.is_listed() {
            return None;
        }
        if way.to(peer).is_none() {
            way.lead(self.of_peer(peer)?);
        }
        way.to(peer)
    }

    /// The link of `peer`, which from now on owes `asker` the answer to `call`; and whether it did
    /// not owe it before.
    pub(crate) fn ask<'a>(
        &self,
        asker: &Link,
        way: &'a mut Way,
        peer: &str,
        call: CallKey,
    ) -> Option<(&'a Arc<Link>, bool)> {
        let is_new = match way.begin(peer, call) {
            Some(is_new) => is_new,
            None => self.ask_anew(asker.id, way, peer, call)?,
        };
        Some((way.link()?, is_new))
    }

    fn ask_anew(
        &self,
        asker: ConnectionId,
        way: &mut Way,
        peer: &str,
        call: CallKey,
    ) -> Option<bool> {
        {
            let links = self.read();
            let entry = links.of_peer(peer)?;
            if let Some(owed) = links.owed(asker, entry.link.id) {
                let is_new = owed.begin(call);
                way.lead(Arc::clone(&entry.link)).asked = Some(Arc::clone(owed));
                return is_new;
            }
        }
        let mut links = self.write();
        let id = *links.by_peer.get(peer)?;
        let entry = links.by_id.get_mut(&asker)?;
        let calls = entry.calls.get_or_insert_default();
        let owed = Arc::clone(calls.asked.entry(id).or_default());
        let is_new = owed.begin(call);
        let entry = links.by_id.get_mut(&id)?;
        entry.calls.get_or_insert_default().askers.insert(asker);
        way.lead(Arc::clone(&entry.link)).asked = Some(owed);
        links.forget_settled(asker);
        is_new
    }

    /// The link of `peer`, if `debtor` owes it the answer to `call`; from now on no more. So nobody
    /// gets answers into a queue that its owner has not asked for.
    pub(crate) fn answer<'a>(
        &self,
        debtor: &Link,
        way: &'a mut Way,
        peer: &str,
        call: CallKey,
    ) -> Option<&'a Arc<Link>> {
        let was_owed = if let Some(was_owed) = way.end(peer, &call) {
            was_owed
        } else {
            let links = self.read();
            let asker = links.of_peer(peer)?;
            let owed = asker.calls.as_ref()?.asked.get(&debtor.id)?;
            way.lead(Arc::clone(&asker.link)).owed = Some(Arc::clone(owed));
            owed.end(&call)?
        };
        way.link().filter(|_| was_owed)
    }

    /// Frees what bursts of calls of a link took that is idle.
    pub(crate) fn release_idle(&self, asker: ConnectionId) {
        let links = self.read();
        let entry = links.by_id.get(&asker);
        if let Some(calls) = entry.and_then(|entry| entry.calls.as_ref()) {
            calls.asked.values().for_each(|owed| owed.release_idle());
        }
    }

    /// Takes note that a call has ended without an answer.
    pub(crate) fn settle(&self, asker: ConnectionId, debtor: ConnectionId, call: CallKey) {
        if let Some(owed) = self.read().owed(asker, debtor) {
            owed.end(&call);
        }
    }

    /// Keeps what a session that is over has processed, for a later one of the same life.
    pub(crate) fn keep_memory(
        &self,
        now: Instant,
        limits: &DeliveryLimits,
        (peer, inc): (PeerId, Option<&str>),
        memory: Memory,
    ) {
        let mut memories = self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        memories.keep(now, limits, (peer, inc.map(Into::into)), memory);
    }

    /// Takes what is remembered of a life of a peer.
    pub(crate) fn take_memory(
        &self,
        now: Instant,
        limits: &DeliveryLimits,
        (peer, inc): (PeerId, Option<&str>),
    ) -> Option<Memory> {
        let mut memories = self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, memory) = memories.0.remove(&(peer, inc.map(Into::into)))?;
        (due(since, limits.stream_idle) > now).then_some(memory)
    }

    pub(crate) fn of_connection(&self, id: ConnectionId) -> Option<Arc<Link>> {
        let links = self.read();
        links.by_id.get(&id).map(|entry| Arc::clone(&entry.link))
    }

    /// All links, in the order in which they were accepted.
    pub(crate) fn all(&self) -> Vec<Arc<Link>> {
        let entries = self.read();
        let mut links: Vec<_> = entries
            .by_id
            .values()
            .map(|entry| Arc::clone(&entry.link))
            .collect();
        drop(entries);
        links.sort_by_key(|link| link.id);
        links
    }
}

#[cfg(test)]
mod tests;
