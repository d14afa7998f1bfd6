//! Buffers of frames that were written to one link, kept by the thread for frames to others.

use std::cell::RefCell;

/// How many buffers a thread keeps, and the largest of them.
const KEPT: usize = 64;
const KEPT_BYTES: usize = 1_024;

/// Frames of about the same length share buffers.
const STEP: usize = 64;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer for a frame of up to `size` bytes. It is no more than twice as large, so that frames
/// that wait take what the limits of their queue count.
pub(super) fn buffer(size: usize) -> Vec<u8> {
    let spare = SPARE.try_with(|spare| spare.borrow_mut().pop());
    let fits = |buffer: &Vec<u8>| (size..=2 * size.max(STEP)).contains(&buffer.capacity());
    let spare = spare.ok().flatten().filter(fits);
    spare.unwrap_or_else(|| Vec::with_capacity(size.next_multiple_of(STEP)))
}

/// Keeps the buffer of a frame that was written.
pub(crate) fn give_back(mut frame: Vec<u8>) {
    if (1..=KEPT_BYTES).contains(&frame.capacity()) {
        frame.clear();
        // A thread that ends keeps nothing.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < KEPT {
                spare.push(frame);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_serves_frames_of_about_its_size() {
        let mut frame = buffer(100);
        frame.extend_from_slice(&[b'x'; 100]);
        let place = frame.as_ptr();
        give_back(frame);
        let again = buffer(90);
        assert!(again.is_empty());
        assert_eq!(again.as_ptr(), place);
        give_back(again);
        assert!(buffer(40).capacity() <= 2 * STEP);
        give_back(Vec::with_capacity(KEPT_BYTES));
        assert!(buffer(100).capacity() <= 200);
        assert!(buffer(KEPT_BYTES + 1).capacity() > KEPT_BYTES);
    }

    #[test]
    fn a_thread_keeps_few_and_small_ones() {
        for _ in 0..2 * KEPT {
            give_back(Vec::with_capacity(KEPT_BYTES));
        }
        give_back(Vec::new());
        give_back(Vec::with_capacity(KEPT_BYTES + 1));
        let kept = SPARE.with(|spare| spare.borrow().iter().map(Vec::capacity).sum::<usize>());
        assert_eq!(kept, KEPT * KEPT_BYTES);
    }
}
