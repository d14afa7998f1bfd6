//! Which key each id is bound to, and which binding leaves where there are too many.
//!
//! Knows no files and no clock: the day is passed in. Ids are the keys of names, see
//! [`PeerName::key`](super::PeerName::key).

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use protocol_core::PublicKey;

use super::name;

/// For so many days a binding is kept though others need its place: whoever comes back from a long
/// holiday still has their id, and ids that nobody uses do not keep newcomers' from being bound for
/// ever.
pub(crate) const KEPT_DAYS: u32 = 30;

/// A day, counted from 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(pub(crate) u32);

/// One change of a table. An empty table to which all changes were applied in their order is the
/// same table again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// An id belongs to a key from now on, which was used on this day.
    Bind {
        id: Arc<str>,
        key: PublicKey,
        used: Day,
    },
    /// A bound id was used on this day.
    Use { id: Arc<str>, used: Day },
    /// An id is nobody's from now on.
    Unbind { id: Arc<str> },
}

/// What was to be changed is not bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotBound;

/// There are as many bindings as may be, and none of them may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// All bindings of one server.
#[derive(Default)]
pub(crate) struct Table {
    by_id: HashMap<Arc<str>, Binding>,
    /// Whichever was unused longest comes first.
    by_use: BTreeSet<(Day, Arc<str>)>,
    /// How many sessions the ids have that have some, bound or not. More than one where the end of
    /// the last is told after the begin of the next.
    online: HashMap<Box<str>, usize>,
}

#[derive(Debug, Clone, Copy)]
struct Binding {
    key: PublicKey,
    used: Day,
}

impl Table {
    /// The key that an id is bound to.
    pub(crate) fn key_of(&self, id: &str) -> Option<PublicKey> {
        self.by_id.get(id).map(|binding| binding.key)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// A session of an id begins: until it [leaves](Self::leave), its binding leaves for no other.
    pub(crate) fn enter(&mut self, id: &str) {
        *self.online.entry(id.into()).or_default() += 1;
    }

    /// A session of an id ends.
    pub(crate) fn leave(&mut self, id: &str) {
        if let Some(sessions) = self.online.get_mut(id) {
            *sessions -= 1;
            if *sessions == 0 {
                self.online.remove(id);
            }
        }
    }

    /// Binds an id that is not bound. Where there are `most` bindings, those leave for it that were
    /// unused longest, if they were for [`KEPT_DAYS`] and nobody is online as them.
    ///
    /// # Errors
    ///
    /// [`Full`] where too few may leave; then nothing has changed.
    pub(crate) fn bind(
        &mut self,
        id: &str,
        key: PublicKey,
        today: Day,
        most: usize,
    ) -> Result<Vec<Change>, Full> {
        let too_many = (self.len() + 1).saturating_sub(most);
        let may_leave = |used: Day| today.0.saturating_sub(used.0) >= KEPT_DAYS;
        let old = self.by_use.iter().take_while(|(used, _)| may_leave(*used));
        let mut changes: Vec<_> = old
            .filter(|(_, id)| !self.online.contains_key(&**id))
            .take(too_many)
            .map(|(_, id)| Change::Unbind { id: Arc::clone(id) })
            .collect();
        if most == 0 || changes.len() < too_many {
            return Err(Full);
        }
        changes.push(Change::Bind {
            id: id.into(),
            key,
            used: today,
        });
        for change in &changes {
            // What leaves was found in the table itself.
            let _ = self.apply(change);
        }
        Ok(changes)
    }

    /// Takes note that an id is used; the change, if that is a later day than before.
    pub(crate) fn touch(&mut self, id: &str, today: Day) -> Option<Change> {
        let (id, binding) = self.by_id.get_key_value(id)?;
        let change = (binding.used < today).then(|| Change::Use {
            id: Arc::clone(id),
            used: today,
        })?;
        self.apply(&change).ok().map(|()| change)
    }

    /// Unbinds an id; the change, if it was bound.
    pub(crate) fn unbind(&mut self, id: &str) -> Option<Change> {
        let change = Change::Unbind { id: id.into() };
        self.apply(&change).ok().map(|()| change)
    }

    /// Does what a change says, whoever has to leave.
    ///
    /// # Errors
    ///
    /// [`NotBound`] where it is about an id that is not bound; then nothing has changed.
    pub(crate) fn apply(&mut self, change: &Change) -> Result<(), NotBound> {
        match change {
            Change::Bind { id, key, used } => {
                self.remove(id);
                self.insert(id, *key, *used);
            }
            Change::Use { id, used } => {
                let binding = self.remove(id).ok_or(NotBound)?;
                self.insert(id, binding.key, *used);
            }
            Change::Unbind { id } => {
                self.remove(id).ok_or(NotBound)?;
            }
        }
        Ok(())
    }

    /// The changes that make an empty table this one.
    pub(crate) fn to_changes(&self) -> Vec<Change> {
        let bind = |(used, id): &(Day, Arc<str>)| {
            let binding = self.by_id.get(id)?;
            Some(Change::Bind {
                id: Arc::clone(id),
                key: binding.key,
                used: *used,
            })
        };
        self.by_use.iter().filter_map(bind).collect()
    }

    fn insert(&mut self, id: &Arc<str>, key: PublicKey, used: Day) {
        self.by_id.insert(Arc::clone(id), Binding { key, used });
        self.by_use.insert((used, Arc::clone(id)));
    }

    fn remove(&mut self, id: &str) -> Option<Binding> {
        let (id, binding) = self.by_id.remove_entry(id)?;
        self.by_use.remove(&(binding.used, id));
        Some(binding)
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("bindings", &self.len())
            .finish_non_exhaustive()
    }
}

/// Whether a text is the key of some peer's name.
pub(crate) fn is_id(text: &str) -> bool {
    let is_allowed = text.chars().try_for_each(name::check_anywhere).is_ok();
    let is_room = text.starts_with('#');
    !text.is_empty() && is_allowed && !is_room && name::nfkc_casefold(text) == text
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Day = Day(20_000);
    const KEY: PublicKey = PublicKey::from_bytes([1; 32]);

    /// Bindings that were used on these days before today.
    fn table(used: &[(&str, u32)]) -> Table {
        let mut table = Table::default();
        for (id, days_ago) in used {
            let used = Day(TODAY.0 - days_ago);
            let id = (*id).into();
            table.apply(&Change::Bind { id, key: KEY, used }).unwrap();
        }
        table
    }

    fn bind(table: &mut Table, id: &str, most: usize) -> Result<Vec<Change>, Full> {
        table.bind(id, KEY, TODAY, most)
    }

    fn left(changes: &[Change]) -> Vec<&str> {
        let left = changes.iter().filter_map(|change| match change {
            Change::Unbind { id } => Some(&**id),
            _ => None,
        });
        left.collect()
    }

    #[test]
    fn a_binding_leaves_a_full_table_after_30_unused_days() {
        for (days_ago, leaves) in [(0, false), (29, false), (30, true), (10_000, true)] {
            let mut table = table(&[("alice", days_ago)]);
            let bound = bind(&mut table, "bob", 1);
            assert_eq!(bound.is_ok(), leaves, "{days_ago}");
            assert_eq!(table.key_of("alice").is_some(), !leaves, "{days_ago}");
            assert_eq!(table.key_of("bob").is_some(), leaves, "{days_ago}");
            assert_eq!(table.len(), 1);
        }
    }

    #[test]
    fn a_table_with_room_keeps_what_nobody_uses() {
        let mut table = table(&[("alice", 10_000)]);
        let changes = bind(&mut table, "bob", 2).unwrap();
        assert_eq!(left(&changes), [""; 0]);
        assert!(table.key_of("alice").is_some());
    }

    #[test]
    fn what_was_unused_longest_leaves_first() {
        let mut table = table(&[("alice", 31), ("bob", 40), ("carol", 35)]);
        for (id, leaves) in [("a", "bob"), ("b", "carol"), ("c", "alice")] {
            let changes = bind(&mut table, id, 3).unwrap();
            assert_eq!(left(&changes), [leaves]);
        }
        assert_eq!(bind(&mut table, "d", 3), Err(Full));
    }

    #[test]
    fn a_use_counts_from_its_day_on() {
        let mut table = table(&[("alice", 40), ("bob", 35)]);
        let used = table.touch("alice", TODAY);
        let id = "alice".into();
        assert_eq!(used, Some(Change::Use { id, used: TODAY }));
        assert_eq!(table.touch("alice", TODAY), None);
        // A clock that was set back makes nobody older.
        assert_eq!(table.touch("alice", Day(TODAY.0 - 100)), None);
        assert_eq!(table.touch("carol", TODAY), None);
        let changes = bind(&mut table, "carol", 2).unwrap();
        assert_eq!(left(&changes), ["bob"]);
        assert_eq!(bind(&mut table, "bob", 2), Err(Full));
        assert_eq!(table.key_of("alice"), Some(KEY));
    }

    #[test]
    fn whoever_is_online_keeps_their_binding() {
        let mut table = table(&[("alice", 50), ("bob", 40)]);
        // One session ends after the next has begun.
        table.enter("alice");
        table.enter("alice");
        table.leave("alice");
        let changes = bind(&mut table, "carol", 2).unwrap();
        assert_eq!(left(&changes), ["bob"]);
        assert_eq!(bind(&mut table, "bob", 2), Err(Full));
        assert_eq!(table.key_of("alice"), Some(KEY));
        table.leave("alice");
        let changes = bind(&mut table, "bob", 2).unwrap();
        assert_eq!(left(&changes), ["alice"]);
        assert!(table.online.is_empty());
    }

    #[test]
    fn what_was_used_in_the_future_does_not_leave() {
        let mut table = Table::default();
        let bind_tomorrow = Change::Bind {
            id: "alice".into(),
            key: KEY,
            used: Day(TODAY.0 + 1),
        };
        table.apply(&bind_tomorrow).unwrap();
        assert_eq!(bind(&mut table, "bob", 1), Err(Full));
    }

    #[test]
    fn a_table_that_may_hold_fewer_than_it_does_gets_there_or_stays() {
        let mut few = table(&[("alice", 40), ("bob", 40), ("carol", 30)]);
        let changes = bind(&mut few, "d", 2).unwrap();
        assert_eq!(left(&changes), ["alice", "bob"]);
        assert_eq!(few.len(), 2);
        let mut stays = table(&[("alice", 40), ("bob", 1), ("carol", 0)]);
        assert_eq!(bind(&mut stays, "d", 2), Err(Full));
        assert_eq!(stays.len(), 3);
        let mut none = table(&[]);
        assert_eq!(bind(&mut none, "alice", 0), Err(Full));
        let mut old = table(&[("alice", 40)]);
        assert_eq!(bind(&mut old, "bob", 0), Err(Full));
    }

    #[test]
    fn changes_make_the_same_table_again() {
        let mut table = table(&[("alice", 3), ("bob", 2), ("carol", 40)]);
        table.touch("alice", TODAY);
        table.unbind("bob");
        bind(&mut table, "d", 2).unwrap();
        let mut again = Table::default();
        for change in table.to_changes() {
            again.apply(&change).unwrap();
        }
        assert_eq!(again.to_changes(), table.to_changes());
        assert_eq!(again.len(), 2);
        let unknown = Change::Unbind { id: "bob".into() };
        assert_eq!(again.apply(&unknown), Err(NotBound));
        let unknown = Change::Use {
            id: "bob".into(),
            used: TODAY,
        };
        assert_eq!(again.apply(&unknown), Err(NotBound));
    }
}
