//! What stands in for an item that was refused, so that its mistakes do not cascade into errors
//! elsewhere.
//!
//! Stubs only have to type-check: a crate that contains one never runs.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Type};

use crate::attr;
use crate::crate_path::CratePath;
use crate::protocol::Directions;
use crate::set::{Frame, Variant, same_tokens};

/// Both a response and what the attributes make most likely: a request or a pass.
pub(crate) fn event(input: &DeriveInput, krate: &CratePath) -> TokenStream {
    let ident = &input.ident;
    let (core, private) = (krate.core(), krate.private());
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let bounds = bounds(input, krate);
    let is_manual = attr::mentions(&input.attrs, "event", &["serde"]);
    let data = (!is_manual).then(|| serde(input, krate));
    let response: Option<Type> = attr::find_value(&input.attrs, "event", "response");
    let error: Option<Type> = attr::find_value(&input.attrs, "event", "error");
    let (kind, answer) = match response {
        Some(response) => (quote!(Request), quote!(#response)),
        None if attr::mentions(&input.attrs, "event", &["request"]) => {
            (quote!(Request), quote!(Self))
        }
        None => (quote!(Pass), quote!(())),
    };
    let (reply, error) = match error {
        Some(error) => (
            quote!(#core::result::Result<#answer, #error>),
            quote!(#error),
        ),
        None => (answer.clone(), quote!(#core::convert::Infallible)),
    };
    let type_info = quote! {
        const TYPE: #private::TypeInfo = #private::TypeInfo { name: "", doc: "" };
    };
    // No event has this name, nor another stub: in a set they would clash.
    let name = ident.to_string();
    let name = quote!(#core::concat!(#core::module_path!(), "::", #name));
    quote! {
        const _: () = {
            #data

            impl #impl_generics #krate::Event for #ident #ty_generics #bounds {
                const NAME: &'static #core::primitive::str = #name;
                const KIND: #krate::Kind = #krate::Kind::#kind;
                #type_info
                type Reply = #reply;
                type Response = #answer;
                type Error = #error;

                fn into_result(
                    _: Self::Reply,
                ) -> #core::result::Result<Self::Response, Self::Error> {
                    #private::refused()
                }
            }

            impl #impl_generics #krate::#kind for #ident #ty_generics #bounds {}

            impl #impl_generics #krate::Response for #ident #ty_generics #bounds {
                #type_info
            }
        };
    }
}

/// A type that can stand in an event.
pub(crate) fn data(input: &DeriveInput, krate: &CratePath) -> TokenStream {
    let serde = serde(input, krate);
    quote! {
        const _: () = {
            #serde
        };
    }
}

/// The handler trait with the methods of the good variants, and everything that bounds ask for.
pub(crate) fn set(input: &DeriveInput, frame: &Frame, variants: &[Variant]) -> TokenStream {
    let Frame { krate, ident, .. } = frame;
    let (core, private) = (krate.core(), krate.private());
    let refused = quote!(#private::refused());
    let mut methods: Vec<&Variant> = Vec::new();
    let mut events: Vec<&Type> = Vec::new();
    for variant in variants {
        if methods
            .iter()
            .all(|earlier| earlier.method != variant.method)
        {
            methods.push(variant);
        }
        if events
            .iter()
            .all(|earlier| !same_tokens(earlier, &variant.event))
        {
            events.push(&variant.event);
        }
    }
    let handler = frame.expand_handler(&methods);
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let bounds = bounds(input, krate);
    let set = quote! {
        impl #impl_generics #krate::EventSet for #ident #ty_generics #bounds {
            const NAME: &'static #core::primitive::str = "";
            const EVENTS: &'static [#krate::EventInfo] = &[];

            fn decode(
                _: #core::primitive::usize,
                _: #private::RawData<'_>,
            ) -> #core::result::Result<Self, #private::DataError> {
                #refused
            }
        }
    };
    // A generic set is no set for any direction, so nothing more can be meant by it.
    let more = input.generics.params.is_empty().then(|| {
        let dispatch = frame.expand_dispatch(&methods, Some(&quote!(_ => #refused,)));
        let members = frame.expand_members(&events);
        quote!(#dispatch #members)
    });
    quote! {
        #handler

        const _: () = {
            #set
            #more
        };
    }
}

/// The protocol with the sets that were understood.
pub(crate) fn protocol(
    input: &DeriveInput,
    krate: &CratePath,
    directions: &Directions,
) -> TokenStream {
    let ident = &input.ident;
    let core = krate.core();
    if !input.generics.params.is_empty() {
        return TokenStream::new();
    }
    let lists = directions.expand_lists();
    let includes = directions.expand_includes(krate, ident);
    quote! {
        const _: () = {
            impl #krate::Protocol for #ident {
                const NAME: &'static #core::primitive::str = "";
                const VERSION: &'static #core::primitive::str = "";
                #lists
            }

            #includes
        };
    }
}

/// An error without codes.
pub(crate) fn error(input: &DeriveInput, krate: &CratePath) -> TokenStream {
    let ident = &input.ident;
    let (core, private) = (krate.core(), krate.private());
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let where_clause = quote! {
        where
            Self: #private::std::error::Error
                + #core::marker::Send
                + #core::marker::Sync
                + 'static,
    };
    quote! {
        const _: () = {
            impl #impl_generics #krate::EventError for #ident #ty_generics #where_clause {
                const CODES: &'static [&'static #core::primitive::str] = &[];

                fn code(&self) -> &'static #core::primitive::str {
                    #private::refused()
                }

                fn write_data(
                    &self,
                    _: &mut #private::std::vec::Vec<#core::primitive::u8>,
                ) -> #core::result::Result<#core::primitive::bool, #private::EncodeError> {
                    #private::refused()
                }

                fn read(
                    _: &#core::primitive::str,
                    _: #private::RawData<'_>,
                ) -> #core::option::Option<#core::result::Result<Self, #private::DataError>> {
                    #private::refused()
                }
            }
        };
    }
}

fn serde(input: &DeriveInput, krate: &CratePath) -> TokenStream {
    let ident = &input.ident;
    let (core, private, serde) = (krate.core(), krate.private(), krate.serde());
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let mut with_lifetime = input.generics.clone();
    with_lifetime.params.insert(0, syn::parse_quote!('__de));
    let (impl_with_lifetime, _, _) = with_lifetime.split_for_impl();
    quote! {
        impl #impl_generics #serde::Serialize for #ident #ty_generics #where_clause {
            fn serialize<__S: #serde::Serializer>(
                &self,
                _: __S,
            ) -> #core::result::Result<__S::Ok, __S::Error> {
                #private::refused()
            }
        }

        impl #impl_with_lifetime #serde::Deserialize<'__de> for #ident #ty_generics
        #where_clause
        {
            fn deserialize<__D: #serde::Deserializer<'__de>>(
                _: __D,
            ) -> #core::result::Result<Self, __D::Error> {
                #private::refused()
            }
        }
    }
}

/// The user's bounds, and for a generic item what the traits ask of every type.
fn bounds(input: &DeriveInput, krate: &CratePath) -> TokenStream {
    let core = krate.core();
    let given = input
        .generics
        .where_clause
        .iter()
        .flat_map(|clause| &clause.predicates);
    let is_generic = !input.generics.params.is_empty();
    let sendable = is_generic.then(|| quote!(Self: #core::marker::Send + 'static));
    quote!(where #(#given,)* #sendable)
}
