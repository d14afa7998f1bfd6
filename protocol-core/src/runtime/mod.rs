//! Sockets, tasks and the clock: the only place that names tokio.

mod accept;
mod buffers;
mod client;
mod driver;
mod guard;
mod server;

pub use client::{Client, Connect, ConnectError, Connecting};
pub use server::{Bind, BindError, Server, ServerLimits, Starting};
