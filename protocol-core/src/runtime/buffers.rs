//! Buffers that a thread lends to the connections at work on it, so that idle ones hold none.

use std::cell::RefCell;

use bytes::BytesMut;

/// Large enough for what a busy peer has ready, small enough to stay in the second-level cache.
pub(super) const READ_BYTES: usize = 64 * 1024;

/// Room for what is written at once, and for the frame that makes it so much.
const FRAMES_BYTES: usize = 16 * 1024;

/// More are rarely busy at once on one thread; beyond that they are freed.
const KEPT: usize = 8;

thread_local! {
    static WIRE: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
    static FRAMES: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer for bytes of the wire.
pub(super) fn borrow() -> BytesMut {
    WIRE.with_borrow_mut(Vec::pop)
        .unwrap_or_else(|| BytesMut::with_capacity(READ_BYTES))
}

pub(super) fn give_back(mut buffer: BytesMut) {
    buffer.clear();
    // Takes the front of the buffer back where frames were cut off it; a small buffer is freed.
    let is_large = buffer.capacity() >= READ_BYTES || buffer.try_reclaim(READ_BYTES);
    if is_large && buffer.capacity() <= 2 * READ_BYTES {
        keep(&WIRE, buffer);
    }
}

/// A buffer for frames that the codec has not seen.
pub(super) fn borrow_frames() -> Vec<u8> {
    FRAMES
        .with_borrow_mut(Vec::pop)
        .unwrap_or_else(|| Vec::with_capacity(FRAMES_BYTES))
}

pub(super) fn give_back_frames(mut buffer: Vec<u8>) {
    buffer.clear();
    if (FRAMES_BYTES..=4 * FRAMES_BYTES).contains(&buffer.capacity()) {
        keep(&FRAMES, buffer);
    }
}

fn keep<T>(pool: &'static std::thread::LocalKey<RefCell<Vec<T>>>, buffer: T) {
    pool.with_borrow_mut(|pool| {
        if pool.len() < KEPT {
            pool.push(buffer);
        }
    });
}
