//! A server on a thread of its own, which alone is counted.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use counting_allocator::Meter;
use protocol_core::{Protocol, Server};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// Far above what binding takes, also on a busy machine.
const AT_MOST: Duration = Duration::from_secs(30);

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) meter: Meter,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Starts what `open` makes, on one thread with nothing beside it.
pub(crate) fn start<P: Protocol, S>(open: impl FnOnce() -> S + Send + 'static) -> Running
where
    S: Future<Output = Server<P>>,
{
    let meter = Meter::new();
    let (opened, address) = mpsc::channel();
    let (stop, stopped) = oneshot::channel();
    let thread = thread::spawn(move || {
        meter.count_this_thread();
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime.expect("the runtime starts").block_on(async {
            let server = open().await;
            opened.send(server.address()).expect("the test waits");
            // It ends also where the test has failed.
            let _ = stopped.await;
            drop(server);
        });
    });
    Running {
        address: address.recv_timeout(AT_MOST).expect("the server binds"),
        meter,
        stop: Some(stop),
        thread: Some(thread),
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if !thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))), "the server panicked");
        }
    }
}
