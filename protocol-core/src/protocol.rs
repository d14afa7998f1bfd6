//! How events travel: sets, the protocol that ties them to directions, and the two ends.
//!
//! Types only. Which bytes travel is the business of `wire`, who receives them of `router`.

use crate::event::EventInfo;
use crate::ids::{PeerId, RoomId};
use crate::wire::{DataError, RawData};

/// Events that belong together: an enum with one variant for each.
///
/// Implemented by `#[derive(EventSet)]`, which also generates the set's handler trait.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event set",
    label = "not an event set",
    note = "derive it on an enum of events: `#[derive(EventSet)] enum MySet {{ Moved(Moved) }}`"
)]
pub trait EventSet: Sized + Send + 'static {
    /// The set's Rust name.
    const NAME: &'static str;
    /// One row for each event, in the order of the variants.
    const EVENTS: &'static [EventInfo];

    /// Decodes the event at `index` of [`Self::EVENTS`]; an index past the end reads as the last.
    #[doc(hidden)]
    fn decode(index: usize, data: RawData<'_>) -> Result<Self, DataError>;
}

/// A set without requests, so that an inbox can hold its events.
#[doc(hidden)]
pub trait PassSet<D>: EventSet {}

/// An event that an inbox can hold. The parameter keeps the bound from being judged where a set is
/// derived rather than where an inbox is made.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "an inbox cannot hold `{Self}`: nobody would answer the request",
    label = "the set has a request",
    note = "implement the set's handler trait, or move the request to a set of its own"
)]
pub trait Inboxed<D> {}

#[diagnostic::do_not_recommend]
impl<D, E: crate::event::Pass> Inboxed<D> for E {}

/// Which event sets travel to the server, to the client and from peer to peer.
///
/// Implemented by `#[derive(Protocol)]` on a unit struct.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a protocol",
    label = "not a protocol",
    note = "derive it on a unit struct: `#[derive(Protocol)] #[protocol(version = \"1\", to_server = MySet)] struct MyProtocol;`"
)]
pub trait Protocol: Sized + Send + Sync + 'static {
    /// The protocol's name, by default the struct's in snake case.
    const NAME: &'static str;
    /// The version that its author gave it.
    const VERSION: &'static str;
    /// Sets that clients send to the server.
    #[doc(hidden)]
    type ToServer: Sets;
    /// Sets that the server sends to clients.
    #[doc(hidden)]
    type ToClient: Sets;
    /// Sets that clients send to each other.
    #[doc(hidden)]
    type ToPeer: Sets;
}

/// A list of sets: `()` or `(First, Rest)`. `Event` is the union of their events.
#[doc(hidden)]
pub trait Sets: Send + 'static {
    type Event: Send + 'static;
    /// The tables of the sets, to compare their wire names.
    const TABLES: Tables;
    fn locate(name: &str) -> Option<usize>;
    fn info(index: usize) -> Option<&'static EventInfo>;
    fn decode(index: usize, data: RawData<'_>) -> Result<Self::Event, DataError>;
}

/// The tables of a list of sets, linked: a constant cannot join slices.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Tables {
    pub first: &'static [EventInfo],
    pub rest: Option<&'static Self>,
}

/// The event of a list of sets: of its first set, or of the rest.
#[doc(hidden)]
#[derive(Debug)]
pub enum Either<A, B> {
    First(A),
    Rest(B),
}

/// The event of an empty list.
#[doc(hidden)]
#[derive(Debug)]
pub enum Never {}

impl Sets for () {
    type Event = Never;

    const TABLES: Tables = Tables {
        first: &[],
        rest: None,
    };

    fn locate(_name: &str) -> Option<usize> {
        None
    }

    fn info(_index: usize) -> Option<&'static EventInfo> {
        None
    }

    fn decode(_index: usize, _data: RawData<'_>) -> Result<Never, DataError> {
        Err(DataError {
            path: String::new(),
            expected: "an event of the protocol".into(),
        })
    }
}

impl<S: EventSet, R: Sets> Sets for (S, R) {
    type Event = Either<S, R::Event>;

    const TABLES: Tables = Tables {
        first: S::EVENTS,
        rest: Some(&R::TABLES),
    };

    fn locate(name: &str) -> Option<usize> {
        match S::EVENTS.iter().position(|event| event.name == name) {
            Some(index) => Some(index),
            None => R::locate(name).map(|index| index + S::EVENTS.len()),
        }
    }

    fn info(index: usize) -> Option<&'static EventInfo> {
        match index.checked_sub(S::EVENTS.len()) {
            None => S::EVENTS.get(index),
            Some(rest) => R::info(rest),
        }
    }

    fn decode(index: usize, data: RawData<'_>) -> Result<Self::Event, DataError> {
        match index.checked_sub(S::EVENTS.len()) {
            None => S::decode(index, data).map(Either::First),
            Some(rest) => R::decode(rest, data).map(Either::Rest),
        }
    }
}

/// The direction from a client to the server.
#[derive(Debug, Clone, Copy)]
pub struct ToServer;

/// The direction from the server to a client.
#[derive(Debug, Clone, Copy)]
pub struct ToClient;

/// The direction from a client to another client, through the server.
#[derive(Debug, Clone, Copy)]
pub struct ToPeer;

/// Protocol `Self` has set `S` in direction `D`.
#[diagnostic::on_unimplemented(
    message = "the events of `{S}` do not travel in direction `{D}` of protocol `{Self}`",
    label = "wrong direction: `{Self}` does not name `{S}` for `{D}`",
    note = "`client.send` and its like take `to_server` sets, the server's take `to_client`, `client.to(&peer)` takes `to_peer`; add `{S}` to that direction in `#[protocol(…)]`, or send an event that is there"
)]
pub trait Includes<D, S> {}

/// Event `Self` travels in direction `D` of protocol `P`, by its set `S`.
///
/// `S` is inferred; callers never name it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not travel in direction `{D}` of protocol `{P}`",
    label = "in no event set of `{P}`",
    note = "make it a variant of an `EventSet` and name that set in `#[protocol(…)]`"
)]
pub trait Travels<S, P, D> {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::AtServer {}
    impl Sealed for super::AtClient {}
    impl Sealed for super::AtPeer {}
}

/// Where a handler stands, and so what it may send.
pub trait Side: sealed::Sealed + Send + Sync + 'static {
    /// The direction of what a handler on this side sends.
    type Out;
    /// Whom an event on this side came from, beside the other end itself.
    #[doc(hidden)]
    type Origin: Origin;
}

/// A side at a client, where handlers reach other clients too: [`AtClient`] and [`AtPeer`].
pub trait ClientSide: Side {}

impl ClientSide for AtClient {}

impl ClientSide for AtPeer {}

/// Whom an event came from, beside the other end itself, and by which way.
#[doc(hidden)]
pub trait Origin: Clone + Send + Sync + 'static {
    fn peer(&self) -> Option<&PeerId>;
    fn room(&self) -> Option<&RoomId>;
}

impl Origin for () {
    fn peer(&self) -> Option<&PeerId> {
        None
    }

    fn room(&self) -> Option<&RoomId> {
        None
    }
}

/// A peer that sent an event to this one, or to a room that both are in.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct Sender {
    pub(crate) peer: PeerId,
    pub(crate) room: Option<RoomId>,
}

impl Origin for Sender {
    fn peer(&self) -> Option<&PeerId> {
        Some(&self.peer)
    }

    fn room(&self) -> Option<&RoomId> {
        self.room.as_ref()
    }
}

/// At the server, handling what clients send; sends [`ToClient`].
#[derive(Debug, Clone, Copy)]
pub struct AtServer;

/// At a client, handling what the server sends; sends [`ToServer`].
#[derive(Debug, Clone, Copy)]
pub struct AtClient;

/// At a client, handling what another client sends; sends [`ToPeer`].
#[derive(Debug, Clone, Copy)]
pub struct AtPeer;

impl Side for AtServer {
    type Out = ToClient;
    type Origin = ();
}

impl Side for AtClient {
    type Out = ToServer;
    type Origin = ();
}

impl Side for AtPeer {
    type Out = ToPeer;
    type Origin = Sender;
}
