//! Typed events over TCP: derive them, send them, confirm them, ask and answer.
//!
//! ```
//! use protocol_core::{Client, Context, Event, EventSet, Protocol, Server};
//!
//! #[derive(Debug, Event)]
//! #[event(request, response = Greeting)]
//! struct Hello {
//!     name: String,
//! }
//!
//! #[derive(Debug, Event)]
//! #[event(response)]
//! struct Greeting {
//!     text: String,
//! }
//!
//! #[derive(Debug, EventSet)] // also makes the trait `ToGreeterHandler`
//! enum ToGreeter {
//!     Hello(Hello),
//! }
//!
//! #[derive(Debug, Protocol)]
//! #[protocol(version = "1", to_server = ToGreeter)]
//! struct Greet;
//!
//! struct Greeter;
//!
//! impl ToGreeterHandler<Greet> for Greeter {
//!     async fn on_hello(&self, _cx: &Context<Greet>, event: Hello) -> Greeting {
//!         let text = format!("Hello, {}!", event.name);
//!         Greeting { text }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::<Greet>::bind("127.0.0.1:0").handle(Greeter).await?;
//! let client = Client::<Greet>::connect(server.address()).await?;
//! let name = "alice".to_owned();
//! assert_eq!(client.request(Hello { name }).await?.text, "Hello, alice!");
//! # Ok(())
//! # }
//! ```
//!
//! An **event** is a struct with a wire name and a kind: pass, request or response. An **event
//! set** is an enum of events that belong together. A **protocol** says which sets go to the
//! server, to the client, and from client to client. A handler receives the events of a set, and
//! the compiler checks that each set has one. On the wire an event is one line of JSON, which
//! `PROTOCOL.md` defines for every language.
//!
//! Links are plain TCP, which encrypts nothing and authenticates nobody, or encrypted, with proven
//! keys at both ends: `Connect::encrypted`, `Bind::encrypted`. A server relays between its
//! clients once it has a [`Relay`]; the crate `rendezvous` has one, with a login.
//!
//! | call | ends with `Ok` when | see |
//! | --- | --- | --- |
//! | `send(pass)` | it is in this end's queue | [`SendError`] |
//! | `confirm(pass)` | the other end's handler has run to its end, once | [`RequestError`] |
//! | `request(request)` | the answer is here | [`RequestError`] |
//!
//! A confirmed pass is handled at most once, in the order of the calls, and a request executed at most
//! once. Where a client has a session, both survive the loss of its link.
//!
//! What the server sends is handled at the client by `impl …Handler<P, AtClient> for …`
//! ([`AtClient`]), or queued by an [`inbox`]. Attributes stand with the derives: [`Event`],
//! [`EventData`], [`EventError`], [`EventSet`](derive@EventSet), [`Protocol`](derive@Protocol).
//! [`Limits`] bound everything that a peer can make this end hold or await; a [`Gate`] decides who
//! may send what to a server, a [`Relay`] who may reach whom through it.
//!
//! # The way of one event
//!
//! 1. `#[derive(Event)]` reads `Hello`'s attributes and fields and writes `impl Event`: its name,
//!    its kind and what its handler returns.
//! 2. `client.request(hello)` writes the frame up to its data, makes a waiter, and puts both into
//!    the bounded queue of the connection.
//! 3. The client's driver, the one task that owns connection and socket, takes it out. The
//!    connection gives it an id, remembers the waiter under it, and appends the rest of the frame.
//!    The codec turns frames into bytes, and the driver writes them at once with all else that is
//!    due.
//! 4. The server's driver reads, and the connection finds the line, scans it once and checks it.
//! 5. The router finds the event among the protocol's sets by its name and decodes the data once.
//! 6. The driver polls `on_hello` in place. Nothing is spawned for it.
//! 7. The reply is appended to the connection's output under the request's id. Replies to what was
//!    read together share a write.
//! 8. The client's connection finds the waiter by the id and hands it the data. The caller wakes and
//!    decodes it into a `Greeting`.
//!
//! # Modules
//!
//! | module | holds | must not know |
//! | --- | --- | --- |
//! | [`wire`] | frames and their JSON | sockets, time, which events exist |
//! | [`codec`] | frames ⇄ bytes on the socket | JSON, events, sockets |
//! | `ids`, `error` | names of ends; how sending fails and links end | events |
//! | `event`, `protocol` | what the derives implement | connections, handlers |
//! | [`connection`] | the state machine of one link, and of the session that outlives it: bytes and the time in; events, bytes and deadlines out | clocks, sockets, which events exist |
//! | [`connection::delivery`] | numbers, acknowledgements, answers that are kept | frames, links, who reaches whom |
//! | `router` | sets, handlers, contexts, calls | sockets, clocks, tokio |
//! | `runtime` | sockets, tasks, the clock: the only place that names tokio | JSON |
//! | [`metrics`] | names of what an operator watches | all else |
//!
//! Imports run one way: `wire` and `codec` ← `error`, `event` ← `protocol`, `connection` ← `router`
//! ← `runtime`.
//!
//! # When the link is lost
//!
//! A client that has logged in at a server of the crate `rendezvous` has a **session**, which goes on
//! without a link for its grace. The client gets another link by itself, and what it has open survives:
//!
//! | what | when the link is lost |
//! | --- | --- |
//! | confirmed passes, and requests to the server and to peers that were heard of | are sent again on the next link; their receivers run nothing twice |
//! | what waits in the queue, new calls | wait for the next link, each until its deadline |
//! | the first request to a peer, and calls to one that takes no numbers | end as [`RequestError::Lost`] |
//! | passes by `send` that were given to the link | are lost |
//! | passes of the server that must not be missed ([`Outlet`]) | are sent again |
//!
//! `Client::state` and `Client::states` say how the link stands: `Connected`, `Reconnecting`, `Resumed`,
//! and `Lost` once it has ended for good. Where the server or the receiver was started anew, nobody
//! knows what became of what was on its way to it: [`RequestError::Unknown`].
//!
//! Without a session, and where it has ended, every open call ends at once. One that still waited in the
//! queue ends as [`RequestError::NotSent`]; one that was given to the link ends as
//! [`RequestError::Lost`], and nobody can tell whether it was executed. Later calls end as `NotSent`.
//! `Client::closed` says when and why, and [`RequestError::is_retryable`],
//! [`RequestError::is_unknown`] and [`RequestError::is_closed`] what is known of a call.
//!
//! Events that had arrived are still handled. A handler that has begun runs on until it ends or
//! takes longer than [`Limits::handler_timeout`]; it can watch [`Context::closed`]. Its answer is kept
//! for its repetition if the call has a number, and else goes nowhere.
//!
//! A session is kept by a [`Keeper`] at the client and by [`Context::open_session`] at the server;
//! [`DeliveryLimits`] bound what it holds. `PROTOCOL.md` §12 has the rules.
//!
//! # Features
//!
//! - `noise` (default): encrypted links. Without it all links are plain.
//! - `runtime` (default): `Client` and `Server` on tokio. Without it the crate is the sans-IO core:
//!   events, [`wire`], [`codec`] and [`connection`], with no asynchronous runtime among its
//!   dependencies.
// The queue and the router are driven by a runtime; without one they wait for another. Opening a link
// takes little where all are plain.
#![cfg_attr(
    not(all(feature = "noise", feature = "runtime")),
    allow(dead_code, unreachable_pub, unused_imports)
)]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod codec;
pub mod connection;
mod error;
mod event;
mod ids;
pub mod metrics;
mod protocol;
mod router;
#[cfg(feature = "runtime")]
mod runtime;
pub mod wire;

#[cfg(feature = "noise")]
pub use codec::SecretKey;
pub use codec::{Encryption, KeyError, PeerIdentity, PublicKey};
pub use connection::{
    DeliveryLimits, Limits, Notice, Put, RateLimits, SessionTerms, StrangerLimits,
};
pub use error::{CloseReason, RequestError, SendError};
pub use event::{
    Answer, Event, EventError, EventInfo, Kind, Pass, Payload, Request, Response, TypeInfo,
};
pub use ids::{ConnectionId, IdError, MAX_PEER_ID_BYTES, PeerId, RoomId};
pub use protocol::{
    AtClient, AtPeer, AtServer, ClientSide, EventSet, Includes, Protocol, Side, ToClient, ToPeer,
    ToServer, Travels,
};
pub use protocol_derive::{Event, EventData, EventError, EventSet, Protocol};
pub use router::{
    Call, Context, Encoded, Gate, Greeted, Ignored, Inbox, InboxHandler, Keeper, Lane, LinkStatus,
    OpenGate, OpenRelay, Outlet, Peer, Queue, Received, Receivers, Recipient, Relay, Remote,
    Remotes, Room, Ungreeted, ignore, inbox, queue,
};
#[cfg(all(feature = "noise", feature = "runtime"))]
pub use runtime::keys;
#[cfg(feature = "runtime")]
pub use runtime::{
    Bind, BindError, Client, ClientState, ClientStates, Connect, ConnectError, Connecting, Server,
    ServerAddress, ServerLimits, Starting, ToSocketAddrs, Transport,
};
pub use wire::{ErrorCode, Json, WireError};
