//! From a name to a handler: sets, the handlers mounted for them, what a handler can do.
//!
//! Knows events and connections' queues; never a socket, a clock or tokio.

mod call;
mod context;
mod gate;
mod inbox;
mod link;
mod mount;
mod reply;
mod send;
mod service;
mod target;

pub use call::Call;
pub use context::Context;
pub use gate::{Gate, OpenGate};
pub use inbox::{Inbox, InboxHandler, Received, inbox};
pub use mount::Dispatch;
pub(crate) use mount::{Serve, Unhandled};
pub use reply::ReplyBuffer;
pub use send::{Peer, Room};
pub use target::{Recipient, Remote, Remotes};

pub(crate) use link::LinkRef;
pub(crate) use link::{Hub, Link};
pub(crate) use send::{confirm, request, send};
pub(crate) use service::{Admitted, AtClientService, AtServerService, Service};
