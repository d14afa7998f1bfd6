//! `#[derive(EventError)]`: an enum whose variants are codes on the wire, with their fields as data.
//!
//! Knows codes and shapes; the message is `Display`, which thiserror or the user writes.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Data, DataEnum, DeriveInput, Ident, LitStr};

use crate::attr::{self, Spec};
use crate::crate_path::{CratePath, in_const};
use crate::ctxt::Ctxt;
use crate::data::{Fieldwork, Shape, assert_fields, refuse_generics};
use crate::fallback;
use crate::name::Code;

const NAMESPACE: &str = "event_error";

const ON_ENUM: &[Spec<()>] = &[Spec {
    name: "crate",
    form: "crate = \"path\"",
    key: (),
}];

const ON_VARIANT: &[Spec<()>] = &[Spec {
    name: "code",
    form: "code = \"…\"",
    key: (),
}];

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    match Model::parse(input) {
        Ok(model) => model.expand(),
        Err(errors) => {
            let krate = CratePath::find(&input.attrs, NAMESPACE);
            let errors = errors.into_compile_error();
            let stub = fallback::error(input, &krate);
            quote!(#errors #stub)
        }
    }
}

pub(crate) struct Model {
    krate: CratePath,
    ident: Ident,
    variants: Vec<Variant>,
    /// Types that have to be serializable themselves.
    fields: Vec<TokenStream>,
    /// Whether the types of fields are parameters of the shadows.
    is_generic: bool,
}

struct Variant {
    ident: Ident,
    code: Code,
    shape: Shape,
}

impl Model {
    pub(crate) fn parse(input: &DeriveInput) -> syn::Result<Self> {
        let cx = Ctxt::new();
        let mut krate = CratePath::default();
        attr::read(&cx, &input.attrs, NAMESPACE, ON_ENUM, |key, input| {
            krate = CratePath::parse(&key.value(input)?)?;
            Ok(())
        });
        refuse_generics(&cx, input, "an event error");
        refuse_serde(&cx, &input.attrs);
        let fix = "an event error is an enum with one variant a reason, as in `enum SeatError { Full { max: u8 }, Banned }`";
        let mut fields = Fieldwork::new(&cx, &input.ident);
        let variants = match &input.data {
            Data::Enum(data) => Some(read_variants(&cx, data, &mut fields)),
            Data::Struct(data) => {
                cx.error(data.struct_token, fix);
                None
            }
            Data::Union(data) => {
                cx.error(data.union_token, fix);
                None
            }
        };
        let (is_generic, fields) = (fields.is_plain, fields.types);
        let ident = input.ident.clone();
        cx.finish(variants.map(|variants| Self {
            krate,
            ident,
            variants,
            fields,
            is_generic,
        }))
    }
}

fn read_variants(cx: &Ctxt, data: &DataEnum, fields: &mut Fieldwork<'_>) -> Vec<Variant> {
    let mut variants: Vec<Variant> = Vec::new();
    for variant in &data.variants {
        refuse_serde(cx, &variant.attrs);
        let mut given: Option<LitStr> = None;
        attr::read(cx, &variant.attrs, NAMESPACE, ON_VARIANT, |key, input| {
            given = Some(key.value(input)?);
            Ok(())
        });
        for field in &variant.fields {
            let message = "`#[event_error(…)]` stands on a variant, not on a field";
            attr::refuse(cx, &field.attrs, NAMESPACE, message);
        }
        let shape = fields.shape(&variant.fields);
        let Some(code) = Code::read(cx, given.as_ref(), &variant.ident) else {
            continue;
        };
        if let Some(earlier) = variants.iter().find(|earlier| earlier.code == code) {
            let (code, earlier) = (code.as_str(), &earlier.ident);
            let message = format!(
                "`{code}` is the code of `{earlier}` already: give one of them another with `#[event_error(code = \"…\")]`"
            );
            let place = given.map_or(variant.ident.to_token_stream(), |code| {
                code.into_token_stream()
            });
            cx.error(place, message);
        }
        variants.push(Variant {
            ident: variant.ident.clone(),
            code,
            shape,
        });
    }
    variants
}

fn refuse_serde(cx: &Ctxt, attrs: &[syn::Attribute]) {
    let message = "codes and data of an event error have a fixed form: `#[serde(…)]` can stand on its fields only";
    attr::refuse(cx, attrs, "serde", message);
}

impl Model {
    fn expand(&self) -> TokenStream {
        let Self {
            krate,
            ident,
            variants,
            fields,
            is_generic,
        } = self;
        let (core, private) = (krate.core(), krate.private());
        let str = quote!(#core::primitive::str);
        let codes = variants.iter().map(|variant| &variant.code);
        let shadows = if *is_generic {
            self.expand_shadows()
        } else {
            assert_fields(krate, fields)
        };
        let of_self = self.expand_code();
        let write_data = self.expand_write_data();
        let read = variants.iter().map(|variant| self.expand_read(variant));
        in_const(&quote! {
                #shadows

                #[automatically_derived]
                impl #krate::EventError for #ident {
                    const CODES: &'static [&'static #str] = &[#(#codes),*];

                    fn code(&self) -> &'static #str {
                        #of_self
                    }

                    fn write_data(
                        &self,
                        out: &mut #private::std::vec::Vec<#core::primitive::u8>,
                    ) -> #core::result::Result<#core::primitive::bool, #private::EncodeError> {
                        #write_data
                    }

                    fn read(
                        code: &#str,
                        data: #private::RawData<'_>,
                    ) -> #core::option::Option<#core::result::Result<Self, #private::DataError>>
                    {
                        match code {
                            #(#read,)*
                            _ => #core::option::Option::None,
                        }
                    }
                }
        })
    }

    fn expand_code(&self) -> TokenStream {
        if self.variants.is_empty() {
            return quote!(match *self {});
        }
        let arms = self
            .variants
            .iter()
            .map(|Variant { ident, code, .. }| quote!(Self::#ident { .. } => #code));
        quote!(match self { #(#arms),* })
    }

    /// A shadow of each variant that has data, with parameters for the fields' types.
    fn expand_shadows(&self) -> TokenStream {
        let (serde, serde_literal) = (self.krate.serde(), self.krate.serde_literal());
        let with = self
            .variants
            .iter()
            .filter(|variant| !variant.shape.is_empty());
        let shadows = with.map(|variant| {
            let Variant { shape, .. } = variant;
            let (shadow, parameters) = (variant.shadow(), shape.parameters());
            let name = quote!(#shadow<#(#parameters),*>);
            let item = shape.expand_struct(&name, &shape.expand_generic());
            quote! {
                #[derive(#serde::Serialize, #serde::Deserialize)]
                #[serde(crate = #serde_literal)]
                #item
            }
        });
        shadows.collect()
    }

    fn expand_write_data(&self) -> TokenStream {
        let core = self.krate.core();
        if self.variants.is_empty() {
            return quote!(match *self {});
        }
        let (with, without): (Vec<_>, Vec<_>) = self
            .variants
            .iter()
            .partition(|variant| !variant.shape.is_empty());
        if with.is_empty() {
            return quote!(#core::result::Result::Ok(false));
        }
        let none = (!without.is_empty()).then(|| {
            let idents = without.iter().map(|variant| &variant.ident);
            quote!(#(Self::#idents { .. })|* => #core::result::Result::Ok(false),)
        });
        if self.is_generic {
            let some = with.into_iter().map(|variant| self.expand_write(variant));
            return quote!(match self { #none #(#some),* });
        }
        let private = self.krate.private();
        let remote = self.expand_remote();
        let some = with.iter().map(|variant| &variant.ident);
        quote! {
            #remote

            match self {
                #none
                #(Self::#some { .. })|* => #private::encode(out, &__Data(self)).map(|()| true),
            }
        }
    }

    fn expand_write(&self, variant: &Variant) -> TokenStream {
        let Variant { ident, shape, .. } = variant;
        let (private, shadow) = (self.krate.private(), variant.shadow());
        let pattern = shape.expand_pattern();
        let values = shape.expand_values(&self.krate, &self.ident);
        quote! {
            Self::#ident #pattern => #private::encode(out, &#shadow #values).map(|()| true)
        }
    }

    /// Where serde needs to know types, the fields are written by an untagged shadow of the whole:
    /// an object, an array or one value.
    fn expand_remote(&self) -> TokenStream {
        let Self { krate, ident, .. } = self;
        let (core, serde, serde_literal) = (krate.core(), krate.serde(), krate.serde_literal());
        let remote = LitStr::new(&ident.to_string(), ident.span());
        let shadows = self
            .variants
            .iter()
            .map(|Variant { ident, shape, .. }| quote!(#ident #shape));
        quote! {
            #[derive(#serde::Serialize)]
            #[serde(remote = #remote, crate = #serde_literal, untagged)]
            enum __Shadow { #(#shadows),* }

            struct __Data<'a>(&'a #ident);

            impl #serde::Serialize for __Data<'_> {
                fn serialize<__S: #serde::Serializer>(
                    &self,
                    serializer: __S,
                ) -> #core::result::Result<__S::Ok, __S::Error> {
                    __Shadow::serialize(self.0, serializer)
                }
            }
        }
    }

    fn expand_read(&self, variant: &Variant) -> TokenStream {
        let Variant { ident, code, shape } = variant;
        let (core, serde, private) = (self.krate.core(), self.krate.serde(), self.krate.private());
        let some = quote!(#core::option::Option::Some);
        if shape.is_empty() {
            return quote!(#code => #some(#core::result::Result::Ok(Self::#ident { })));
        }
        if self.is_generic {
            let (shadow, pattern) = (variant.shadow(), shape.expand_pattern());
            let fields = shape.expand_fields(&self.krate, &self.ident);
            return quote! {
                #code => #some(
                    #private::decode(data).map(|#shadow #pattern| Self::#ident #fields)
                )
            };
        }
        let serde_literal = self.krate.serde_literal();
        let shadow = shape.expand_struct(&quote!(__Data), &quote!(#shape));
        let members = shape.members();
        quote! {
            #code => {
                #[derive(#serde::Deserialize)]
                #[serde(crate = #serde_literal)]
                #shadow

                #some(#private::decode::<__Data>(data).map(|data| Self::#ident {
                    #(#members: data.#members),*
                }))
            }
        }
    }
}

impl Variant {
    /// Not the variant's own name, which would hide a field's type of the same name, nor one that
    /// serde's code can have: `__A`, `__Field`.
    fn shadow(&self) -> Ident {
        format_ident!("__Data{}", self.ident)
    }
}
