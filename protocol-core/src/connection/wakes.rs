//! Wake-ups of other tasks, held back while a driver is at work and done together when it rests.
//!
//! A runtime that is told of one task at a time calls another thread for each; told of many at once it
//! calls one for all of them. And who is woken once a batch finds all of it.

use std::cell::RefCell;
use std::mem;
use std::task::Waker;

/// Places that a thread keeps for its next batch.
const KEPT: usize = 1_024;

/// How a batch is woken: the last first.
pub(crate) type WakeAll = fn(&mut dyn ExactSizeIterator<Item = Waker>);

struct Held {
    batches: usize,
    due: Vec<Waker>,
}

thread_local! {
    static HELD: RefCell<Held> = const {
        RefCell::new(Held {
            batches: 0,
            due: Vec::new(),
        })
    };
}

/// Wakes a task: now, or at the end of the batch that is at work on this thread.
pub(crate) fn wake(waker: Waker) {
    let mut waker = Some(waker);
    // A thread that ends holds nothing back.
    let _ = HELD.try_with(|held| {
        let mut held = held.borrow_mut();
        if held.batches > 0 {
            held.due.extend(waker.take());
        }
    });
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Holds wake-ups of this thread back until it is dropped.
pub(crate) struct Batch(WakeAll);

impl Batch {
    pub(crate) fn begin(wake_all: WakeAll) -> Self {
        let _ = HELD.try_with(|held| held.borrow_mut().batches += 1);
        Self(wake_all)
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let due = HELD.try_with(|held| {
            let mut held = held.borrow_mut();
            held.batches -= 1;
            (held.batches == 0 && !held.due.is_empty()).then(|| mem::take(&mut held.due))
        });
        let Ok(Some(mut due)) = due else {
            return;
        };
        // Wakers are others' code, which may wake in turn.
        (self.0)(&mut due.drain(..).rev());
        if due.capacity() <= KEPT {
            let _ = HELD.try_with(|held| {
                let mut held = held.borrow_mut();
                if held.due.is_empty() {
                    held.due = due;
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn wake_each(wakers: &mut dyn ExactSizeIterator<Item = Waker>) {
        wakers.for_each(Waker::wake);
    }

    #[test]
    fn without_a_batch_a_task_is_woken_at_once() {
        let count = Arc::new(Count::default());
        wake(Arc::clone(&count).into());
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_batch_wakes_when_the_outermost_ends() {
        let count = Arc::new(Count::default());
        let outer = Batch::begin(wake_each);
        let inner = Batch::begin(wake_each);
        wake(Arc::clone(&count).into());
        drop(inner);
        wake(Arc::clone(&count).into());
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        drop(outer);
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_batch_that_panics_wakes_too() {
        let count = Arc::new(Count::default());
        let waker = Arc::clone(&count);
        let panicked = std::panic::catch_unwind(move || {
            let _batch = Batch::begin(wake_each);
            wake(waker.into());
            panic!("on purpose");
        });
        assert!(panicked.is_err());
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }
}
