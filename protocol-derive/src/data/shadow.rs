//! The serde shadow: a copy of a struct or enum, inside a `const _`, from which serde derives, so
//! that the user's crate needs no serde of its own.
//!
//! In most shadows the type of each field is a parameter. What serde derives is then right for any
//! types, and the fields' own types are met in one place only, which says what is wrong with one
//! in words of ours. Attributes by which serde needs to know the types make it a copy with these
//! types, and `remote`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Ident, LitStr};

use super::fields::{Fieldwork, Shape, assert_fields, serde_attrs};
use crate::attr;
use crate::crate_path::CratePath;
use crate::ctxt::Ctxt;

/// What may stand on an item whose shadow has parameters.
const PLAIN: [&str; 8] = [
    "rename",
    "rename_all",
    "rename_all_fields",
    "deny_unknown_fields",
    "tag",
    "content",
    "untagged",
    "transparent",
];

/// What may stand on a variant of one.
const PLAIN_VARIANT: [&str; 5] = ["rename", "alias", "rename_all", "untagged", "other"];

/// A copy of a struct or enum that serde derives from.
pub(crate) struct Shadow {
    ident: Ident,
    serde_attrs: Vec<Attribute>,
    body: Body,
    /// Types that have to be serializable themselves.
    fields: Vec<TokenStream>,
    /// Whether the types of fields are parameters.
    is_generic: bool,
}

enum Body {
    Struct(Shape),
    Enum(Vec<Variant>),
}

struct Variant {
    serde_attrs: Vec<Attribute>,
    ident: Ident,
    shape: Shape,
}

impl Shadow {
    /// `None` for a union, which the caller reports.
    pub(crate) fn read(cx: &Ctxt, input: &DeriveInput) -> Option<Self> {
        if let Some(key) = attr::find(&input.attrs, "serde", &["crate", "remote"]) {
            let message = format!("`{key}` is what the derive itself says to serde: remove it");
            cx.error(key, message);
        }
        let mut fields = Fieldwork::new(cx, &input.ident);
        let mut is_plain = attr::has_only(&input.attrs, "serde", &PLAIN);
        let body = match &input.data {
            Data::Struct(data) => Body::Struct(fields.shape(&data.fields)),
            Data::Enum(data) => {
                let variants = data.variants.iter().map(|variant| {
                    is_plain &= attr::has_only(&variant.attrs, "serde", &PLAIN_VARIANT);
                    Variant {
                        serde_attrs: serde_attrs(&variant.attrs),
                        ident: variant.ident.clone(),
                        shape: fields.shape(&variant.fields),
                    }
                });
                Body::Enum(variants.collect())
            }
            Data::Union(_) => return None,
        };
        // Such a type is converted as a whole.
        if attr::mentions(&input.attrs, "serde", &["from", "try_from", "into"]) {
            fields.types.clear();
        }
        Some(Self {
            ident: input.ident.clone(),
            serde_attrs: serde_attrs(&input.attrs),
            body,
            is_generic: is_plain && fields.is_plain && fields.count() > 0,
            fields: fields.types,
        })
    }

    /// The implementations, and what they need.
    pub(crate) fn expand(&self, krate: &CratePath) -> TokenStream {
        let ident = &self.ident;
        if !self.is_generic {
            let shadow = self.expand_remote(krate);
            let impls = expand_impls(
                krate,
                ident,
                &quote!(__Shadow::serialize(self, serializer)),
                &quote!(__Shadow::deserialize(deserializer)),
            );
            return quote!(#shadow #impls);
        }
        let item = Ident::new("__Item", Span::call_site());
        let shadow = self.expand_generic(krate);
        let (serialize, deserialize) = (self.expand_write(krate), self.expand_read(krate));
        let impls = expand_impls(krate, &item, &serialize, &deserialize);
        quote! {
            type #item = #ident;

            const _: () = {
                #shadow
                #impls
            };
        }
    }

    fn expand_write(&self, krate: &CratePath) -> TokenStream {
        let serde = krate.serde();
        let arms = self.arms(|of_self, of_shadow, shape| {
            let (pattern, values) = (
                shape.expand_pattern(),
                shape.expand_values(krate, &self.ident),
            );
            quote!(#of_self #pattern => #of_shadow #values)
        });
        quote! {
            let __shadow = match self { #(#arms),* };
            #serde::Serialize::serialize(&__shadow, serializer)
        }
    }

    fn expand_read(&self, krate: &CratePath) -> TokenStream {
        let ident = &self.ident;
        let (core, serde) = (krate.core(), krate.serde());
        let unknown = self.body.parameters().map(|_| quote!(_));
        let arms = self.arms(|of_self, of_shadow, shape| {
            let (pattern, fields) = (
                shape.expand_pattern(),
                shape.expand_fields(krate, &self.ident),
            );
            quote!(#of_shadow #pattern => #of_self #fields)
        });
        quote! {
            let __shadow: #ident<#(#unknown),*> = #serde::Deserialize::deserialize(deserializer)?;
            #core::result::Result::Ok(match __shadow { #(#arms),* })
        }
    }

    /// The shadow with parameters. It has the name of the item, which serde writes into messages,
    /// and hides the item in its scope.
    fn expand_generic(&self, krate: &CratePath) -> TokenStream {
        let (ident, serde_attrs) = (&self.ident, &self.serde_attrs);
        let (serde, serde_literal) = (krate.serde(), krate.serde_literal());
        let parameters = self.body.parameters();
        let name = quote!(#ident<#(#parameters),*>);
        let item = self.body.expand(&name, Shape::expand_generic);
        quote! {
            #[derive(#serde::Serialize, #serde::Deserialize)]
            #[serde(crate = #serde_literal)]
            #(#serde_attrs)*
            #item
        }
    }

    /// The shadow with the fields' own types, which are asserted beside it.
    fn expand_remote(&self, krate: &CratePath) -> TokenStream {
        let (ident, serde_attrs) = (&self.ident, &self.serde_attrs);
        let (serde, serde_literal) = (krate.serde(), krate.serde_literal());
        let assertions = assert_fields(krate, &self.fields);
        let remote = LitStr::new(&ident.to_string(), ident.span());
        // By itself serde would write the shadow's name, as the tag of a struct.
        let rename = (!attr::mentions(serde_attrs, "serde", &["rename"])).then(|| {
            let name = ident.unraw().to_string();
            quote!(, rename = #name)
        });
        let item = self.body.expand(&quote!(__Shadow), |shape| quote!(#shape));
        quote! {
            #assertions

            #[derive(#serde::Serialize, #serde::Deserialize)]
            #[serde(remote = #remote, crate = #serde_literal #rename)]
            #(#serde_attrs)*
            #item
        }
    }

    /// For the struct or each variant: its path in the item, the one in the shadow, and the fields.
    fn arms<'a>(
        &'a self,
        arm: impl Fn(&TokenStream, &TokenStream, &Shape) -> TokenStream + 'a,
    ) -> Vec<TokenStream> {
        let ident = &self.ident;
        match &self.body {
            Body::Struct(shape) => vec![arm(&quote!(Self), &quote!(#ident), shape)],
            Body::Enum(variants) => {
                let arms = variants.iter().map(|variant| {
                    let of = &variant.ident;
                    arm(&quote!(Self::#of), &quote!(#ident::#of), &variant.shape)
                });
                arms.collect()
            }
        }
    }
}

impl Body {
    fn parameters(&self) -> impl Iterator<Item = Ident> {
        let shapes: Vec<&Shape> = match self {
            Self::Struct(shape) => vec![shape],
            Self::Enum(variants) => variants.iter().map(|variant| &variant.shape).collect(),
        };
        shapes.into_iter().flat_map(Shape::parameters)
    }

    fn expand(&self, name: &TokenStream, fields: impl Fn(&Shape) -> TokenStream) -> TokenStream {
        match self {
            Self::Struct(shape) => shape.expand_struct(name, &fields(shape)),
            Self::Enum(variants) => {
                let variants = variants.iter().map(|variant| {
                    let Variant {
                        serde_attrs,
                        ident,
                        shape,
                    } = variant;
                    let fields = fields(shape);
                    quote!(#(#serde_attrs)* #ident #fields)
                });
                quote!(enum #name { #(#variants),* })
            }
        }
    }
}

/// Serde's traits for `item`, with these bodies.
fn expand_impls(
    krate: &CratePath,
    item: &Ident,
    serialize: &TokenStream,
    deserialize: &TokenStream,
) -> TokenStream {
    let (core, serde) = (krate.core(), krate.serde());
    quote! {
        #[automatically_derived]
        impl #serde::Serialize for #item {
            fn serialize<__S: #serde::Serializer>(
                &self,
                serializer: __S,
            ) -> #core::result::Result<__S::Ok, __S::Error> {
                #serialize
            }
        }

        #[automatically_derived]
        impl<'de> #serde::Deserialize<'de> for #item {
            fn deserialize<__D: #serde::Deserializer<'de>>(
                deserializer: __D,
            ) -> #core::result::Result<Self, __D::Error> {
                #deserialize
            }
        }
    }
}
