//! The future that `send`, `confirm` and `request` return.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use crate::connection::{
    Expects, Outcome, Outgoing, OutgoingCall, Pushed, Share, Tried, Waiter, wakes,
};
use crate::ids::PeerId;
use crate::router::{Link, LinkRef};
use crate::wire::RawData;

/// An event on its way: what [`send`], [`confirm`] and [`request`] return. Nothing is sent before
/// it is awaited.
///
/// Dropping it before it is done ends the wait; the event may have been sent.
///
/// # Panics
///
/// When polled again after it was ready, like any future of an `async fn`; and where decoding the
/// answer panics in the user's own `Deserialize`.
///
/// [`send`]: crate::Context::send
/// [`confirm`]: crate::Context::confirm
/// [`request`]: crate::Context::request
#[must_use = "nothing is sent before the call is awaited"]
pub struct Call<'a, T> {
    state: State<'a, T>,
}

enum State<'a, T> {
    Ready(T),
    Unsent(Unsent<'a, T>),
    Many(Many<T>),
    Waiting(Waiting<'a, T>),
    Done,
}

struct Waiting<'a, T> {
    slot: Arc<Slot<T>>,
    link: LinkRef<'a>,
    /// Where the call is parked, if it found no place in the queue.
    ticket: Option<u64>,
}

pub(super) struct Unsent<'a, T> {
    pub(super) link: LinkRef<'a>,
    pub(super) frame: Vec<u8>,
    /// What comes back; none for a plain pass, whose frame is whole.
    pub(super) expects: Option<Expects>,
    pub(super) from: Option<PeerId>,
    pub(super) timeout: Duration,
    pub(super) read: Read<T>,
}

struct Many<T> {
    links: Vec<Arc<Link>>,
    frame: Arc<[u8]>,
    read: fn(usize) -> T,
}

/// Turns the end of a call, and how long it was willing to wait, into its result.
pub(super) type Read<T> = fn(Outcome<'_>, Duration) -> T;

/// No state is pinned: the slot is shared, the rest is plain data.
impl<T> Unpin for Call<'_, T> {}

impl<'a, T: Send + 'static> Call<'a, T> {
    pub(super) fn ready(result: T) -> Self {
        Self {
            state: State::Ready(result),
        }
    }

    pub(super) fn unsent(unsent: Unsent<'a, T>) -> Self {
        Self {
            state: State::Unsent(unsent),
        }
    }

    pub(super) fn many(links: Vec<Arc<Link>>, frame: Arc<[u8]>, read: fn(usize) -> T) -> Self {
        Self {
            state: State::Many(Many { links, frame, read }),
        }
    }

    /// Waits at most `timeout`, counted from the first poll: `send` for a place in the queue,
    /// `confirm` and `request` for their answer, a place in the queue included.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        if let State::Unsent(unsent) = &mut self.state {
            unsent.timeout = timeout;
        }
        self
    }
}

impl<T: Send + 'static> Future for Call<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<T> {
        match mem::replace(&mut self.state, State::Done) {
            State::Ready(result) => Poll::Ready(result),
            State::Unsent(unsent) => match unsent.send(cx.waker()) {
                Sent::Done(result) => Poll::Ready(result),
                Sent::Waiting(waiting) => {
                    self.state = State::Waiting(waiting);
                    Poll::Pending
                }
            },
            State::Many(Many { links, frame, read }) => {
                let queued = links
                    .iter()
                    .filter(|link| {
                        let shared = Outgoing::Shared(frame.clone());
                        link.outbox.try_push(shared, Share::Whole) == Tried::Queued
                    })
                    .count();
                Poll::Ready(read(queued))
            }
            State::Waiting(waiting) => match waiting.slot.poll(cx.waker()) {
                Poll::Ready(result) => Poll::Ready(result),
                Poll::Pending => {
                    self.state = State::Waiting(waiting);
                    Poll::Pending
                }
            },
            State::Done => panic!("a call was polled after it had ended"),
        }
    }
}

enum Sent<'a, T> {
    Done(T),
    Waiting(Waiting<'a, T>),
}

impl<'a, T: Send + 'static> Unsent<'a, T> {
    fn send(self, waker: &Waker) -> Sent<'a, T> {
        let Self {
            link,
            frame,
            expects,
            from,
            timeout,
            read,
        } = self;
        let mut slot = None;
        let mut new_slot = || {
            let made = Arc::new(Slot::new(waker.clone(), read, timeout));
            slot = Some(Arc::clone(&made));
            made as Arc<dyn Waiter>
        };
        // The waiter stands before the frame is queued, so no answer can come too early.
        let outgoing = match expects {
            None => Outgoing::Frame(frame),
            Some(expects) => Outgoing::Call(OutgoingCall {
                start: frame,
                expects,
                from,
                timeout,
                deadline: None,
                waiter: new_slot(),
            }),
        };
        let parked = match &outgoing {
            Outgoing::Call(call) => Some(Arc::clone(&call.waiter)),
            _ => None,
        };
        let pushed = link
            .outbox
            .push(outgoing, timeout, || parked.unwrap_or_else(&mut new_slot));
        let ticket = match pushed {
            Pushed::Closed(reason) => return Sent::Done(read(Outcome::NotSent(&reason), timeout)),
            Pushed::Parked(ticket) => Some(ticket),
            Pushed::Queued => None,
        };
        match slot {
            Some(slot) => Sent::Waiting(Waiting { slot, link, ticket }),
            None => Sent::Done(read(Outcome::Done(RawData::NULL), timeout)),
        }
    }
}

impl<T> Drop for Call<'_, T> {
    fn drop(&mut self) {
        if let State::Waiting(waiting) = &self.state
            && waiting.slot.abandon()
        {
            waiting.link.outbox.abandon(waiting.ticket);
        }
    }
}

impl<T> fmt::Debug for Call<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Ready(_) => "Call(ready)",
            State::Unsent(_) | State::Many(_) => "Call(not sent)",
            State::Waiting(_) => "Call(waiting)",
            State::Done => "Call(done)",
        })
    }
}

/// Where a call and the driver meet.
struct Slot<T> {
    state: Mutex<SlotState<T>>,
    read: Read<T>,
    timeout: Duration,
}

enum SlotState<T> {
    Waiting(Waker),
    /// The answer's data, which the caller's task decodes: that is its own work, and its panic if
    /// its `Deserialize` panics.
    Answered(String),
    Ended(T),
    Abandoned,
}

impl<T> Slot<T> {
    fn new(waker: Waker, read: Read<T>, timeout: Duration) -> Self {
        Self {
            state: Mutex::new(SlotState::Waiting(waker)),
            read,
            timeout,
        }
    }

    fn lock(&self) -> MutexGuard<'_, SlotState<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll(&self, waker: &Waker) -> Poll<T> {
        let mut state = self.lock();
        match mem::replace(&mut *state, SlotState::Abandoned) {
            SlotState::Ended(result) => Poll::Ready(result),
            SlotState::Answered(data) => {
                drop(state);
                let data = Outcome::Done(RawData::scanned(&data));
                Poll::Ready((self.read)(data, self.timeout))
            }
            SlotState::Waiting(kept) => {
                let kept = if kept.will_wake(waker) {
                    kept
                } else {
                    waker.clone()
                };
                *state = SlotState::Waiting(kept);
                Poll::Pending
            }
            SlotState::Abandoned => Poll::Pending,
        }
    }

    /// Whether somebody was still to complete it.
    fn abandon(&self) -> bool {
        matches!(
            mem::replace(&mut *self.lock(), SlotState::Abandoned),
            SlotState::Waiting(_)
        )
    }
}

impl<T: Send> Waiter for Slot<T> {
    fn complete(&self, outcome: Outcome<'_>) {
        self.answer(outcome, Vec::new());
    }

    fn answer(&self, outcome: Outcome<'_>, mut spare: Vec<u8>) {
        let ended = match outcome {
            Outcome::Done(data) => {
                spare.clear();
                let mut text = String::from_utf8(spare).unwrap_or_default();
                text.push_str(data.as_str());
                SlotState::Answered(text)
            }
            outcome => SlotState::Ended((self.read)(outcome, self.timeout)),
        };
        let mut state = self.lock();
        if let SlotState::Waiting(_) = &*state
            && let SlotState::Waiting(waker) = mem::replace(&mut *state, ended)
        {
            drop(state);
            wakes::wake_caller(waker);
        }
    }

    fn is_abandoned(&self) -> bool {
        matches!(*self.lock(), SlotState::Abandoned)
    }
}
