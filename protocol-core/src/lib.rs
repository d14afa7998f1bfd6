//! Typed events over TCP.
// The queue and the router are driven by a runtime; without one they wait for another.
#![cfg_attr(not(feature = "runtime"), allow(dead_code, unreachable_pub, unused_imports))]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod codec;
pub mod connection;
mod error;
mod event;
mod ids;
mod protocol;
mod router;
#[cfg(feature = "runtime")]
mod runtime;
pub mod wire;

pub use connection::{Limits, Notice};
pub use error::{CloseReason, RequestError, SendError};
pub use event::{
    Answer, Event, EventError, EventInfo, Kind, Pass, Payload, Request, Response, TypeInfo,
};
pub use ids::{ConnectionId, IdError, MAX_PEER_ID_BYTES, PeerId, RoomId};
pub use protocol::{
    AtClient, AtPeer, AtServer, EventSet, Includes, Protocol, Side, ToClient, ToPeer, ToServer,
    Travels,
};
pub use protocol_derive::{Event, EventData, EventError, EventSet, Protocol};
pub use router::{
    Call, Context, Gate, Inbox, InboxHandler, OpenGate, Peer, Received, Recipient, Remote, Remotes,
    Room, inbox,
};
#[cfg(feature = "runtime")]
pub use runtime::{
    Bind, BindError, BindWith, Client, Connect, ConnectError, ConnectWith, Server, ServerLimits,
};
pub use wire::Json;
