//! What an event is: its traits, kinds and the table that describes it.
//!
//! Knows nothing of connections, handlers or how bytes travel; the derives implement these traits.

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::wire::{DataError, EncodeError, RawData};

/// What an event expects of its receiver (`PROTOCOL.md` §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Expects no answer; its sender may ask for a confirmation at the call.
    Pass,
    /// Is answered by a response or an error.
    Request,
    /// Answers a request, under the request's wire name.
    Response,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Request => "request",
            Self::Response => "response",
        })
    }
}

/// Data that an event can carry: serializable both ways, owned and sendable.
///
/// Implemented for every type that serde can write and read.
pub trait Payload: Serialize + DeserializeOwned + Send + 'static {}

impl<T: Serialize + DeserializeOwned + Send + 'static> Payload for T {}

/// A pass or a request: what one end sends and a handler of the other end receives.
///
/// Implemented by `#[derive(Event)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a pass or request event",
    label = "neither a pass nor a request",
    note = "derive it: `#[derive(Event)]` with `#[event(pass)]` or `#[event(request, response = …)]`; a response is in no set, it travels under the name of its request"
)]
pub trait Event: Payload {
    /// The event's name on the wire: 1 to 64 bytes of `[a-z0-9_.:-]`.
    const NAME: &'static str;
    /// [`Kind::Pass`] or [`Kind::Request`].
    const KIND: Kind;
    /// Whether the event's handler may run beside the handlers of later events.
    const CONCURRENT: bool = false;
    /// How long a confirmation, an answer, or for `send` a place in the queue is awaited where the
    /// call names no timeout.
    const TIMEOUT: Option<Duration> = None;
    /// The largest `data` in bytes that is sent or accepted; none leaves it to the frame's limit.
    const MAX_SIZE: Option<usize> = None;
    /// The Rust type's name and documentation, for schemas.
    #[doc(hidden)]
    const TYPE: TypeInfo;

    /// What the event's handler returns: `()`, `Result<(), E>`, `R` or `Result<R, E>`.
    type Reply: Send;
    /// What a request is answered with; `()` for a pass.
    type Response: Answer;
    /// Why the handler refuses; [`Infallible`] where the event names no error.
    type Error: EventError;

    /// The event's row in the tables of its sets.
    #[doc(hidden)]
    const INFO: EventInfo = EventInfo::of::<Self>();

    /// Reads the event's data.
    #[doc(hidden)]
    fn decode(data: RawData<'_>) -> Result<Self, DataError> {
        crate::wire::decode_data(data)
    }

    /// Splits a handler's reply into answer and refusal.
    #[doc(hidden)]
    fn into_result(reply: Self::Reply) -> Result<Self::Response, Self::Error>;
}

/// An event that expects no answer. Sent with `send`, or with `confirm` to learn that it was
/// processed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a pass event",
    label = "not a pass event",
    note = "`send`, `confirm` and inboxes take events with `#[event(pass)]`; call `request` with a request"
)]
pub trait Pass: Event<Response = ()> {}

/// An event that is answered with its [`Event::Response`]. Sent with `request`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a request event",
    label = "not a request event",
    note = "`request` takes events with `#[event(request, response = …)]`; call `send` or `confirm` with a pass"
)]
pub trait Request: Event {}

/// Data that answers requests. It has no name of its own, so one type can answer several requests.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a response event",
    label = "not a response event",
    note = "derive it: `#[derive(Event)]` with `#[event(response)]`"
)]
pub trait Response: Payload {
    /// The Rust type's name and documentation, for schemas.
    #[doc(hidden)]
    const TYPE: TypeInfo;
}

/// What can stand behind [`Event::Response`]: `()` or a [`Response`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a response event",
    label = "not a response event",
    note = "derive it: `#[derive(Event)]` with `#[event(response)]`"
)]
pub trait Answer: Payload {
    #[doc(hidden)]
    const TYPE: Option<TypeInfo>;
}

#[diagnostic::do_not_recommend]
impl Answer for () {
    const TYPE: Option<TypeInfo> = None;
}

#[diagnostic::do_not_recommend]
impl<T: Response> Answer for T {
    const TYPE: Option<TypeInfo> = Some(<T as Response>::TYPE);
}

/// Why a handler refuses an event, with a stable code on the wire (`PROTOCOL.md` §5).
///
/// Implemented by `#[derive(EventError)]`; the message is the error's `Display`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event error",
    label = "not an event error",
    note = "derive it on an enum: `#[derive(Debug, thiserror::Error, EventError)]`"
)]
pub trait EventError: std::error::Error + Send + Sync + Sized + 'static {
    /// The codes of all variants.
    const CODES: &'static [&'static str];

    /// The code of this error on the wire, unique among [`Self::CODES`].
    fn code(&self) -> &'static str;

    /// Appends the variant's fields as JSON; `false` where it has none.
    #[doc(hidden)]
    fn write_data(&self, out: &mut Vec<u8>) -> Result<bool, EncodeError>;

    /// The error that a code and its data stand for; `None` for a code of a newer version.
    #[doc(hidden)]
    fn read(code: &str, data: RawData<'_>) -> Option<Result<Self, DataError>>;
}

impl EventError for Infallible {
    const CODES: &'static [&'static str] = &[];

    fn code(&self) -> &'static str {
        match *self {}
    }

    fn write_data(&self, _out: &mut Vec<u8>) -> Result<bool, EncodeError> {
        match *self {}
    }

    fn read(_code: &str, _data: RawData<'_>) -> Option<Result<Self, DataError>> {
        None
    }
}

/// The Rust side of an event: its type's name and documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeInfo {
    /// The type's name as its author wrote it.
    pub name: &'static str,
    /// The type's doc comment; empty where it has none.
    pub doc: &'static str,
}

/// One row of an event set's table: what a schema needs to know of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventInfo {
    /// The wire name.
    pub name: &'static str,
    /// [`Kind::Pass`] or [`Kind::Request`].
    pub kind: Kind,
    /// Whether its handler may run beside later ones.
    pub concurrent: bool,
    /// The largest `data` in bytes, where the event names one.
    pub max_size: Option<usize>,
    /// The event's Rust type.
    pub event: TypeInfo,
    /// The response's Rust type; none for a pass.
    pub response: Option<TypeInfo>,
    /// The codes of the event's own errors.
    pub error_codes: &'static [&'static str],
}

impl EventInfo {
    /// The row of event `E`.
    pub const fn of<E: Event>() -> Self {
        Self {
            name: E::NAME,
            kind: E::KIND,
            concurrent: E::CONCURRENT,
            max_size: E::MAX_SIZE,
            event: E::TYPE,
            response: <E::Response as Answer>::TYPE,
            error_codes: <E::Error as EventError>::CODES,
        }
    }
}
