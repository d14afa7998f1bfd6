//! Wake-ups of other tasks, held back while a driver is at work and done together when it rests: who is
//! woken once a batch finds all of it.

use std::cell::RefCell;
use std::mem;
use std::task::Waker;

/// Places that a thread keeps for its next batch.
const KEPT: usize = 1_024;

/// So many readers are woken one after the other: that is as fair as the runtime's queue.
const FEW: usize = 8;

/// Wakes more than a few tasks, which it is given the last first.
pub(crate) type WakeMany = fn(&mut dyn ExactSizeIterator<Item = Waker>);

struct Held {
    /// How the batch wakes many; none where no batch is at work.
    many: Option<WakeMany>,
    /// Tasks that await answers of calls.
    callers: Vec<Waker>,
    /// Tasks with something new in their queue.
    readers: Vec<Waker>,
}

thread_local! {
    static HELD: RefCell<Held> = const {
        RefCell::new(Held {
            many: None,
            callers: Vec::new(),
            readers: Vec::new(),
        })
    };
}

/// Wakes a task whose call has ended: now, or at the end of the batch that is at work on this thread.
pub(crate) fn wake_caller(waker: Waker) {
    wake(waker, |held| &mut held.callers);
}

/// Wakes a task for which something was queued: now, or at the end of the batch.
pub(crate) fn wake_reader(waker: Waker) {
    wake(waker, |held| &mut held.readers);
}

fn wake(waker: Waker, list: fn(&mut Held) -> &mut Vec<Waker>) {
    let mut waker = Some(waker);
    // A thread that ends holds nothing back.
    let _ = HELD.try_with(|held| {
        let mut held = held.borrow_mut();
        if held.many.is_some() {
            list(&mut held).extend(waker.take());
        }
    });
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Holds wake-ups of this thread back until it is dropped.
pub(crate) struct Batch {
    /// One within another changes nothing.
    is_outermost: bool,
}

impl Batch {
    pub(crate) fn begin(many: WakeMany) -> Self {
        let begun = HELD.try_with(|held| held.borrow_mut().many.replace(many).is_none());
        Self {
            is_outermost: begun.unwrap_or(false),
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if self.is_outermost {
            release();
        }
    }
}

/// Does work that may take long, as a handler's: who is held back is woken before, and who is woken by
/// it at once.
pub(crate) fn at_once<T>(work: impl FnOnce() -> T) -> T {
    let _batch = release().map(Resumed);
    work()
}

/// A batch that goes on when this is dropped.
struct Resumed(WakeMany);

impl Drop for Resumed {
    fn drop(&mut self) {
        let _ = HELD.try_with(|held| held.borrow_mut().many = Some(self.0));
    }
}

/// Ends the batch, if one is at work, and wakes whom it held back.
fn release() -> Option<WakeMany> {
    let ended = HELD.try_with(|held| {
        let mut held = held.borrow_mut();
        // Most batches wake nobody.
        let wakes = !held.callers.is_empty() || !held.readers.is_empty();
        let lists = wakes.then(|| (mem::take(&mut held.callers), mem::take(&mut held.readers)));
        (held.many.take(), lists)
    });
    let (many, lists) = ended.unwrap_or_default();
    let Some((mut callers, mut readers)) = lists else {
        return many;
    };
    // Wakers are others' code, which may wake in turn.
    wake_all(&mut readers, FEW, many);
    wake_all(&mut callers, 1, many);
    let _ = HELD.try_with(|held| {
        let mut held = held.borrow_mut();
        keep(&mut held.callers, callers);
        keep(&mut held.readers, readers);
    });
    many
}

fn wake_all(wakers: &mut Vec<Waker>, few: usize, many: Option<WakeMany>) {
    match many {
        Some(many) if wakers.len() > few => many(&mut wakers.drain(..).rev()),
        _ => wakers.drain(..).for_each(Waker::wake),
    }
}

/// Keeps a list's places for the next batch.
fn keep(list: &mut Vec<Waker>, spare: Vec<Waker>) {
    if list.capacity() == 0 && spare.capacity() <= KEPT {
        *list = spare;
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
        wake_caller(Arc::clone(&count).into());
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_batch_wakes_when_the_outermost_ends() {
        let count = Arc::new(Count::default());
        let outer = Batch::begin(wake_each);
        let inner = Batch::begin(wake_each);
        wake_caller(Arc::clone(&count).into());
        drop(inner);
        wake_reader(Arc::clone(&count).into());
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        drop(outer);
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn work_that_may_take_long_holds_nobody_back() {
        let count = Arc::new(Count::default());
        let batch = Batch::begin(wake_each);
        wake_caller(Arc::clone(&count).into());
        at_once(|| {
            assert_eq!(count.0.load(Ordering::Relaxed), 1);
            wake_reader(Arc::clone(&count).into());
            assert_eq!(count.0.load(Ordering::Relaxed), 2);
        });
        wake_reader(Arc::clone(&count).into());
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        drop(batch);
        assert_eq!(count.0.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn a_batch_that_panics_wakes_too() {
        let count = Arc::new(Count::default());
        let waker = Arc::clone(&count);
        let panicked = std::panic::catch_unwind(move || {
            let _batch = Batch::begin(wake_each);
            wake_reader(waker.into());
            panic!("on purpose");
        });
        assert!(panicked.is_err());
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }
}
