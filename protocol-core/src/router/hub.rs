//! The connections of one server: by id, by the peer they speak for, and who has asked whom.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::ids::{ConnectionId, PeerId};
use crate::router::Link;

/// From so many peers on that a link has asked, those that owe it nothing are forgotten now and then.
const MANY_ASKED: usize = 64;

/// Is told of each link that is gone.
type Farewell = Box<dyn Fn(Arc<Link>) + Send + Sync>;

#[derive(Default)]
pub(crate) struct Hub {
    links: RwLock<Links>,
    next: AtomicU64,
    farewell: OnceLock<Farewell>,
}

#[derive(Default)]
struct Links {
    by_id: HashMap<ConnectionId, Entry>,
    by_peer: HashMap<PeerId, ConnectionId>,
}

struct Entry {
    link: Arc<Link>,
    /// Who has relayed calls to this link, and may be waiting for its answers.
    askers: HashSet<ConnectionId>,
    /// The other side of that relation.
    asked: HashSet<ConnectionId>,
}

impl Links {
    fn of_peer(&self, peer: &str) -> Option<&Entry> {
        self.by_id.get(self.by_peer.get(peer)?)
    }
}

impl Hub {
    fn read(&self) -> RwLockReadGuard<'_, Links> {
        self.links.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Links> {
        self.links.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has `farewell` told of each link that is gone; the first one stays.
    pub(crate) fn on_leave(&self, farewell: impl Fn(Arc<Link>) + Send + Sync + 'static) {
        let _ = self.farewell.set(Box::new(farewell));
    }

    pub(crate) fn next_id(&self) -> ConnectionId {
        ConnectionId(self.next.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn add(&self, link: &Arc<Link>) {
        let entry = Entry {
            link: Arc::clone(link),
            askers: HashSet::new(),
            asked: HashSet::new(),
        };
        self.write().by_id.insert(link.id, entry);
    }

    /// Frees the name of a link that has ended, and tells those who wait for its answers. Does
    /// nothing where it was done before.
    pub(crate) fn remove(&self, link: &Link) {
        let mut links = self.write();
        let Some(entry) = links.by_id.remove(&link.id) else {
            return;
        };
        if let Some(peer) = link.peer.get() {
            links.by_peer.remove(peer);
        }
        for asked in &entry.asked {
            if let Some(asked) = links.by_id.get_mut(asked) {
                asked.askers.remove(&link.id);
            }
        }
        let mut waiting = Vec::with_capacity(entry.askers.len());
        for asker in &entry.askers {
            if let Some(asker) = links.by_id.get_mut(asker) {
                asker.asked.remove(&link.id);
                waiting.push(Arc::clone(&asker.link));
            }
        }
        drop(links);
        for asker in waiting {
            asker.outbox.peer_gone(link.id);
        }
        if let Some(farewell) = self.farewell.get()
            && catch_unwind(AssertUnwindSafe(|| farewell(entry.link))).is_err()
        {
            tracing::error!(connection = %link.id, "the gate panicked at a farewell");
        }
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

    /// The link of `peer`, which `asker` is about to ask.
    pub(crate) fn ask(&self, asker: ConnectionId, peer: &str) -> Option<Arc<Link>> {
        {
            let links = self.read();
            let entry = links.of_peer(peer)?;
            if entry.askers.contains(&asker) {
                return Some(Arc::clone(&entry.link));
            }
        }
        let mut links = self.write();
        let id = *links.by_peer.get(peer)?;
        if !links.by_id.contains_key(&asker) {
            return None;
        }
        let entry = links.by_id.get_mut(&id)?;
        entry.askers.insert(asker);
        let link = Arc::clone(&entry.link);
        if let Some(entry) = links.by_id.get_mut(&asker) {
            entry.asked.insert(id);
            let count = entry.asked.len();
            if count >= MANY_ASKED && count.is_power_of_two() {
                entry.link.asked_many.store(true, Ordering::Relaxed);
            }
        }
        Some(link)
    }

    /// Forgets whom `asker` has asked, but for those that still owe it an answer. So what is
    /// remembered is bounded by its open calls.
    pub(crate) fn keep_asked(&self, asker: ConnectionId, owing: &HashSet<ConnectionId>) {
        let mut links = self.write();
        let Some(entry) = links.by_id.get_mut(&asker) else {
            return;
        };
        let settled: Vec<_> = entry.asked.extract_if(|id| !owing.contains(id)).collect();
        for id in settled {
            if let Some(entry) = links.by_id.get_mut(&id) {
                entry.askers.remove(&asker);
            }
        }
    }

    /// The link of `peer`, if it has ever asked the connection `answerer`.
    pub(crate) fn asker(&self, answerer: ConnectionId, peer: &str) -> Option<Arc<Link>> {
        let links = self.read();
        let asker = links.of_peer(peer)?;
        let has_asked = asker.asked.contains(&answerer);
        has_asked.then(|| Arc::clone(&asker.link))
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
