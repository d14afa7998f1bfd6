//! Polls a handler so that its panic, or its never ending, is its own event's failure only.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::connection::wakes;

/// The handler's future, or another call of user code, panicked.
#[derive(Debug)]
pub(super) struct Panicked;

/// Polls `future` once. After [`Panicked`] it must not be polled again.
pub(super) fn poll<F: Future>(
    future: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<Result<F::Output, Panicked>> {
    match catch_unwind(AssertUnwindSafe(|| wakes::at_once(|| future.poll(cx)))) {
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(_) => Poll::Ready(Err(Panicked)),
    }
}

/// Calls user code that does not wait.
pub(super) fn call<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| Panicked)
}
