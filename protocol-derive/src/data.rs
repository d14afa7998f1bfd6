//! `#[derive(EventData)]`, and the serde shadow that events and their data share.
//!
//! The shadow is a copy of the type inside a `const _` from which serde derives, so that the
//! user's crate needs no serde of its own. What serde attributes mean is left to serde.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Field, Fields, Ident, LitStr, Type};

use crate::attr::{self, Spec};
use crate::crate_path::{CratePath, in_const, located};
use crate::ctxt::Ctxt;
use crate::fallback;

const NAMESPACE: &str = "event_data";

const SPECS: &[Spec<()>] = &[Spec {
    name: "crate",
    form: "crate = \"path\"",
    key: (),
}];

/// Serde's own ways to write or read a field, by which its type need not be serializable.
const FOREIGN: [&str; 5] = [
    "with",
    "serialize_with",
    "skip",
    "skip_serializing",
    "skip_deserializing",
];

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    match Model::parse(input) {
        Ok(model) => model.expand(),
        Err(errors) => {
            let krate = CratePath::find(&input.attrs, NAMESPACE);
            let errors = errors.into_compile_error();
            let stub = fallback::data(input, &krate);
            quote!(#errors #stub)
        }
    }
}

pub(crate) struct Model {
    krate: CratePath,
    shadow: Shadow,
}

impl Model {
    pub(crate) fn parse(input: &DeriveInput) -> syn::Result<Self> {
        let cx = Ctxt::new();
        let mut krate = CratePath::default();
        attr::read(&cx, &input.attrs, NAMESPACE, SPECS, |key, input| {
            krate = CratePath::parse(&key.value(input)?)?;
            Ok(())
        });
        refuse_generics(&cx, input, "event data");
        if let Data::Union(union) = &input.data {
            let message = "`EventData` is for structs and enums: a union cannot be serialized";
            cx.error(union.union_token, message);
        }
        let shadow = Shadow::read(&cx, input);
        cx.finish(shadow.map(|shadow| Self { krate, shadow }))
    }

    fn expand(&self) -> TokenStream {
        in_const(&self.shadow.expand(&self.krate))
    }
}

/// A copy of a struct or enum that serde derives from.
pub(crate) struct Shadow {
    ident: Ident,
    serde_attrs: Vec<Attribute>,
    body: Body,
    /// Types that have to be serializable themselves.
    fields: Vec<TokenStream>,
}

enum Body {
    Struct(Shape),
    Enum(Vec<(Vec<Attribute>, Ident, Shape)>),
}

/// The fields of a struct or variant as serde shall see them.
pub(crate) enum Shape {
    Named(Vec<Member>),
    Unnamed(Vec<Member>),
    Unit,
}

pub(crate) struct Member {
    serde_attrs: Vec<Attribute>,
    ident: Option<Ident>,
    ty: TokenStream,
}

impl Shadow {
    /// `None` for a union, which the caller reports.
    pub(crate) fn read(cx: &Ctxt, input: &DeriveInput) -> Option<Self> {
        if let Some(key) = attr::find(&input.attrs, "serde", &["crate", "remote"]) {
            let message = format!("`{key}` is what the derive itself says to serde: remove it");
            cx.error(key, message);
        }
        let mut fields = Fieldwork {
            cx,
            owner: &input.ident,
            types: Vec::new(),
        };
        let body = match &input.data {
            Data::Struct(data) => Body::Struct(fields.shape(&data.fields)),
            Data::Enum(data) => {
                let variants = data.variants.iter().map(|variant| {
                    let shape = fields.shape(&variant.fields);
                    (serde_attrs(&variant.attrs), variant.ident.clone(), shape)
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
            fields: fields.types,
        })
    }

    /// The assertions of the fields, the shadow, and the implementations through it.
    pub(crate) fn expand(&self, krate: &CratePath) -> TokenStream {
        let Self {
            ident, serde_attrs, ..
        } = self;
        let assertions = assert_fields(krate, &self.fields);
        let item = match &self.body {
            Body::Struct(shape @ Shape::Named(_)) => quote!(struct __Shadow #shape),
            Body::Struct(shape) => quote!(struct __Shadow #shape;),
            Body::Enum(variants) => {
                let variants = variants
                    .iter()
                    .map(|(serde_attrs, ident, shape)| quote!(#(#serde_attrs)* #ident #shape));
                quote!(enum __Shadow { #(#variants),* })
            }
        };
        let (core, serde) = (krate.core(), krate.serde());
        let serde_literal = krate.serde_literal();
        let remote = LitStr::new(&ident.to_string(), ident.span());
        quote! {
            #assertions

            #[derive(#serde::Serialize, #serde::Deserialize)]
            #[serde(remote = #remote, crate = #serde_literal)]
            #(#serde_attrs)*
            #item

            #[automatically_derived]
            impl #serde::Serialize for #ident {
                fn serialize<__S: #serde::Serializer>(
                    &self,
                    serializer: __S,
                ) -> #core::result::Result<__S::Ok, __S::Error> {
                    __Shadow::serialize(self, serializer)
                }
            }

            #[automatically_derived]
            impl<'de> #serde::Deserialize<'de> for #ident {
                fn deserialize<__D: #serde::Deserializer<'de>>(
                    deserializer: __D,
                ) -> #core::result::Result<Self, __D::Error> {
                    __Shadow::deserialize(deserializer)
                }
            }
        }
    }
}

/// Collects the types that are to be asserted while the shapes are read.
pub(crate) struct Fieldwork<'a> {
    pub(crate) cx: &'a Ctxt,
    pub(crate) owner: &'a Ident,
    pub(crate) types: Vec<TokenStream>,
}

impl Fieldwork<'_> {
    pub(crate) fn shape(&mut self, fields: &Fields) -> Shape {
        match fields {
            Fields::Named(fields) => Shape::Named(
                fields
                    .named
                    .iter()
                    .map(|field| self.member(field))
                    .collect(),
            ),
            Fields::Unnamed(fields) => Shape::Unnamed(
                fields
                    .unnamed
                    .iter()
                    .map(|field| self.member(field))
                    .collect(),
            ),
            Fields::Unit => Shape::Unit,
        }
    }

    fn member(&mut self, field: &Field) -> Member {
        let ty = without_self(field.ty.to_token_stream(), self.owner);
        if let Type::Reference(reference) = &field.ty {
            let message = "an event owns its data: use an owned type, as in `String` or `Vec<T>`";
            self.cx.error(reference, message);
        } else if !attr::mentions(&field.attrs, "serde", &FOREIGN) {
            self.types.push(ty.clone());
        }
        Member {
            serde_attrs: serde_attrs(&field.attrs),
            ident: field.ident.clone(),
            ty,
        }
    }
}

impl Shape {
    pub(crate) fn is_empty(&self) -> bool {
        self.list().is_empty()
    }

    pub(crate) fn is_unnamed(&self) -> bool {
        matches!(self, Self::Unnamed(_))
    }

    /// The fields as they are accessed: by name or by index.
    pub(crate) fn members(&self) -> Vec<syn::Member> {
        let members = self
            .list()
            .iter()
            .enumerate()
            .map(|(index, member)| match &member.ident {
                Some(ident) => syn::Member::Named(ident.clone()),
                None => syn::Member::Unnamed(index.into()),
            });
        members.collect()
    }

    fn list(&self) -> &[Member] {
        match self {
            Self::Named(members) | Self::Unnamed(members) => members,
            Self::Unit => &[],
        }
    }
}

impl ToTokens for Shape {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match self {
            Self::Named(members) => quote!({ #(#members),* }),
            Self::Unnamed(members) => quote!((#(#members),*)),
            Self::Unit => TokenStream::new(),
        });
    }
}

impl ToTokens for Member {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self {
            serde_attrs,
            ident,
            ty,
        } = self;
        let colon = ident.as_ref().map(|_| quote!(:));
        tokens.extend(quote!(#(#serde_attrs)* #ident #colon #ty));
    }
}

/// One assertion a field, so that an error stands at the field's type.
pub(crate) fn assert_fields(krate: &CratePath, types: &[TokenStream]) -> TokenStream {
    let assertions = types.iter().map(|ty| {
        let private = krate.at(ty.span()).private();
        let assert = Ident::new("assert_field", located(ty.span()));
        quote!(const _: () = #private::#assert::<#ty>();)
    });
    assertions.collect()
}

pub(crate) fn refuse_generics(cx: &Ctxt, input: &DeriveInput, what: &str) {
    let generics = &input.generics;
    if !generics.params.is_empty() {
        let message = format!("{what} cannot be generic: its shape on the wire has to be fixed");
        cx.error(&generics.params, message);
    } else if let Some(clause) = &generics.where_clause {
        cx.error(
            clause,
            format!("{what} cannot be generic: remove the `where` clause"),
        );
    }
}

pub(crate) fn serde_attrs(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs
        .iter()
        .filter(|attr| attr.path().is_ident("serde"))
        .cloned()
        .collect()
}

/// Replaces `Self`, which inside the shadow means the shadow.
fn without_self(tokens: TokenStream, owner: &Ident) -> TokenStream {
    let replaced = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(ident) if ident == "Self" => {
            let mut owner = owner.clone();
            owner.set_span(ident.span());
            TokenTree::Ident(owner)
        }
        TokenTree::Group(group) => {
            let inner = without_self(group.stream(), owner);
            let mut replaced = Group::new(group.delimiter(), inner);
            replaced.set_span(group.span());
            TokenTree::Group(replaced)
        }
        token => token,
    });
    replaced.collect()
}
