//! The network between named hosts, and all that goes wrong in it. One seed and the virtual time
//! decide everything: when which bytes arrive, in which pieces, and whether at all.
//!
//! Knows streams of bytes, not what they say.

mod link;
mod pipe;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep};

use crate::random::Random;
pub(crate) use link::{End, Fault};

use link::Link;

/// After this time a host's system finds out that a link is a black hole, whatever its programs do: as
/// long as the keepalive of the library's sockets takes.
pub(crate) const KEEPALIVE: Duration = Duration::from_mins(2);

/// Links that wait for a host to take them.
const BACKLOG: usize = 64;

#[derive(Debug, Clone)]
pub(crate) struct Network {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    random: Random,
    links: Vec<Arc<Link>>,
    listening: BTreeMap<String, Sender<End>>,
    /// Hosts that nothing leaves or reaches before then.
    isolated: BTreeMap<String, Instant>,
    /// Hosts that are gone for ever: nothing of their programs goes out.
    gone: BTreeSet<String>,
    is_healed: bool,
}

impl Network {
    pub(crate) fn new(random: Random) -> Self {
        let state = State {
            random,
            links: Vec::new(),
            listening: BTreeMap::new(),
            isolated: BTreeMap::new(),
            gone: BTreeSet::new(),
            is_healed: false,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The links that are made to `host` from now on.
    pub(crate) fn listen(&self, host: &str) -> Receiver<End> {
        let (sender, receiver) = channel(BACKLOG);
        self.lock().listening.insert(host.to_owned(), sender);
        receiver
    }

    /// Nobody listens at `host` any more.
    pub(crate) fn deafen(&self, host: &str) {
        let listening = self.lock().listening.remove(host);
        drop(listening);
    }

    /// Makes a link, which takes some time, and may fail.
    pub(crate) async fn dial(&self, from: String, to: String) -> io::Result<End> {
        let (delay, fails) = {
            let random = &mut self.lock().random;
            (random.ms_below(60), random.one_in(12))
        };
        sleep(delay).await;
        if self.is_isolated(&from) || self.is_isolated(&to) {
            sleep(Duration::from_secs(3)).await;
            return Err(io::ErrorKind::TimedOut.into());
        }
        let opened = self.open(from, to, fails);
        match opened {
            Some(opened) => opened,
            // Its program does not run any more.
            None => pending().await,
        }
    }

    fn open(&self, from: String, to: String, fails: bool) -> Option<io::Result<End>> {
        let mut state = self.lock();
        if state.gone.contains(&from) {
            return None;
        }
        let refused = || Some(Err(io::ErrorKind::ConnectionRefused.into()));
        let Some(listening) = state.listening.get(&to).cloned() else {
            return refused();
        };
        if fails && !state.is_healed {
            return refused();
        }
        let random = state.random.fork();
        let (link, [near, far]) = Link::open([from, to], random);
        state.links.retain(|link| link.is_up());
        state.links.push(link);
        drop(state);
        match listening.try_send(far) {
            Ok(()) => Some(Ok(near)),
            Err(_) => refused(),
        }
    }

    fn is_isolated(&self, host: &str) -> bool {
        let state = self.lock();
        let until = state.isolated.get(host).copied();
        !state.is_healed && until.is_some_and(|until| until > Instant::now())
    }

    /// Does something to one of the links that are up; to whose it was done.
    pub(crate) fn strike(&self, random: &mut Random, fault: Fault) -> Option<String> {
        let links: Vec<_> = self.links(Link::is_up);
        let link = random.pick(&links)?;
        link.suffer(fault);
        Some(link.hosts.join(" to "))
    }

    /// Does something to all links of a host.
    pub(crate) fn strike_host(&self, host: &str, fault: Fault) {
        for link in self.links(|link| link.is_of(host)) {
            link.suffer(fault);
        }
    }

    /// Nothing leaves or reaches a host before `until`: links stall, new ones are not made.
    pub(crate) fn isolate(&self, host: &str, until: Instant) {
        self.lock().isolated.insert(host.to_owned(), until);
        self.strike_host(host, Fault::Stall(until));
    }

    /// A host has crashed and never comes back. Whoever has a link to it sees that by `fault`.
    pub(crate) fn crash(&self, host: &str, fault: Fault) {
        self.lock().gone.insert(host.to_owned());
        self.strike_host(host, fault);
    }

    /// Ends all faults. A link that is a black hole is reset where `tells_holes`, as by a host that is
    /// back and knows nothing of it; else it is one until somebody finds out.
    pub(crate) fn heal(&self, tells_holes: bool) {
        self.lock().is_healed = true;
        for link in self.links(|_| true) {
            link.heal(tells_holes);
        }
    }

    /// Resets links that have been black holes for so long that a system finds out; whose they were.
    pub(crate) fn keep_alive(&self) -> Vec<String> {
        let found = self.links(|link| link.is_up() && link.is_hole_for(KEEPALIVE));
        for link in &found {
            link.suffer(Fault::Reset);
        }
        found.iter().map(|link| link.hosts.join(" to ")).collect()
    }

    /// The links in the order in which they were made; without the lock, which woken ones may take.
    fn links(&self, which: impl Fn(&Link) -> bool) -> Vec<Arc<Link>> {
        let state = self.lock();
        let links = state.links.iter().filter(|link| which(link));
        links.cloned().collect()
    }
}
