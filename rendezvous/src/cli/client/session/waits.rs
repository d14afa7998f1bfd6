//! Events that are waited for, and those that came before anybody waited.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::calls::Ticket;

/// What has arrived and was not waited for yet; waits for what has not arrived.
#[derive(Debug, Default)]
pub(super) struct Waits {
    arrived: VecDeque<(Option<String>, String)>,
    open: Vec<Wait>,
}

/// Somebody waits for an event.
#[derive(Debug)]
pub(super) struct Wait {
    pub(super) ticket: Ticket,
    pub(super) from: Option<String>,
    pub(super) name: String,
    pub(super) deadline: Instant,
}

impl Wait {
    /// Without a sender, anybody's event will do.
    fn is_for(&self, from: Option<&str>, name: &str) -> bool {
        self.name == name && self.from.as_deref().is_none_or(|who| from == Some(who))
    }
}

impl Waits {
    /// The oldest make room beyond this many.
    const MOST: usize = 1_000;

    /// An event has arrived. It ends one wait, the oldest; without one it is kept.
    pub(super) fn arrive(&mut self, from: Option<&str>, name: &str) -> Option<Wait> {
        if let Some(at) = self.open.iter().position(|wait| wait.is_for(from, name)) {
            return Some(self.open.remove(at));
        }
        if self.arrived.len() == Self::MOST {
            self.arrived.pop_front();
        }
        self.arrived
            .push_back((from.map(str::to_owned), name.to_owned()));
        None
    }

    /// Somebody waits. Where the event has arrived already, the wait is over and comes back.
    pub(super) fn wait(&mut self, wait: Wait) -> Option<Wait> {
        let mut arrived = self.arrived.iter();
        if let Some(at) = arrived.position(|(from, name)| wait.is_for(from.as_deref(), name)) {
            self.arrived.remove(at);
            return Some(wait);
        }
        self.open.push(wait);
        None
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.open.iter().map(|wait| wait.deadline).min()
    }

    /// Takes out the waits whose time is over.
    pub(super) fn expired(&mut self, now: Instant) -> Vec<Wait> {
        self.open
            .extract_if(.., |wait| wait.deadline <= now)
            .collect()
    }

    /// Takes all of them out, since nothing can arrive any more.
    pub(super) fn take(&mut self) -> Vec<Wait> {
        std::mem::take(&mut self.open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(from: Option<&str>, name: &str) -> Wait {
        Wait {
            ticket: Ticket {
                line: 1,
                command: "wait",
            },
            from: from.map(str::to_owned),
            name: name.to_owned(),
            deadline: Instant::now(),
        }
    }

    #[test]
    fn an_event_counts_once_whether_it_comes_before_the_wait_or_after() {
        let mut waits = Waits::default();
        assert!(waits.arrive(Some("bob"), "moved").is_none());
        assert!(waits.wait(wait(Some("carol"), "moved")).is_none());
        assert!(waits.wait(wait(None, "moved")).is_some());
        assert!(waits.wait(wait(None, "moved")).is_none());
        assert!(waits.arrive(Some("bob"), "moved").is_some());
        assert!(waits.arrive(Some("carol"), "moved").is_some());
        assert!(waits.is_empty());
    }

    #[test]
    fn what_nobody_waits_for_has_a_bound() {
        let mut waits = Waits::default();
        waits.arrive(None, "first");
        for _ in 0..Waits::MOST {
            waits.arrive(None, "other");
        }
        assert!(waits.wait(wait(None, "first")).is_none());
        assert!(waits.wait(wait(None, "other")).is_some());
    }
}
