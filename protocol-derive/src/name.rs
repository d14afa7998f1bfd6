//! Names: what stands on the wire for a Rust name, and which of them are refused.
//!
//! Knows the rules of `PROTOCOL.md` for names and codes, nothing of attributes or expansions.

use heck::ToSnakeCase;
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Ident, LitStr};

use crate::ctxt::Ctxt;

/// The longest name in bytes.
const MAX_LEN: usize = 64;

/// Names that the protocol itself uses.
const RESERVED: [&str; 3] = ["protocol_error", "cancel_request", "session_over"];

/// Codes that every participant may send, so that no event can mean something else by them.
const STANDARD_CODES: [&str; 26] = [
    "bad_frame",
    "bad_type",
    "too_large",
    "too_deep",
    "unknown_event",
    "bad_data",
    "not_logged_in",
    "rate_limited",
    "timeout",
    "unavailable",
    "shutting_down",
    "internal",
    "busy",
    "encryption_required",
    "encryption_refused",
    "peer_not_found",
    "peer_reconnecting",
    "peer_slow",
    "no_handler",
    "not_allowed",
    "peer_gone",
    "expect",
    "stale_dest",
    "expired",
    "id_conflict",
    "slow_consumer",
];

/// An event's name on the wire: 1 to 64 bytes of `[a-z0-9_.:-]`, not reserved.
#[derive(Debug)]
pub(crate) struct WireName(String);

impl WireName {
    /// The name that the user wrote, or the struct's in snake case.
    pub(crate) fn read(cx: &Ctxt, given: Option<&LitStr>, ident: &Ident) -> Option<Self> {
        let (name, fix) = match given {
            Some(literal) => (literal.value(), "choose another"),
            None => (snake_case(ident), "give one with `#[event(name = \"…\")]`"),
        };
        let wrong = match grammar(&name) {
            Err(wrong) => format!("{wrong}; {fix}"),
            Ok(()) if RESERVED.contains(&name.as_str()) => {
                format!("the wire name `{name}` is reserved for the protocol itself; {fix}")
            }
            Ok(()) => return Some(Self(name)),
        };
        report(cx, given, ident, wrong);
        None
    }
}

impl ToTokens for WireName {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

/// An error's code on the wire, spelled like a name and none of the standard codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Code(String);

impl Code {
    /// The code that the user wrote, or the variant's name in snake case.
    pub(crate) fn read(cx: &Ctxt, given: Option<&LitStr>, variant: &Ident) -> Option<Self> {
        let code = given.map_or_else(|| snake_case(variant), LitStr::value);
        let fix = "give the variant another code with `#[event_error(code = \"…\")]`";
        let wrong = match grammar(&code) {
            Err(wrong) => format!("{wrong}; {fix}"),
            Ok(()) if STANDARD_CODES.contains(&code.as_str()) => {
                format!("`{code}` is a standard code of the wire; {fix}")
            }
            Ok(()) => return Some(Self(code)),
        };
        report(cx, given, variant, wrong);
        None
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl ToTokens for Code {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

/// `TakeSeat` → `take_seat`; a raw identifier loses its `r#`.
pub(crate) fn snake_case(ident: &Ident) -> String {
    ident.unraw().to_string().to_snake_case()
}

fn grammar(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("a name on the wire has at least one character".to_owned());
    }
    if name.len() > MAX_LEN {
        let len = name.len();
        return Err(format!(
            "`{name}` has {len} bytes, a name on the wire at most {MAX_LEN}"
        ));
    }
    match name
        .chars()
        .find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '_' | '.' | ':' | '-'))
    {
        Some(c) => Err(format!(
            "`{c}` cannot stand in a name on the wire, only `[a-z0-9_.:-]`"
        )),
        None => Ok(()),
    }
}

fn report(cx: &Ctxt, given: Option<&LitStr>, ident: &Ident, message: String) {
    match given {
        Some(literal) => cx.error(literal, message),
        None => cx.error(ident, message),
    }
}
