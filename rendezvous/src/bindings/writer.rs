//! The thread that writes bindings, and what it shares with logins.
//!
//! The lock is held while bindings are looked up and changed, never while anything is written. So the
//! changes stand in the file in the order in which they were made.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::MOST_WAITING;
use super::journal::Journal;
use crate::state::{Change, Table};

/// Tells whether a change was written, once that is known.
pub(super) type Written = watch::Receiver<Option<bool>>;

/// Bindings, and the changes of them that are not in the file yet.
pub(super) struct State {
    pub(super) table: Table,
    /// None where there is no file.
    due: Option<Due>,
}

#[derive(Default)]
struct Due {
    /// What is to be written next.
    next: Batch,
    /// What is being written.
    now: Option<Arc<Batch>>,
    closing: bool,
}

/// Changes that are written together.
struct Batch {
    changes: Vec<Change>,
    written: watch::Sender<Option<bool>>,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            changes: Vec::new(),
            written: watch::Sender::new(None),
        }
    }
}

impl Batch {
    fn binds(&self, id: &str) -> bool {
        let bind =
            |change: &Change| matches!(change, Change::Bind { id: bound, .. } if **bound == *id);
        self.changes.iter().any(bind)
    }
}

impl State {
    pub(super) fn in_memory() -> Self {
        Self {
            table: Table::default(),
            due: None,
        }
    }

    pub(super) fn in_file(table: Table) -> Self {
        Self {
            table,
            due: Some(Due::default()),
        }
    }

    /// Whether a change would be written at all.
    pub(super) fn is_open(&self) -> bool {
        self.due.as_ref().is_none_or(|due| !due.closing)
    }

    /// Whether a change would be written soon.
    pub(super) fn may_change(&self) -> bool {
        let due = self.due.as_ref();
        due.is_none_or(|due| !due.closing && due.next.changes.len() < MOST_WAITING)
    }

    /// Tells of the binding of `id`, where it is not written yet.
    pub(super) fn binding_of(&self, id: &str) -> Option<Written> {
        let due = self.due.as_ref()?;
        let batches = [Some(&due.next), due.now.as_deref()];
        let batch = batches.into_iter().flatten().find(|batch| batch.binds(id));
        batch.map(|batch| batch.written.subscribe())
    }

    /// Unbinds what could not be written, but what was bound again since.
    fn roll_back(&mut self, batch: &Batch) {
        for change in &batch.changes {
            if let Change::Bind { id, key, .. } = change
                && self.table.key_of(id) == Some(*key)
                && !self.due.as_ref().is_some_and(|due| due.next.binds(id))
            {
                self.table.unbind(id);
            }
        }
    }
}

/// What the thread and logins share.
pub(super) struct Shared {
    state: Mutex<State>,
    /// Wakes the thread.
    wake: Condvar,
    /// Whether the thread has ended.
    ended: watch::Sender<bool>,
    /// Wakes whoever waits for that without a runtime.
    over: Condvar,
}

impl Shared {
    pub(super) fn new(state: State) -> Self {
        Self {
            state: Mutex::new(state),
            wake: Condvar::new(),
            ended: watch::Sender::new(false),
            over: Condvar::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has changes written that were made under this lock. Tells of it where there is a file.
    pub(super) fn put(
        &self,
        state: &mut State,
        changes: impl IntoIterator<Item = Change>,
    ) -> Option<Written> {
        let due = state.due.as_mut()?;
        due.next.changes.extend(changes);
        self.wake.notify_one();
        Some(due.next.written.subscribe())
    }

    /// Lets the thread end once all is written. Tells of its end.
    pub(super) fn close(&self) -> watch::Receiver<bool> {
        if let Some(due) = &mut self.lock().due {
            due.closing = true;
        }
        self.wake.notify_one();
        self.ended.subscribe()
    }

    /// Writes until [`close`](Self::close), and then gives the file free: the thread's work.
    pub(super) fn write_to(&self, mut journal: Journal) {
        self.write_changes(&mut journal);
        drop(journal);
        let state = self.lock();
        self.ended.send_replace(true);
        drop(state);
        self.over.notify_all();
    }

    /// Waits for the thread's end, at most so long.
    pub(super) fn wait_for_end(&self, most: Duration) {
        let is_at_work = |_: &mut State| !*self.ended.borrow();
        // Whether that was in time is of no use to a value that is dropped.
        let _ = self.over.wait_timeout_while(self.lock(), most, is_at_work);
    }

    fn write_changes(&self, journal: &mut Journal) {
        let mut state = self.lock();
        while let Some(due) = &mut state.due {
            if due.next.changes.is_empty() {
                if due.closing {
                    return;
                }
                let woken = self.wake.wait(state);
                state = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let batch = Arc::new(mem::take(&mut due.next));
            due.now = Some(Arc::clone(&batch));
            // Taken together with the changes, which it has: they must not follow it in the file.
            let all = journal.wants_all(state.table.len());
            let all = all.then(|| state.table.to_changes());
            drop(state);
            let written = journal.write(&batch.changes, all.as_deref());
            state = self.lock();
            if let Some(due) = &mut state.due {
                due.now = None;
            }
            if let Err(error) = &written {
                let (file, changes) = (journal.path(), batch.changes.len());
                tracing::error!(?file, %error, changes, "cannot write bindings: logins are refused");
                state.roll_back(&batch);
            }
            batch.written.send_replace(Some(written.is_ok()));
        }
    }
}
