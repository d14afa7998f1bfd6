//! The attributes of an event: first as they stand, then judged together.
//!
//! Knows which of them belong to which kind, nothing of the struct's fields or of expansions.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::ParseStream;
use syn::{DeriveInput, Ident, LitStr, Type};

use super::{Kind, NAMESPACE, Sent};
use crate::attr::{self, Spec};
use crate::crate_path::CratePath;
use crate::ctxt::Ctxt;
use crate::name::WireName;

#[derive(Clone, Copy)]
enum Key {
    Kind(Word),
    Name,
    Response,
    Error,
    Timeout,
    Concurrent,
    MaxSize,
    Serde,
    Crate,
}

#[derive(Clone, Copy)]
enum Word {
    Pass,
    Request,
    Response,
}

const SPECS: &[Spec<Key>] = &[
    Spec {
        name: "pass",
        form: "pass",
        key: Key::Kind(Word::Pass),
    },
    Spec {
        name: "request",
        form: "request",
        key: Key::Kind(Word::Request),
    },
    Spec {
        name: "response",
        form: "response",
        key: Key::Kind(Word::Response),
    },
    Spec {
        name: "name",
        form: "name = \"…\"",
        key: Key::Name,
    },
    Spec {
        name: "response",
        form: "response = Type",
        key: Key::Response,
    },
    Spec {
        name: "error",
        form: "error = Type",
        key: Key::Error,
    },
    Spec {
        name: "timeout",
        form: "timeout = \"2s\"",
        key: Key::Timeout,
    },
    Spec {
        name: "concurrent",
        form: "concurrent",
        key: Key::Concurrent,
    },
    Spec {
        name: "max_size",
        form: "max_size = \"4KiB\"",
        key: Key::MaxSize,
    },
    Spec {
        name: "serde",
        form: "serde = manual",
        key: Key::Serde,
    },
    Spec {
        name: "crate",
        form: "crate = \"path\"",
        key: Key::Crate,
    },
];

/// An attribute's value, and its key to point at where it does not belong.
struct Given<T> {
    key: Ident,
    value: T,
}

/// The attributes as they stand, before they are judged together.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) krate: CratePath,
    kinds: Vec<Given<Word>>,
    name: Option<Given<LitStr>>,
    response: Option<Given<Type>>,
    error: Option<Given<Type>>,
    timeout_ms: Option<Given<u64>>,
    concurrent: Option<Given<()>>,
    max_size: Option<Given<usize>>,
    /// What unknown keys are likely to mean.
    meant: Vec<Key>,
    /// Whether the user brings the implementations of serde's traits.
    pub(super) manual: bool,
}

impl Draft {
    pub(super) fn read(cx: &Ctxt, input: &DeriveInput) -> Self {
        let mut draft = Self::default();
        draft.meant = attr::read(cx, &input.attrs, NAMESPACE, SPECS, |key, input| {
            draft.take(&key, input)
        });
        draft
    }

    fn take(&mut self, key: &attr::Key<Key>, input: ParseStream<'_>) -> syn::Result<()> {
        match key.is {
            Key::Kind(word) => {
                self.kinds.push(Given {
                    key: key.ident.clone(),
                    value: word,
                });
                key.flag(input)?;
            }
            Key::Name => self.name = Some(Given::read(key, input)?),
            Key::Response => self.response = Some(Given::read(key, input)?),
            Key::Error => self.error = Some(Given::read(key, input)?),
            Key::Timeout => self.timeout_ms = Some(Given::read(key, input)?.map(timeout_ms)?),
            Key::Concurrent => {
                self.concurrent = Some(Given {
                    key: key.ident.clone(),
                    value: (),
                });
                key.flag(input)?;
            }
            Key::MaxSize => self.max_size = Some(Given::read(key, input)?.map(max_size)?),
            Key::Serde => {
                let word: Ident = key.value(input)?;
                self.manual = word == "manual";
                if !self.manual {
                    return Err(syn::Error::new(word.span(), "expected `serde = manual`"));
                }
            }
            Key::Crate => self.krate = CratePath::parse(&key.value(input)?)?,
        }
        Ok(())
    }

    /// What the attributes mean together. What is missing is reported at the attribute or struct,
    /// what is too much at its key.
    pub(super) fn kind(&self, cx: &Ctxt, input: &DeriveInput) -> Option<Kind> {
        let Some((kind, more)) = self.kinds.split_first() else {
            if self.means(|key| matches!(key, Key::Kind(_))) {
                return None;
            }
            let message = "an event has a kind: add one of `pass`, `request`, `response`";
            match attr::first(&input.attrs, NAMESPACE) {
                Some(attr) => cx.error(&attr.meta, message),
                None => cx.error(&input.ident, format!("{message}, as in `#[event(pass)]`")),
            }
            return None;
        };
        for second in more {
            let message = format!(
                "an event has one kind and this one is a `{}` already: remove one",
                kind.key
            );
            cx.error(&second.key, message);
        }
        if !more.is_empty() {
            return None;
        }
        match kind.value {
            Word::Pass => self.pass(cx, input),
            Word::Request => self.request(cx, input),
            Word::Response => {
                self.response(cx);
                Some(Kind::Response)
            }
        }
    }

    fn pass(&self, cx: &Ctxt, input: &DeriveInput) -> Option<Kind> {
        Given::refuse(
            cx,
            self.response.as_ref(),
            "a pass has no response: make it a `request`, or remove this",
        );
        Given::refuse(
            cx,
            self.concurrent.as_ref(),
            "passes are handled in order: make it a `request`, or remove this",
        );
        Some(Kind::Pass {
            sent: self.sent(cx, input)?,
            error: self.error_type(),
        })
    }

    fn request(&self, cx: &Ctxt, input: &DeriveInput) -> Option<Kind> {
        let fix = "a struct with `#[derive(Event)]` and `#[event(response)]`";
        match self.response.as_ref().map(|response| &response.value) {
            None if self.means(|key| matches!(key, Key::Response)) => {}
            None => {
                let missing = "a request names what answers it: add `response = Type`,";
                cx.error(&input.ident, format!("{missing} {fix}"));
            }
            Some(Type::Tuple(unit)) if unit.elems.is_empty() => {
                cx.error(
                    unit,
                    format!("a request is answered with a response event: name {fix}"),
                );
            }
            Some(_) => {}
        }
        Some(Kind::Request {
            sent: self.sent(cx, input)?,
            response: self.response.as_ref()?.value.to_token_stream(),
            error: self.error_type(),
            concurrent: self.concurrent.is_some(),
        })
    }

    fn response(&self, cx: &Ctxt) {
        Given::refuse(
            cx,
            self.name.as_ref(),
            "a response travels under the name of its request: remove this",
        );
        Given::refuse(
            cx,
            self.response.as_ref(),
            "a response is not answered: remove this",
        );
        let elsewhere = "this belongs on the request: remove it here";
        Given::refuse(cx, self.error.as_ref(), elsewhere);
        Given::refuse(cx, self.timeout_ms.as_ref(), elsewhere);
        Given::refuse(cx, self.concurrent.as_ref(), elsewhere);
        let unlimited = "a response is limited by the frame alone: remove this";
        Given::refuse(cx, self.max_size.as_ref(), unlimited);
    }

    fn sent(&self, cx: &Ctxt, input: &DeriveInput) -> Option<Sent> {
        let name = self.name.as_ref().map(|name| &name.value);
        Some(Sent {
            name: WireName::read(cx, name, &input.ident)?,
            timeout_ms: self.timeout_ms.as_ref().map(|timeout| timeout.value),
            max_size: self.max_size.as_ref().map(|max_size| max_size.value),
        })
    }

    /// Whether an unknown key, which is reported, is likely to mean one of these.
    fn means(&self, key: impl Fn(&Key) -> bool) -> bool {
        self.meant.iter().any(key)
    }

    fn error_type(&self) -> Option<TokenStream> {
        self.error
            .as_ref()
            .map(|error| error.value.to_token_stream())
    }
}

impl<T: syn::parse::Parse> Given<T> {
    fn read(key: &attr::Key<Key>, input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            key: key.ident.clone(),
            value: key.value(input)?,
        })
    }
}

impl<T> Given<T> {
    fn map<U>(self, parse: impl FnOnce(&T) -> syn::Result<U>) -> syn::Result<Given<U>> {
        let value = parse(&self.value)?;
        Ok(Given {
            key: self.key,
            value,
        })
    }

    fn refuse(cx: &Ctxt, given: Option<&Self>, message: &str) {
        if let Some(given) = given {
            cx.error(&given.key, message);
        }
    }
}

fn timeout_ms(literal: &LitStr) -> syn::Result<u64> {
    attr::quantity(literal, &[("ms", 1), ("s", 1_000), ("m", 60_000)]).ok_or_else(|| {
        let message = "expected a whole number above 0 and a unit: \"500ms\", \"2s\" or \"1m\"";
        syn::Error::new_spanned(literal, message)
    })
}

fn max_size(literal: &LitStr) -> syn::Result<usize> {
    let size = attr::quantity(literal, &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20)]);
    size.and_then(|size| usize::try_from(size).ok())
        .ok_or_else(|| {
            let message =
                "expected a whole number above 0 and a unit: \"512B\", \"4KiB\" or \"1MiB\"";
            syn::Error::new_spanned(literal, message)
        })
}
