//! `#[derive(Event)]`: a struct that is a pass, a request or a response.
//!
//! Knows what may stand on an event and what must; what an event does is left to `protocol-core`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Data, DeriveInput, Ident, LitStr, Type};

use crate::attr::{self, Spec};
use crate::crate_path::CratePath;
use crate::ctxt::Ctxt;
use crate::data::{Shadow, refuse_generics};
use crate::fallback;
use crate::name::WireName;

const NAMESPACE: &str = "event";

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

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    match Model::parse(input) {
        Ok(model) => model.expand(),
        Err(errors) => {
            let krate = CratePath::find(&input.attrs, NAMESPACE);
            let errors = errors.into_compile_error();
            let stub = fallback::event(input, &krate);
            quote!(#errors #stub)
        }
    }
}

pub(crate) struct Model {
    krate: CratePath,
    ident: Ident,
    doc: String,
    /// None where the user brings the implementations of serde's traits.
    shadow: Option<Shadow>,
    kind: Kind,
}

enum Kind {
    Pass {
        sent: Sent,
        error: Option<TokenStream>,
    },
    Request {
        sent: Sent,
        response: TokenStream,
        error: Option<TokenStream>,
        concurrent: bool,
    },
    Response,
}

/// What an event has that travels under a name of its own.
struct Sent {
    name: WireName,
    timeout_ms: Option<u64>,
    max_size: Option<usize>,
}

impl Model {
    pub(crate) fn parse(input: &DeriveInput) -> syn::Result<Self> {
        let cx = Ctxt::new();
        let draft = Draft::read(&cx, input);
        let is_struct = check_shape(&cx, input);
        let kind = draft.kind(&cx, input);
        let has_shadow = is_struct && !draft.manual;
        let shadow = has_shadow.then(|| Shadow::read(&cx, input)).flatten();
        cx.finish(kind.map(|kind| Self {
            krate: draft.krate,
            ident: input.ident.clone(),
            doc: attr::docs(&input.attrs).join("\n"),
            shadow,
            kind,
        }))
    }
}

fn check_shape(cx: &Ctxt, input: &DeriveInput) -> bool {
    refuse_generics(cx, input, "an event");
    match &input.data {
        Data::Struct(_) => return true,
        Data::Enum(data) => cx.error(
            data.enum_token,
            "an event is a struct: put the enum, with `#[derive(EventData)]`, into a field of one",
        ),
        Data::Union(data) => {
            cx.error(
                data.union_token,
                "an event is a struct: a union cannot be serialized",
            );
        }
    }
    false
}

/// An attribute's value, and its key to point at where it does not belong.
struct Given<T> {
    key: Ident,
    value: T,
}

/// The attributes as they stand, before they are judged together.
#[derive(Default)]
struct Draft {
    krate: CratePath,
    kinds: Vec<Given<Word>>,
    name: Option<Given<LitStr>>,
    response: Option<Given<Type>>,
    error: Option<Given<Type>>,
    timeout_ms: Option<Given<u64>>,
    concurrent: Option<Given<()>>,
    max_size: Option<Given<usize>>,
    manual: bool,
}

impl Draft {
    fn read(cx: &Ctxt, input: &DeriveInput) -> Self {
        let mut draft = Self::default();
        attr::read(cx, &input.attrs, NAMESPACE, SPECS, |key, input| {
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
    fn kind(&self, cx: &Ctxt, input: &DeriveInput) -> Option<Kind> {
        let Some((kind, more)) = self.kinds.split_first() else {
            let message = "an event has a kind: add one of `pass`, `request`, `response`";
            match attr::first(&input.attrs, NAMESPACE) {
                Some(attr) => cx.error(&attr.meta, message),
                None => cx.error(&input.ident, format!("{message}, as in `#[event(pass)]`")),
            }
            return None;
        };
        for second in more {
            let message = format!(
                "an event has one kind and this one is a `{}` already",
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
        if self.response.is_none() {
            let message = "a request names what answers it: add `response = Type`, a struct with \
                           `#[event(response)]`";
            cx.error(&input.ident, message);
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

impl Model {
    fn expand(&self) -> TokenStream {
        let shadow = self
            .shadow
            .as_ref()
            .map(|shadow| shadow.expand(&self.krate));
        let event = match &self.kind {
            Kind::Pass { sent, error } => self.expand_pass(sent, error.as_ref()),
            Kind::Request {
                sent,
                response,
                error,
                concurrent,
            } => self.expand_request(sent, response, error.as_ref(), *concurrent),
            Kind::Response => self.expand_response(),
        };
        quote! {
            const _: () = {
                #shadow
                #event
            };
        }
    }

    fn expand_pass(&self, sent: &Sent, error: Option<&TokenStream>) -> TokenStream {
        let Self { krate, ident, .. } = self;
        let consts = self.consts(sent);
        let reply = Reply {
            krate,
            answer: &quote!(()),
            error,
        };
        quote! {
            #[automatically_derived]
            impl #krate::Event for #ident {
                const KIND: #krate::Kind = #krate::Kind::Pass;
                #consts
                #reply
            }

            #[automatically_derived]
            impl #krate::Pass for #ident {}
        }
    }

    fn expand_request(
        &self,
        sent: &Sent,
        response: &TokenStream,
        error: Option<&TokenStream>,
        concurrent: bool,
    ) -> TokenStream {
        let Self { krate, ident, .. } = self;
        let core = krate.core();
        let consts = self.consts(sent);
        let concurrent =
            concurrent.then(|| quote!(const CONCURRENT: #core::primitive::bool = true;));
        let reply = Reply {
            krate,
            answer: response,
            error,
        };
        quote! {
            #[automatically_derived]
            impl #krate::Event for #ident {
                const KIND: #krate::Kind = #krate::Kind::Request;
                #concurrent
                #consts
                #reply
            }

            #[automatically_derived]
            impl #krate::Request for #ident {}
        }
    }

    fn expand_response(&self) -> TokenStream {
        let Self { krate, ident, .. } = self;
        let type_info = self.type_info();
        quote! {
            #[automatically_derived]
            impl #krate::Response for #ident {
                #type_info
            }
        }
    }

    fn consts(&self, sent: &Sent) -> TokenStream {
        let core = self.krate.core();
        let name = &sent.name;
        let timeout = sent.timeout_ms.map(|ms| {
            quote! {
                const TIMEOUT: #core::option::Option<#core::time::Duration> =
                    #core::option::Option::Some(#core::time::Duration::from_millis(#ms));
            }
        });
        let max_size = sent.max_size.map(|bytes| {
            quote! {
                const MAX_SIZE: #core::option::Option<#core::primitive::usize> =
                    #core::option::Option::Some(#bytes);
            }
        });
        let type_info = self.type_info();
        quote! {
            const NAME: &'static #core::primitive::str = #name;
            #timeout
            #max_size
            #type_info
        }
    }

    fn type_info(&self) -> TokenStream {
        let private = self.krate.private();
        let name = self.ident.unraw().to_string();
        let doc = &self.doc;
        quote! {
            const TYPE: #private::TypeInfo = #private::TypeInfo { name: #name, doc: #doc };
        }
    }
}

/// What a handler returns and how it is told apart: `R`, or `Result<R, E>`.
struct Reply<'a> {
    krate: &'a CratePath,
    answer: &'a TokenStream,
    error: Option<&'a TokenStream>,
}

impl ToTokens for Reply<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self {
            krate,
            answer,
            error,
        } = self;
        let core = krate.core();
        let (reply, error, result) = match error {
            Some(error) => (
                quote!(#core::result::Result<#answer, #error>),
                error.to_token_stream(),
                quote!(reply),
            ),
            None => (
                answer.to_token_stream(),
                quote!(#core::convert::Infallible),
                quote!(#core::result::Result::Ok(reply)),
            ),
        };
        tokens.extend(quote! {
            type Reply = #reply;
            type Response = #answer;
            type Error = #error;

            fn into_result(
                reply: Self::Reply,
            ) -> #core::result::Result<Self::Response, Self::Error> {
                #result
            }
        });
    }
}
