//! What a busy link holds, and when it gives that back.

use std::time::Duration;

use super::Driver;

/// A busy link keeps what it holds for the next burst; after so long without one it gives that back.
pub(super) const TIDY_AFTER: Duration = Duration::from_secs(10);

/// Events in that time that make a link busy, so that it keeps the place of its handlers too.
pub(super) const BUSY_EVENTS: usize = 16;

impl Driver {
    /// Frees what only a busy link needs, if this one was idle for [`TIDY_AFTER`]; whether it was.
    pub(super) fn tidy(&mut self) -> bool {
        if self.tidy_at.is_none_or(|at| at > self.now) {
            return false;
        }
        self.tidy_at = None;
        self.handled = 0;
        if self.active {
            return false;
        }
        self.connection.release_idle();
        self.backlog.release_idle();
        self.link.outbox.release_idle();
        if let Some(hub) = self.link.hub() {
            hub.release_idle(self.link.id);
        }
        true
    }
}
