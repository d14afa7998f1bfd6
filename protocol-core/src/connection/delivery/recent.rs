//! Confirmed passes without numbers: the last ids, so that a repetition is not run again.
//!
//! Weaker than numbers: what is forgotten runs again, and nothing keeps the order.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::DeliveryLimits;
use crate::connection::due;
use crate::connection::incoming::ShortText;
use crate::ids::PeerId;
use crate::wire::WireError;

type Key = (Option<PeerId>, ShortText);

/// The last confirmed passes that came without numbers.
#[derive(Debug)]
pub(crate) struct Recent {
    most: usize,
    kept: Duration,
    by_id: HashMap<Key, Option<Result<(), WireError>>>,
    order: VecDeque<(Instant, Key)>,
}

/// What is known of such a pass.
pub(crate) enum Seen {
    /// Nothing: it is to be run.
    New,
    /// It is being run.
    Running,
    /// It was run, and this came of it.
    Ended(Result<(), WireError>),
}

impl Recent {
    pub(crate) fn new(limits: &DeliveryLimits) -> Self {
        Self {
            most: limits.recent_ids,
            kept: limits.recent_kept,
            by_id: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// What is known of a pass, which is being run from now on if that is nothing.
    pub(crate) fn judge(&mut self, now: Instant, from: Option<&PeerId>, id: ShortText) -> Seen {
        while let Some((_, key)) = self
            .order
            .pop_front_if(|(at, _)| due(*at, self.kept) <= now)
        {
            self.by_id.remove(&key);
        }
        if self.most == 0 {
            return Seen::New;
        }
        let key = (from.cloned(), id);
        match self.by_id.get(&key) {
            Some(None) => Seen::Running,
            Some(Some(ended)) => Seen::Ended(ended.clone()),
            None => {
                if self.order.len() >= self.most
                    && let Some((_, oldest)) = self.order.pop_front()
                {
                    self.by_id.remove(&oldest);
                }
                self.order.push_back((now, key.clone()));
                self.by_id.insert(key, None);
                Seen::New
            }
        }
    }

    /// Takes note of what came of a pass.
    pub(crate) fn ended(
        &mut self,
        from: Option<&PeerId>,
        id: ShortText,
        result: Result<(), &WireError>,
    ) {
        if let Some(ended) = self.by_id.get_mut(&(from.cloned(), id)) {
            *ended = Some(result.map_err(super::receiver::cut));
        }
    }

    /// Forgets a pass that was not run after all.
    pub(crate) fn put_back(&mut self, from: Option<&PeerId>, id: ShortText) {
        let key = (from.cloned(), id);
        if self.by_id.remove(&key).is_some() {
            self.order.retain(|(_, other)| *other != key);
        }
    }
}
