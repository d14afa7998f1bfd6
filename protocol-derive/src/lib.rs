//! Derive macros of `protocol-core`.

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

/// An event.
#[proc_macro_derive(Event, attributes(event, serde))]
pub fn derive_event(input: TokenStream) -> TokenStream {
    event::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// Event data.
#[proc_macro_derive(EventData, attributes(event_data, serde))]
pub fn derive_event_data(input: TokenStream) -> TokenStream {
    data::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// An event set.
#[proc_macro_derive(EventSet, attributes(event_set))]
pub fn derive_event_set(input: TokenStream) -> TokenStream {
    set::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// A protocol.
#[proc_macro_derive(Protocol, attributes(protocol))]
pub fn derive_protocol(input: TokenStream) -> TokenStream {
    protocol::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// An event error.
#[proc_macro_derive(EventError, attributes(event_error, serde))]
pub fn derive_event_error(input: TokenStream) -> TokenStream {
    error::derive(&parse_macro_input!(input as DeriveInput)).into()
}
