//! Runs a test on a runtime of its own and ends it where it would hang.

use std::future::poll_fn;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// Far above what any test takes, also on a busy machine.
const AT_MOST: Duration = Duration::from_secs(30);

/// Runs `test` on two worker threads.
///
/// # Panics
///
/// Where the test does, or does not end.
pub fn run(test: impl Future<Output = ()> + Send + 'static) {
    watch(test, || {
        Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
    });
}

/// Runs `test` on one thread, where nothing happens beside it.
///
/// # Panics
///
/// Where the test does, or does not end.
pub fn run_on_one_thread(test: impl Future<Output = ()> + Send + 'static) {
    watch(test, || Builder::new_current_thread().enable_all().build());
}

/// Runs `test` on one thread whose clock stands still and jumps to the next deadline whenever
/// nothing is left to do.
///
/// # Panics
///
/// Where the test does, or does not end.
pub fn run_paused(test: impl Future<Output = ()> + Send + 'static) {
    watch(test, || {
        Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
    });
}

/// The watch is a thread outside the runtime, so that even a task that never yields is noticed.
fn watch(
    test: impl Future<Output = ()> + Send + 'static,
    runtime: fn() -> std::io::Result<Runtime>,
) {
    let (ended, end) = channel::<()>();
    let worker = thread::spawn(move || {
        let _ended = ended;
        runtime()
            .expect("the runtime starts")
            .block_on(async { tokio::spawn(test).await })
    });
    let hangs = end.recv_timeout(AT_MOST) == Err(RecvTimeoutError::Timeout);
    assert!(!hangs, "the test did not end within {AT_MOST:?}");
    let joined = worker.join().unwrap_or_else(|panic| resume_unwind(panic));
    if let Err(failed) = joined {
        resume_unwind(failed.into_panic());
    }
}

/// Polls `future` once; whether it is not ready yet.
pub async fn still_waits<F: Future + Unpin>(future: &mut F) -> bool {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx).is_pending())).await
}
