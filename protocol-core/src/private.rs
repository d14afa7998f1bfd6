//! What generated code names. Not part of the public API: it may change in any release.

pub use ::core;
pub use ::serde;
pub use ::std;

pub use crate::event::TypeInfo;
pub use crate::protocol::{Either, Inboxed, Never, PassSet, Sets};
pub use crate::router::{Dispatch, ReplyBuffer};
pub use crate::wire::{DataError, EncodeError, RawData};

use crate::event::{Answer, EventError, EventInfo};
use crate::protocol::{Protocol, Tables};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A type that can be a field of an event. `V` is the type again, found only where it is: what a
/// derive does with the `V` of any other type is unknown to the compiler, and not reported.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel in an event: it is not serializable",
    label = "not serializable",
    note = "add `#[derive(EventData)]` to each struct and enum in it; for a foreign type use `#[serde(with = \"…\")]`, or `protocol_core::Json` for raw JSON"
)]
pub trait Field<V> {
    /// Naming it fails to compile where the type is not serializable.
    const ASSERT: () = ();

    fn as_value(&self) -> &V;

    fn from_value(value: V) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Field<T> for T {
    fn as_value(&self) -> &T {
        self
    }

    fn from_value(value: T) -> Self {
        value
    }
}

#[diagnostic::do_not_recommend]
impl<T: Unknown> Field<Unnamed> for T {
    fn as_value(&self) -> &Unnamed {
        self.never()
    }

    fn from_value(value: Unnamed) -> Self {
        match value {}
    }
}

/// A field's type for `#[serde(default)]`, with `V` as of [`Field`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no default, which `#[serde(default)]` asks for",
    label = "asks for `Default`",
    note = "add `#[derive(Default)]` to it, or name a function: `#[serde(default = \"path\")]`"
)]
pub trait Defaulted<V> {
    fn from_value(value: V) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Default> Defaulted<T> for T {
    fn from_value(value: T) -> Self {
        value
    }
}

#[diagnostic::do_not_recommend]
impl<T: Unknown> Defaulted<Unnamed> for T {
    fn from_value(value: Unnamed) -> Self {
        match value {}
    }
}

/// No type is this. The implementations that ask for it are there for there to be a second one:
/// with a single one the compiler would conclude on `V` before it knows that the type fits.
pub trait Unknown {
    fn never(&self) -> !;
}

pub enum Unnamed {}

/// Stands in the stubs of items that a derive refused. Such a program does not compile, so this never
/// runs.
///
/// # Panics
///
/// If it ever does.
pub fn refused() -> ! {
    unreachable!("an item that its derive refused does not compile")
}

/// Decodes an event's data.
///
/// # Errors
///
/// Names the JSON path and what was expected there.
pub fn decode<T: DeserializeOwned>(data: RawData<'_>) -> Result<T, DataError> {
    crate::wire::decode_data(data)
}

/// Appends data as JSON.
///
/// # Errors
///
/// Where a `Serialize` implementation fails or nests too deep.
pub fn encode<T: Serialize + ?Sized>(out: &mut Vec<u8>, data: &T) -> Result<(), EncodeError> {
    crate::wire::write_data(out, data)
}

/// Writes a handler's answer or refusal into the buffer of its exchange. The types are not bound to
/// one event, so that a set's member that is no event is reported once.
pub fn reply<R: Answer, E: EventError>(result: Result<R, E>, buffer: ReplyBuffer) -> ReplyBuffer {
    buffer.fill(result)
}

/// Refuses, at compile time, an event whose wire name an earlier one of `events` has.
///
/// # Panics
///
/// During constant evaluation, naming both events.
#[track_caller]
pub const fn assert_unique_in_set(events: &[EventInfo], index: usize) {
    let event = &events[index];
    let mut earlier = 0;
    while earlier < index {
        if same(events[earlier].name, event.name) {
            refuse_clash(events[earlier].event.name, event.event.name, event.name);
        }
        earlier += 1;
    }
}

/// Refuses, at compile time, sets of one direction that share a wire name.
///
/// # Panics
///
/// During constant evaluation, naming both events.
#[track_caller]
pub const fn assert_disjoint<P: Protocol>() {
    assert_tables(<P::ToServer as Sets>::TABLES);
    assert_tables(<P::ToClient as Sets>::TABLES);
    assert_tables(<P::ToPeer as Sets>::TABLES);
}

#[track_caller]
const fn assert_tables(mut tables: Tables) {
    while let Some(rest) = tables.rest {
        let mut later = *rest;
        loop {
            assert_pair(tables.first, later.first);
            match later.rest {
                Some(rest) => later = *rest,
                None => break,
            }
        }
        tables = *rest;
    }
}

#[track_caller]
const fn assert_pair(left: &[EventInfo], right: &[EventInfo]) {
    let mut l = 0;
    while l < left.len() {
        let mut r = 0;
        while r < right.len() {
            if same(left[l].name, right[r].name) {
                refuse_clash(left[l].event.name, right[r].event.name, right[r].name);
            }
            r += 1;
        }
        l += 1;
    }
}

const fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut at = 0;
    while at < left.len() {
        if left[at] != right[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[track_caller]
const fn refuse_clash(first: &str, second: &str, name: &str) -> ! {
    let mut text = Text::new();
    text.push("`");
    text.push(first);
    text.push("` and `");
    text.push(second);
    text.push("` share the wire name `");
    text.push(name);
    text.push("`: rename one with `#[event(name = \"…\")]`, or take one out");
    text.panic()
}

/// Constant evaluation has no formatting, so the message is put together by hand.
struct Text {
    bytes: [u8; 512],
    len: usize,
}

impl Text {
    const fn new() -> Self {
        Self {
            bytes: [0; 512],
            len: 0,
        }
    }

    const fn push(&mut self, text: &str) {
        let text = text.as_bytes();
        let mut at = 0;
        while at < text.len() && self.len < self.bytes.len() {
            self.bytes[self.len] = text[at];
            self.len += 1;
            at += 1;
        }
    }

    #[track_caller]
    const fn panic(&self) -> ! {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => panic!("{}", text),
            Err(_) => panic!("two events share one wire name"),
        }
    }
}
