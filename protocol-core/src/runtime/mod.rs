//! Sockets, tasks and the clock: the only place that names tokio.

mod accept;
mod address;
mod bind;
mod buffers;
mod client;
mod connect;
mod connect_error;
mod driver;
mod guard;
#[cfg(feature = "noise")]
pub mod keys;
mod opening;
mod server;
mod states;
mod transport;
#[cfg(feature = "noise")]
mod trust;

use std::time::Instant;

pub use address::ServerAddress;
pub use bind::{Bind, BindError, Starting};
pub use client::Client;
pub use connect::{Connect, Connecting};
pub use connect_error::ConnectError;
pub use server::{Server, ServerLimits};
pub use states::{ClientState, ClientStates};
/// What a server listens on, such as `"127.0.0.1:7766"`.
pub use tokio::net::ToSocketAddrs;
pub use transport::Transport;

/// The runtime's time: the system's, unless a test has paused or moved it.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
