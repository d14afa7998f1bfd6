//! Runs a test on a runtime of its own and ends it where it would hang.

use std::future::poll_fn;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;

use crate::links::{Links, OfTest};

/// Far above what any test takes, also on a busy machine.
const AT_MOST: Duration = Duration::from_secs(30);

/// Runs `test` on two worker threads. Its links are plain.
///
/// # Panics
///
/// Where the test does, or does not end.
pub fn run(test: impl Future<Output = ()> + Send + 'static) {
    watch(&OfTest::new(Links::Plain), &mut two_threads(), test);
}

/// Runs `test` on one thread, where nothing happens beside it. Its links are plain.
///
/// # Panics
///
/// Where the test does, or does not end.
pub fn run_on_one_thread(test: impl Future<Output = ()> + Send + 'static) {
    watch(&OfTest::new(Links::Plain), &mut one_thread(), test);
}

/// Runs `test` on one thread whose clock stands still and jumps to the next deadline whenever
/// nothing is left to do. Its links are plain.
///
/// # Panics
///
/// Where the test does, or does not end.
pub fn run_paused(test: impl Future<Output = ()> + Send + 'static) {
    watch(&OfTest::new(Links::Plain), &mut paused(), test);
}

/// The same test over plain links, then over encrypted ones: ends that are made
/// [`plain_or_encrypted`](crate::PlainOrEncrypted::plain_or_encrypted), and [`Raw`](crate::Raw) ones,
/// are what the links of the test are. The thread that a failed test names says which they were.
pub mod both {
    use super::{Links, OfTest, one_thread, paused, two_threads, watch};

    /// Runs `test` twice on two worker threads.
    ///
    /// # Panics
    ///
    /// Where the test does, does not end, or has nothing to do with its links.
    pub fn run<T: Future<Output = ()> + Send + 'static>(test: impl Fn() -> T) {
        each(|of_test| watch(of_test, &mut two_threads(), test()));
    }

    /// Runs `test` twice on one thread, where nothing happens beside it.
    ///
    /// # Panics
    ///
    /// Where the test does, does not end, or has nothing to do with its links.
    pub fn run_on_one_thread<T: Future<Output = ()> + Send + 'static>(test: impl Fn() -> T) {
        each(|of_test| watch(of_test, &mut one_thread(), test()));
    }

    /// Runs `test` twice on one thread whose clock stands still and jumps to the next deadline
    /// whenever nothing is left to do.
    ///
    /// # Panics
    ///
    /// Where the test does, does not end, or has nothing to do with its links.
    pub fn run_paused<T: Future<Output = ()> + Send + 'static>(test: impl Fn() -> T) {
        each(|of_test| watch(of_test, &mut paused(), test()));
    }

    /// Runs `test` twice on this thread, where it has a runtime of its own.
    ///
    /// # Panics
    ///
    /// Where the test does, or has nothing to do with its links.
    pub fn call(test: impl Fn()) {
        each(|of_test| {
            of_test.begin();
            test();
        });
        OfTest::new(Links::Plain).begin();
    }

    fn each(run: impl Fn(&OfTest)) {
        for links in [Links::Plain, Links::Encrypted] {
            let of_test = OfTest::new(links);
            run(&of_test);
            // Otherwise it would prove the same twice.
            assert!(of_test.was_asked(), "no end of the test asks for {links}");
        }
    }
}

fn two_threads() -> Builder {
    let mut runtime = Builder::new_multi_thread();
    runtime.worker_threads(2);
    runtime
}

fn one_thread() -> Builder {
    Builder::new_current_thread()
}

fn paused() -> Builder {
    let mut runtime = one_thread();
    runtime.start_paused(true);
    runtime
}

/// The watch is a thread outside the runtime, so that even a task that never yields is noticed.
fn watch(of_test: &OfTest, runtime: &mut Builder, test: impl Future<Output = ()> + Send + 'static) {
    let (ended, end) = channel::<()>();
    let (on_worker, on_thread) = (of_test.clone(), of_test.clone());
    let links = of_test.links.to_string();
    let runtime = runtime
        .enable_all()
        .thread_name(&links)
        .on_thread_start(move || on_thread.begin())
        .build()
        .expect("the runtime starts");
    let worker = thread::Builder::new().name(links.clone());
    let worker = worker.spawn(move || {
        let _ended = ended;
        on_worker.begin();
        runtime.block_on(async { tokio::spawn(test).await })
    });
    let worker = worker.expect("a thread starts");
    let hangs = end.recv_timeout(AT_MOST) == Err(RecvTimeoutError::Timeout);
    assert!(!hangs, "over {links}, the test did not end in {AT_MOST:?}");
    let joined = worker.join().unwrap_or_else(|panic| resume_unwind(panic));
    if let Err(failed) = joined {
        resume_unwind(failed.into_panic());
    }
}

/// Polls `future` once; whether it is not ready yet.
pub async fn still_waits<F: Future + Unpin>(future: &mut F) -> bool {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx).is_pending())).await
}
