//! The tasks whose calls ended with the same input, woken together.
//!
//! A runtime that is told of one task at a time calls another thread for each; told of many at once
//! it calls one for all of them.

use std::task::Waker;

/// Places that an idle connection keeps.
const KEPT: usize = 16;

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

    /// Hands over what is due, the last first.
    pub(super) fn release(&mut self, mut wake: impl FnMut(Waker)) {
        self.held = false;
        for waker in self.due.drain(..).rev() {
            wake(waker);
        }
        if self.due.capacity() > KEPT {
            self.due = Vec::new();
        }
    }
}

impl Drop for Wakes {
    fn drop(&mut self) {
        self.release(Waker::wake);
    }
}
