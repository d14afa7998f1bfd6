//! Buffers for reading, lent to a connection while it has input and given back when it is idle, so
//! that idle connections hold none.

use std::cell::RefCell;

use bytes::BytesMut;

/// Large enough for what a busy peer has ready, small enough to stay in the second-level cache.
pub(super) const READ_BYTES: usize = 64 * 1024;

/// More are rarely busy at once on one thread; beyond that they are freed.
const KEPT: usize = 4;

thread_local! {
    static POOL: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

pub(super) fn borrow() -> BytesMut {
    POOL.with_borrow_mut(Vec::pop)
        .unwrap_or_else(|| BytesMut::with_capacity(READ_BYTES))
}

pub(super) fn give_back(mut buffer: BytesMut) {
    buffer.clear();
    // Takes the front of the buffer back where frames were cut off it; a small buffer is freed.
    if buffer.try_reclaim(READ_BYTES) && buffer.capacity() <= 2 * READ_BYTES {
        POOL.with_borrow_mut(|pool| {
            if pool.len() < KEPT {
                pool.push(buffer);
            }
        });
    }
}
