//! The fields of structs and variants: what serde shall see of them, and how their types are
//! checked.
//!
//! What serde attributes mean is left to serde.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Field, Fields, Ident, Type};

use crate::attr;
use crate::crate_path::{CratePath, located};
use crate::ctxt::Ctxt;

/// Serde's own ways to write or read a field, by which its type need not be serializable.
const FOREIGN: [&str; 5] = [
    "with",
    "serialize_with",
    "skip",
    "skip_serializing",
    "skip_deserializing",
];

/// What may stand on a field whose type is a parameter of the shadow.
const PLAIN: [&str; 3] = ["rename", "alias", "default"];

/// Reads shapes, and collects on the way what concerns all fields of an item.
pub(crate) struct Fieldwork<'a> {
    cx: &'a Ctxt,
    owner: &'a Ident,
    count: usize,
    /// Types that have to be serializable themselves.
    pub(crate) types: Vec<TokenStream>,
    /// Whether serde needs to know no field's type.
    pub(crate) is_plain: bool,
}

/// The fields of a struct or variant.
pub(crate) enum Shape {
    Named(Vec<Member>),
    Unnamed(Vec<Member>),
    Unit,
}

pub(crate) struct Member {
    serde_attrs: Vec<Attribute>,
    ident: Option<Ident>,
    /// Without `Self`, which inside a shadow means the shadow.
    ty: TokenStream,
    /// `default` without a value.
    default: Option<Ident>,
    /// Counted over all variants.
    index: usize,
}

impl<'a> Fieldwork<'a> {
    pub(crate) fn new(cx: &'a Ctxt, owner: &'a Ident) -> Self {
        Self {
            cx,
            owner,
            count: 0,
            types: Vec::new(),
            is_plain: true,
        }
    }

    /// How many fields were read.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn shape(&mut self, fields: &Fields) -> Shape {
        let members = fields.iter().map(|field| self.member(field)).collect();
        match fields {
            Fields::Named(_) => Shape::Named(members),
            Fields::Unnamed(_) => Shape::Unnamed(members),
            Fields::Unit => Shape::Unit,
        }
    }

    fn member(&mut self, field: &Field) -> Member {
        let self_type = Ident::new("Self", self.owner.span());
        let ty = renamed(field.ty.to_token_stream(), &self_type, self.owner);
        if let Type::Reference(reference) = &field.ty {
            let message = "an event owns its data: use an owned type, as in `String` or `Vec<T>`";
            self.cx.error(reference, message);
        } else if !attr::mentions(&field.attrs, "serde", &FOREIGN) {
            self.types.push(ty.clone());
        }
        let keys = attr::keys(&field.attrs, "serde");
        let is_plain = |key: &attr::Met| {
            PLAIN.iter().any(|plain| key.ident == plain)
                && !(key.ident == "default" && key.has_value)
        };
        self.is_plain &= keys.iter().all(is_plain);
        self.count += 1;
        Member {
            serde_attrs: serde_attrs(&field.attrs),
            ident: field.ident.clone(),
            ty,
            default: keys
                .into_iter()
                .map(|key| key.ident)
                .find(|key| key == "default"),
            index: self.count - 1,
        }
    }
}

impl Shape {
    pub(crate) fn is_empty(&self) -> bool {
        self.list().is_empty()
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

    /// The type parameters that stand for the fields' types in a shadow.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = Ident> {
        self.list().iter().map(Member::parameter)
    }

    /// The declaration of the fields with parameters for types.
    pub(crate) fn expand_generic(&self) -> TokenStream {
        self.declare(|member| member.parameter().into_token_stream())
    }

    /// A struct with `fields` as this shape declares them.
    pub(crate) fn expand_struct(&self, name: &TokenStream, fields: &TokenStream) -> TokenStream {
        let semicolon = (!matches!(self, Self::Named(_))).then(|| quote!(;));
        quote!(struct #name #fields #semicolon)
    }

    /// A pattern that binds every field.
    pub(crate) fn expand_pattern(&self) -> TokenStream {
        let fields = self.members().into_iter().zip(self.list());
        let fields = fields.map(|(name, member)| {
            let binding = member.binding();
            quote!(#name: #binding)
        });
        quote!({ #(#fields),* })
    }

    /// The fields for a shadow, borrowed from what the pattern bound. Stands where `owner` is
    /// `Self`, by which it is named, as its shadow may hide it.
    pub(crate) fn expand_values(&self, krate: &CratePath, owner: &Ident) -> TokenStream {
        let fields = self.members().into_iter().zip(self.list());
        let fields = fields.map(|(name, member)| {
            let field = as_field(krate, &member.ty_by_self(owner));
            let binding = member.binding();
            quote!(#name: #field::as_value(#binding))
        });
        quote!({ #(#fields),* })
    }

    /// The fields from those of a shadow that the pattern bound, otherwise as `expand_values`.
    pub(crate) fn expand_fields(&self, krate: &CratePath, owner: &Ident) -> TokenStream {
        let fields = self.members().into_iter().zip(self.list());
        let fields = fields.map(|(name, member)| {
            let field = as_field(krate, &member.ty_by_self(owner));
            let value = member.expand_value(krate);
            quote!(#name: #field::from_value(#value))
        });
        quote!({ #(#fields),* })
    }

    fn declare(&self, ty: impl Fn(&Member) -> TokenStream) -> TokenStream {
        let fields = self.list().iter().map(|member| {
            let Member {
                serde_attrs, ident, ..
            } = member;
            let colon = ident.as_ref().map(|_| quote!(:));
            let ty = ty(member);
            quote!(#(#serde_attrs)* #ident #colon #ty)
        });
        match self {
            Self::Named(_) => quote!({ #(#fields),* }),
            Self::Unnamed(_) => quote!((#(#fields),*)),
            Self::Unit => TokenStream::new(),
        }
    }

    fn list(&self) -> &[Member] {
        match self {
            Self::Named(members) | Self::Unnamed(members) => members,
            Self::Unit => &[],
        }
    }
}

/// The declaration of the fields.
impl ToTokens for Shape {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.declare(|member| member.ty.clone()));
    }
}

impl Member {
    fn parameter(&self) -> Ident {
        format_ident!("__T{}", self.index)
    }

    fn binding(&self) -> Ident {
        format_ident!("__field{}", self.index)
    }

    fn ty_by_self(&self, owner: &Ident) -> TokenStream {
        let self_type = Ident::new("Self", owner.span());
        renamed(self.ty.clone(), owner, &self_type)
    }

    /// What was read for the field. A missing `Default` is reported at the attribute.
    fn expand_value(&self, krate: &CratePath) -> TokenStream {
        let binding = self.binding();
        let Some(default) = &self.default else {
            return binding.into_token_stream();
        };
        let span = located(default.span());
        let private = krate.at(span).private();
        let ty = quote_spanned!(default.span()=> _);
        let from_value = quote_spanned!(span=> <#ty as #private::Defaulted<_>>::from_value);
        quote!(#from_value(#binding))
    }
}

/// One assertion a field, so that an error stands at the field's type.
pub(crate) fn assert_fields(krate: &CratePath, types: &[TokenStream]) -> TokenStream {
    let assertions = types.iter().map(|ty| {
        let field = as_field(krate, ty);
        quote!(const _: () = #field::ASSERT;)
    });
    assertions.collect()
}

/// `<Type as Field<_>>`, all of it at the type. The compiler says the same of a bad type wherever
/// this stands, and shows a repeated message once.
fn as_field(krate: &CratePath, ty: &TokenStream) -> TokenStream {
    let span = located(ty.span());
    let private = krate.at(span).private();
    quote_spanned!(span=> <#ty as #private::Field<_>>)
}

pub(crate) fn serde_attrs(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs
        .iter()
        .filter(|attr| attr.path().is_ident("serde"))
        .cloned()
        .collect()
}

/// The type with another name for what `from` names, in any place but behind `::`.
fn renamed(ty: TokenStream, from: &Ident, to: &Ident) -> TokenStream {
    let from = from.unraw();
    let mut colons = 0;
    let renamed = ty.into_iter().map(|token| {
        let is_behind_path = colons == 2;
        colons = match &token {
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons + 1,
            _ => 0,
        };
        match token {
            TokenTree::Ident(ident) if !is_behind_path && ident.unraw() == from => {
                let mut to = to.clone();
                to.set_span(ident.span());
                TokenTree::Ident(to)
            }
            TokenTree::Group(group) => {
                let inner = renamed(group.stream(), &from, to);
                let mut renamed = Group::new(group.delimiter(), inner);
                renamed.set_span(group.span());
                TokenTree::Group(renamed)
            }
            token => token,
        }
    });
    renamed.collect()
}
