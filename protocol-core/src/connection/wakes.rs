//! The tasks whose calls ended with the same input, woken together.
//!
//! A runtime that is told of one task at a time calls another thread for each; told of many at once
//! it calls one for all of them.

use std::task::Waker;

/// Wakers that are due; none is lost, whatever becomes of the connection.
#[derive(Default)]
pub(super) struct Wakes {
    due: Vec<Waker>,
    held: bool,
}

impl Wakes {
    /// From now on wakers wait for [`release`](Self::release).
    pub(super) fn hold(&mut self) {
        self.held = true;
    }

    pub(super) fn push(&mut self, waker: Option<Waker>) {
        match waker {
            Some(waker) if self.held => self.due.push(waker),
            Some(waker) => waker.wake(),
            None => {}
        }
    }

    /// Hands over what is due, the last first; returns how many.
    pub(super) fn release(
        &mut self,
        wake: impl FnOnce(&mut dyn ExactSizeIterator<Item = Waker>),
    ) -> usize {
        self.held = false;
        let count = self.due.len();
        if count > 0 {
            wake(&mut self.due.drain(..).rev());
        }
        count
    }

    /// Frees what many calls that ended together took.
    pub(super) fn release_idle(&mut self) {
        if self.due.is_empty() {
            self.due = Vec::new();
        }
    }
}

/// Wakes each on its own.
pub(super) fn wake_each(wakers: &mut dyn ExactSizeIterator<Item = Waker>) {
    wakers.for_each(Waker::wake);
}

impl Drop for Wakes {
    fn drop(&mut self) {
        self.release(wake_each);
    }
}
