//! A poll of a driver as one batch: whom it wakes is woken at its end, all together.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use crate::connection::wakes;

pin_project! {
    pub(super) struct Batched<F> {
        #[pin]
        pub(super) work: F,
    }
}

impl<F: Future> Future for Batched<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _batch = wakes::Batch::begin(wake_many);
        self.project().work.poll(cx)
    }
}

/// Has tasks woken when the runtime next looks for events, as it would tasks that yield. Told of one
/// after the other, it calls another thread for each, which finds little to do each time; then it calls
/// one for all of them.
fn wake_many(wakers: &mut dyn ExactSizeIterator<Item = Waker>) {
    for waker in wakers {
        let yielding = pin!(tokio::task::yield_now());
        let _: Poll<()> = yielding.poll(&mut Context::from_waker(&waker));
    }
}
