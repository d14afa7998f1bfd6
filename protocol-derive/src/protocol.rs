//! `#[derive(Protocol)]`: a unit struct that ties event sets to directions.
//!
//! Knows sets as types; whether their wire names clash is found by constant evaluation.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, Ident, LitStr, Type};

use crate::attr::{self, Spec};
use crate::crate_path::{CratePath, in_const, located, respan};
use crate::ctxt::Ctxt;
use crate::data::refuse_generics;
use crate::fallback;
use crate::name::snake_case;
use crate::set::same_tokens;

const NAMESPACE: &str = "protocol";

#[derive(Clone, Copy)]
enum Key {
    Version,
    Name,
    ToServer,
    ToClient,
    ToPeer,
    Crate,
}

const SPECS: &[Spec<Key>] = &[
    Spec {
        name: "version",
        form: "version = \"1\"",
        key: Key::Version,
    },
    Spec {
        name: "name",
        form: "name = \"…\"",
        key: Key::Name,
    },
    Spec {
        name: "to_server",
        form: "to_server = Sets",
        key: Key::ToServer,
    },
    Spec {
        name: "to_client",
        form: "to_client = Sets",
        key: Key::ToClient,
    },
    Spec {
        name: "to_peer",
        form: "to_peer = Sets",
        key: Key::ToPeer,
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
        Err(refused) => {
            let Refused {
                errors,
                krate,
                directions,
            } = *refused;
            let errors = errors.into_compile_error();
            let stub = fallback::protocol(input, &krate, &directions);
            quote!(#errors #stub)
        }
    }
}

pub(crate) struct Model {
    krate: CratePath,
    ident: Ident,
    name: String,
    version: String,
    directions: Directions,
}

#[derive(Default)]
pub(crate) struct Directions {
    server: Direction,
    client: Direction,
    peer: Direction,
}

/// The sets of one direction, flat and in the user's order.
#[derive(Default)]
struct Direction {
    sets: Vec<Type>,
    /// The user's value, to point at where a set is none.
    span: Option<Span>,
}

/// A protocol with mistakes, and its directions without them.
pub(crate) struct Refused {
    pub(crate) errors: syn::Error,
    krate: CratePath,
    directions: Directions,
}

#[derive(Default)]
struct Draft {
    krate: CratePath,
    version: Option<LitStr>,
    name: Option<LitStr>,
    directions: Directions,
    /// Whether anything stands for a set, even if it was refused.
    has_sets: bool,
    /// What unknown keys are likely to mean.
    meant: Vec<Key>,
}

impl Model {
    pub(crate) fn parse(input: &DeriveInput) -> Result<Self, Box<Refused>> {
        let cx = Ctxt::new();
        let mut draft = Draft::default();
        draft.meant = attr::read(&cx, &input.attrs, NAMESPACE, SPECS, |key, input| {
            draft.take(&cx, &key, input)
        });
        refuse_generics(&cx, input, "a protocol");
        check_shape(&cx, input);
        draft.check_sets(&cx, input);
        let texts = draft.texts(&cx, input);
        let Draft {
            krate, directions, ..
        } = draft;
        match cx.finish(texts) {
            Ok((name, version)) => Ok(Self {
                krate,
                ident: input.ident.clone(),
                name,
                version,
                directions,
            }),
            Err(errors) => Err(Box::new(Refused {
                errors,
                krate,
                directions,
            })),
        }
    }
}

fn check_shape(cx: &Ctxt, input: &DeriveInput) {
    let fix = "a protocol is a unit struct: write `struct MyProtocol;`";
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Unit => {}
            fields => cx.error(fields, fix),
        },
        Data::Enum(data) => cx.error(data.enum_token, fix),
        Data::Union(data) => cx.error(data.union_token, fix),
    }
}

impl Draft {
    fn take(&mut self, cx: &Ctxt, key: &attr::Key<Key>, input: ParseStream<'_>) -> syn::Result<()> {
        let direction = match key.is {
            Key::Version => {
                self.version = Some(key.value(input)?);
                return Ok(());
            }
            Key::Name => {
                self.name = Some(key.value(input)?);
                return Ok(());
            }
            Key::Crate => {
                self.krate = CratePath::parse(&key.value(input)?)?;
                return Ok(());
            }
            Key::ToServer => &mut self.directions.server,
            Key::ToClient => &mut self.directions.client,
            Key::ToPeer => &mut self.directions.peer,
        };
        let value: Type = key.value(input)?;
        direction.span = Some(match &value {
            Type::Tuple(tuple) => tuple.paren_token.span.join(),
            set => set.span(),
        });
        self.has_sets |= flatten(cx, value, &mut direction.sets);
        Ok(())
    }

    fn check_sets(&self, cx: &Ctxt, input: &DeriveInput) {
        let is_set = |key: &Key| matches!(key, Key::ToServer | Key::ToClient | Key::ToPeer);
        if self.has_sets || self.meant.iter().any(is_set) {
            return;
        }
        let message = "a protocol has at least one event set: add `to_server`, `to_client` or \
                       `to_peer`, as in `#[protocol(version = \"1\", to_server = MySet)]`";
        match attr::first(&input.attrs, NAMESPACE) {
            Some(attr) => cx.error(&attr.meta, message),
            None => cx.error(&input.ident, message),
        }
    }

    /// The name and the version.
    fn texts(&self, cx: &Ctxt, input: &DeriveInput) -> Option<(String, String)> {
        for (what, literal) in [("name", &self.name), ("version", &self.version)] {
            if let Some(literal) = literal
                && literal.value().is_empty()
            {
                cx.error(
                    literal,
                    format!("a protocol's {what} has at least one character"),
                );
            }
        }
        let is_version = |key: &Key| matches!(key, Key::Version);
        if self.version.is_none() && !self.meant.iter().any(is_version) {
            let message = "a protocol has a version: add `version = \"1\"`";
            match attr::first(&input.attrs, NAMESPACE) {
                Some(attr) => cx.error(&attr.meta, message),
                None => cx.error(&input.ident, message),
            }
        }
        let name = self
            .name
            .as_ref()
            .map_or_else(|| snake_case(&input.ident), LitStr::value);
        Some((name, self.version.as_ref()?.value()))
    }
}

/// Reads a set or a tuple of them, nested as deep as the user likes; whether anything was there.
fn flatten(cx: &Ctxt, sets: Type, into: &mut Vec<Type>) -> bool {
    match sets {
        Type::Tuple(tuple) => {
            let mut any = false;
            for set in tuple.elems {
                any |= flatten(cx, set, into);
            }
            any
        }
        Type::Paren(paren) => flatten(cx, *paren.elem, into),
        Type::Group(group) => flatten(cx, *group.elem, into),
        Type::Path(_) => {
            if into.iter().any(|earlier| same_tokens(earlier, &sets)) {
                let name = sets.to_token_stream().to_string().replace(' ', "");
                cx.error(
                    sets,
                    format!("`{name}` is in this direction already: remove it here"),
                );
            } else {
                into.push(sets);
            }
            true
        }
        other => {
            cx.error(
                other,
                "expected an event set or a tuple of them, as in `(Lobby, Table)`",
            );
            true
        }
    }
}

impl Model {
    fn expand(&self) -> TokenStream {
        let Self {
            krate,
            ident,
            name,
            version,
            directions,
        } = self;
        let core = krate.core();
        let lists = directions.expand_lists();
        let includes = directions.expand_includes(krate, ident);
        let disjoint = self.expand_disjoint();
        in_const(&quote! {
                #[automatically_derived]
                impl #krate::Protocol for #ident {
                    const NAME: &'static #core::primitive::str = #name;
                    const VERSION: &'static #core::primitive::str = #version;
                    #lists
                }

                #includes
                #disjoint
        })
    }

    /// Compares the wire names of each direction's sets, at the protocol's own name.
    fn expand_disjoint(&self) -> TokenStream {
        let Self { krate, ident, .. } = self;
        let private = krate.private();
        let call = quote!(#private::assert_disjoint::<#ident>());
        let call = respan(call, located(ident.span()));
        quote! {
            #[allow(long_running_const_eval)]
            const _: () = #call;
        }
    }
}

impl Directions {
    /// Each direction's type and its sets.
    fn each(&self) -> [(&'static str, &Direction); 3] {
        [
            ("ToServer", &self.server),
            ("ToClient", &self.client),
            ("ToPeer", &self.peer),
        ]
    }

    /// The sets as lists of types: `(First, (Second, ()))`.
    pub(crate) fn expand_lists(&self) -> TokenStream {
        let lists = self.each().into_iter().map(|(name, direction)| {
            let span = direction.span.map_or_else(Span::call_site, located);
            let name = Ident::new(name, span);
            let list = direction.sets.iter().rfold(quote!(()), |rest, set| {
                let mut list = Group::new(Delimiter::Parenthesis, quote!(#set, #rest));
                list.set_span(span);
                list.into_token_stream()
            });
            quote_spanned!(span=> type #name = #list;)
        });
        lists.collect()
    }

    pub(crate) fn expand_includes(&self, krate: &CratePath, ident: &Ident) -> TokenStream {
        let includes = self.each().into_iter().flat_map(|(name, direction)| {
            let name = Ident::new(name, Span::call_site());
            direction.sets.iter().map(move |set| {
                quote! {
                    #[automatically_derived]
                    impl #krate::Includes<#krate::#name, #set> for #ident {}
                }
            })
        });
        includes.collect()
    }
}
