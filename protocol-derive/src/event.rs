//! `#[derive(Event)]`: a struct that is a pass, a request or a response.
//!
//! Knows what may stand on an event and what must; what an event does is left to `protocol-core`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Ident};

use crate::attr;
use crate::crate_path::{CratePath, in_const};
use crate::ctxt::Ctxt;
use crate::data::{Shadow, refuse_generics};
use crate::fallback;
use crate::name::WireName;

mod draft;

use draft::Draft;

const NAMESPACE: &str = "event";

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
        Data::Struct(data) => {
            for field in &data.fields {
                let message = "`#[event(…)]` stands on the struct, not on a field";
                attr::refuse(cx, &field.attrs, NAMESPACE, message);
            }
            return true;
        }
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
        in_const(&quote!(#shadow #event))
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
