//! Derive macros of `protocol-core`, which re-exports them beside the traits of the same names.
//!
//! | derive | on | implements |
//! | --- | --- | --- |
//! | [`Event`] | a struct | `Serialize`, `Deserialize`, and `Event` with `Pass` or `Request`, or `Response` |
//! | [`EventData`] | a struct or enum inside events | `Serialize`, `Deserialize` |
//! | [`EventSet`] | an enum of events | `EventSet`, and generates the set's handler trait |
//! | [`Protocol`] | a unit struct | `Protocol` and `Includes` |
//! | [`EventError`] | an enum | `EventError` |
//!
//! Each derive reads its item into a model that cannot be wrong, and only then writes code:
//! constants, types and calls of `protocol_core::__private`. Everything that is wrong with an item
//! is reported at once, on the user's own tokens, and a stub stands in for it so that nothing else
//! fails on its account.

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

mod attr;
mod crate_path;
mod ctxt;
mod data;
mod error;
mod event;
mod fallback;
mod name;
mod protocol;
mod set;
#[cfg(test)]
mod tests;

/// Makes a struct of any shape an event: a pass, a request or a response.
///
/// ```text
/// #[derive(Debug, Clone, Event)]
/// #[event(pass)]                                  // wire name: "moved"
/// pub struct Moved { pub x: f32, pub y: f32, #[serde(default)] pub sprint: bool }
///
/// #[derive(Debug, Event)]
/// #[event(request, response = Seated, error = SeatError, timeout = "2s")]
/// pub struct TakeSeat { pub table: String }
///
/// #[derive(Debug, Event)]
/// #[event(response)]
/// pub struct Seated { pub seat: u8 }
/// ```
///
/// # Attributes
///
/// | in `#[event(…)]` | on | meaning |
/// | --- | --- | --- |
/// | `pass`, `request` or `response` | all | the kind; exactly one |
/// | `name = "…"` | pass, request | the wire name, 1 to 64 bytes of `[a-z0-9_.:-]`; by default the struct's name in snake case. A response travels under its request's name |
/// | `response = Type` | request | what answers it: a struct with `#[event(response)]` |
/// | `error = Type` | pass, request | why a handler may refuse: an enum that derives [`EventError`]. A pass is refused only where its sender asked for a confirmation |
/// | `timeout = "2s"` | pass, request | how long a confirmation or an answer is awaited where the call does not say; units `ms`, `s`, `m` |
/// | `concurrent` | request | its handler may run beside those of later events |
/// | `max_size = "4KiB"` | pass, request | the largest data that is sent or accepted; units `B`, `KiB`, `MiB` |
/// | `serde = manual` | all | `Serialize` and `Deserialize` are derived or written by the user |
/// | `crate = "path"` | all | where `protocol-core` is, if not at `::protocol_core` |
///
/// A handler returns `()` for a pass and the response for a request; with `error = E` it returns a
/// `Result` of that and `E`.
///
/// # Serialization
///
/// The derive implements serde's traits too, so the user's crate needs no serde. `#[serde(…)]` on
/// the struct and its fields means what it means to serde, but for `crate` and `remote`. Types of
/// fields have to be serializable: derive [`EventData`] for those of your own.
///
/// # Refused
///
/// Enums and unions (put an enum into a field), generic structs (an event's shape on the wire is
/// fixed), references in fields (an event owns its data), and the wire names `protocol_error` and
/// `cancel_request`.
#[proc_macro_derive(Event, attributes(event, serde))]
pub fn derive_event(input: TokenStream) -> TokenStream {
    event::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes a struct or enum serializable, so that it can stand inside an event.
///
/// ```text
/// #[derive(Debug, Clone, EventData)]
/// #[serde(rename_all = "snake_case")]
/// pub enum Direction { Left, Right, Towards { x: f32, y: f32 } }
/// ```
///
/// Implements serde's `Serialize` and `Deserialize` without the user's crate depending on serde.
/// `#[serde(…)]` attributes mean what they mean to serde, but for `crate` and `remote`.
///
/// `#[event_data(crate = "path")]` says where `protocol-core` is, if not at `::protocol_core`.
/// Unions and generic types are refused; a generic type can derive serde's traits itself.
#[proc_macro_derive(EventData, attributes(event_data, serde))]
pub fn derive_event_data(input: TokenStream) -> TokenStream {
    data::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes an enum a set of events that belong together, and generates the trait that handles them.
///
/// ```text
/// #[derive(Debug, EventSet)]
/// pub enum ToTable {
///     /// Somebody moved.
///     Moved(Moved),
///     TakeSeat(TakeSeat),
/// }
///
/// impl ToTableHandler<Poker> for Tables {
///     async fn on_moved(&self, cx: &Context<Poker>, event: Moved) { … }
///     async fn on_take_seat(&self, cx: &Context<Poker>, event: TakeSeat) -> Result<Seated, SeatError> { … }
/// }
/// ```
///
/// Each variant holds one event, a pass or a request. For a set `ToTable` the derive generates,
/// with the visibility of the enum,
///
/// ```text
/// pub trait ToTableHandler<P: Protocol, W: Side = AtServer>: Send + Sync + 'static {
///     fn on_moved(&self, cx: &Context<P, W>, event: Moved)
///         -> impl Future<Output = <Moved as Event>::Reply> + Send;
///     …
/// }
/// ```
///
/// No method has a default, so the compiler finds whatever is not handled. Doc comments of variants
/// become those of methods. `W` says where the handler stands: `AtServer`, `AtClient`, or `AtPeer`
/// for what other clients send.
///
/// `#[event_set(crate = "path")]` says where `protocol-core` is, if not at `::protocol_core`.
///
/// # Refused
///
/// Structs, unions, generic enums, an enum without variants, variants with no field, named fields
/// or several, two variants with one event type or one wire name, and responses: these travel under
/// the names of their requests.
#[proc_macro_derive(EventSet, attributes(event_set))]
pub fn derive_event_set(input: TokenStream) -> TokenStream {
    set::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes a unit struct a protocol: which event sets travel in which direction.
///
/// ```text
/// #[derive(Debug, Protocol)]
/// #[protocol(version = "1", to_server = (Login, ToTable), to_client = FromTable, to_peer = BetweenPlayers)]
/// pub struct Poker;
/// ```
///
/// # Attributes
///
/// | in `#[protocol(…)]` | meaning |
/// | --- | --- |
/// | `version = "…"` | which version of the protocol this is; required |
/// | `name = "…"` | the protocol's name; by default the struct's in snake case |
/// | `to_server = Sets` | what clients send to the server |
/// | `to_client = Sets` | what the server sends to clients |
/// | `to_peer = Sets` | what clients send to each other, through the server |
/// | `crate = "path"` | where `protocol-core` is, if not at `::protocol_core` |
///
/// `Sets` is one event set or a tuple of them; tuples may be nested. At least one direction has a
/// set. A set may stand in several directions, but not twice in one, and must be as visible as the
/// protocol. All events of one direction have different wire names.
#[proc_macro_derive(Protocol, attributes(protocol))]
pub fn derive_protocol(input: TokenStream) -> TokenStream {
    protocol::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes an enum the reason why handlers refuse an event, with a stable code for each variant.
///
/// ```text
/// #[derive(Debug, thiserror::Error, EventError)]
/// pub enum SeatError {
///     #[error("the table is full: {max} seats")]
///     Full { max: u8 },                            // code "full", data {"max":8}
///     #[error("somebody sits there")]
///     #[event_error(code = "seat_taken")]
///     Taken,                                       // code "seat_taken", no data
/// }
/// ```
///
/// The code is the variant's name in snake case, or what `#[event_error(code = "…")]` says; codes
/// are spelled like wire names. The data are the variant's fields: an object of named fields, the
/// value of a single unnamed one, an array of several. The message is the error's `Display`, so the
/// enum implements `std::error::Error`, by thiserror or by hand.
///
/// `#[serde(…)]` may stand on fields. `#[event_error(crate = "path")]` on the enum says where
/// `protocol-core` is, if not at `::protocol_core`.
///
/// # Refused
///
/// Structs, unions, generic enums, two variants with one code, and the codes that every participant
/// may send: `bad_frame`, `timeout`, `busy` and the other standard ones.
#[proc_macro_derive(EventError, attributes(event_error, serde))]
pub fn derive_event_error(input: TokenStream) -> TokenStream {
    error::derive(&parse_macro_input!(input as DeriveInput)).into()
}
