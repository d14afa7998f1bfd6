//! What the code under test logs.
//!
//! One subscriber for the whole process, there before anything is logged: one that came later
//! might miss what another thread logs for the first time meanwhile.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

use protocol_tests::both;
use tracing_subscriber::fmt::MakeWriter;

thread_local! {
    /// What was logged on this thread, where somebody looks.
    static LOGGED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Runs a test, as [`both::run`] does.
pub(crate) fn run<T: Future<Output = ()> + Send + 'static>(test: impl Fn() -> T) {
    subscribe();
    both::run(test);
}

/// Runs a test on one thread, as [`both::run_on_one_thread`] does, and keeps what is logged there, at
/// every level.
pub(crate) fn run_logged<T: Future<Output = ()> + Send + 'static>(test: impl Fn() -> T) {
    subscribe();
    both::run_on_one_thread(|| {
        let test = test();
        async {
            LOGGED.set(Some(Vec::new()));
            test.await;
        }
    });
}

/// All that was logged since the test began.
pub(crate) fn text() -> String {
    let logged = LOGGED.with_borrow(|logged| logged.clone().expect("a test that looks at it"));
    String::from_utf8(logged).expect("text")
}

/// The only line with this word.
pub(crate) fn line(word: &str) -> String {
    let text = text();
    let lines: Vec<_> = text.lines().filter(|line| line.contains(word)).collect();
    assert_eq!(lines.len(), 1, "{word}: {text}");
    lines[0].to_owned()
}

fn subscribe() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(OfThread)
            .with_ansi(false)
            .init();
    });
}

struct OfThread;

impl io::Write for OfThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| {
            if let Some(logged) = logged {
                logged.extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for OfThread {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}
