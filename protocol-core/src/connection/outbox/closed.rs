//! The wait for a link's end.

use std::pin::Pin;
use std::task::{Context, Poll};

use super::Outbox;
use crate::error::CloseReason;

/// The reason of the link's end, once it has come. It stands in the list of watchers once, however
/// often it is polled, and leaves it when dropped.
pub(crate) struct Closed<'a> {
    pub(super) outbox: &'a Outbox,
    pub(super) watcher: Option<u64>,
    /// Whether the other end's leave ends the wait.
    pub(super) at_leave: bool,
}

impl Future for Closed<'_> {
    type Output = CloseReason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CloseReason> {
        let mut queue = self.outbox.lock();
        let reason = if self.at_leave {
            queue.left()
        } else {
            queue.closed.as_deref()
        };
        if let Some(reason) = reason {
            return Poll::Ready(reason.clone());
        }
        let watcher = self.watcher.unwrap_or_else(|| {
            queue.next_watcher += 1;
            queue.next_watcher
        });
        queue.watchers.insert(watcher, cx.waker().clone());
        if self.watcher.replace(watcher).is_some() {
            return Poll::Pending;
        }
        // A driver that reads nothing for now has to look for the end.
        let outbox = self.outbox;
        outbox.call_driver(queue);
        Poll::Pending
    }
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        if let Some(watcher) = self.watcher {
            self.outbox.lock().watchers.remove(&watcher);
        }
    }
}
