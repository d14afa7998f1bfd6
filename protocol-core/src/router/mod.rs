//! From a name to a handler: sets, the handlers mounted for them, what a handler can do.
//!
//! Knows events and connections' queues; never a socket, a clock or tokio.

mod call;
mod context;
mod gate;
mod hub;
mod ignore;
mod inbox;
mod keeper;
mod link;
mod mount;
mod outlet;
mod receivers;
mod relay;
mod reply;
mod scratch;
mod send;
mod service;
pub(crate) mod spare;
mod target;

pub use call::Call;
pub use context::Context;
pub use gate::{Gate, OpenGate};
pub use ignore::{Ignored, ignore};
pub use inbox::{Inbox, InboxHandler, Queue, Received, inbox, queue};
pub use mount::Dispatch;
pub(crate) use mount::{Serve, Unhandled};
pub use outlet::{Encoded, Outlet};
pub use receivers::Receivers;
pub use relay::{OpenRelay, Relay};
pub use reply::ReplyBuffer;
pub use send::{Peer, Room};
pub use target::{Recipient, Remote, Remotes};

pub(crate) use hub::{Hub, Way};
pub(crate) use keeper::{AnyKeeper, Keep, Typed, Work};
pub use keeper::{Greeted, Keeper, Lane, Ungreeted};
pub use link::LinkStatus;
pub(crate) use link::{Link, LinkRef, Parcel};
pub(crate) use send::{confirm, request, send};
pub(crate) use service::{Admission, AtClientService, AtServerService, Service};
