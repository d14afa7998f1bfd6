//! Sockets, tasks and the clock: the only place that names tokio.

mod accept;
mod buffers;
mod client;
mod driver;
mod guard;
mod server;

use std::time::Instant;

pub use client::{Client, Connect, ConnectError, Connecting};
pub use server::{Bind, BindError, Server, ServerLimits, Starting};

/// The runtime's time: the system's, unless a test has paused or moved it.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
