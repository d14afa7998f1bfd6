//! Buffers of frames on their way back from the driver to those who encode the next ones.
//!
//! Frames are encoded by one thread and freed by another, in batches, which is what allocators are
//! slowest at. Who pushes a frame takes an empty buffer home from the same lock.

use std::cell::Cell;

/// What most frames fit into without growing.
const USUAL_BYTES: usize = 256;

/// A larger buffer is freed, so that a few large events do not hold memory.
const MOST_BYTES: usize = 1_024;

/// Buffers kept by a link with calls in flight; an idle one keeps none.
const MOST: usize = 64;

thread_local! {
    static SPARE: Cell<Option<Vec<u8>>> = const { Cell::new(None) };
}

/// An empty buffer to encode a frame into.
pub(crate) fn take() -> Vec<u8> {
    SPARE
        .take()
        .unwrap_or_else(|| Vec::with_capacity(USUAL_BYTES))
}

#[derive(Default)]
pub(super) struct Spares(Vec<Vec<u8>>);

impl Spares {
    pub(super) fn add(&mut self, mut buffer: Vec<u8>) {
        if self.0.len() < MOST && (USUAL_BYTES..=MOST_BYTES).contains(&buffer.capacity()) {
            buffer.clear();
            self.0.push(buffer);
        }
    }

    pub(super) fn add_all(&mut self, other: &mut Self) {
        let room = MOST - self.0.len().min(MOST);
        other.0.truncate(room);
        self.0.append(&mut other.0);
    }

    pub(super) fn clear(&mut self) {
        self.0 = Vec::new();
    }

    /// One for this thread's next frame.
    pub(super) fn pop(&mut self) -> Option<Vec<u8>> {
        self.0.pop()
    }
}

/// Keeps a buffer for this thread's next frame.
pub(super) fn keep(spare: Option<Vec<u8>>) {
    if spare.is_some() {
        SPARE.set(spare);
    }
}
