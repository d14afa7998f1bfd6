//! `#[derive(EventSet)]`: an enum of events that belong together, and the trait that handles them.
//!
//! Knows the variants as types, not which kinds of events they are: the compiler judges that.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, Ident, Type, Visibility};

use crate::attr::{self, Spec};
use crate::crate_path::{CratePath, in_const, located, respan};
use crate::ctxt::Ctxt;
use crate::data::refuse_generics;
use crate::fallback;
use crate::name::snake_case;

const NAMESPACE: &str = "event_set";

const SPECS: &[Spec<()>] = &[Spec {
    name: "crate",
    form: "crate = \"path\"",
    key: (),
}];

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    match Model::parse(input) {
        Ok(model) => model.expand(),
        Err(refused) => {
            let Refused {
                errors,
                frame,
                variants,
            } = *refused;
            let errors = errors.into_compile_error();
            let stub = fallback::set(input, &frame, &variants);
            quote!(#errors #stub)
        }
    }
}

pub(crate) struct Model {
    frame: Frame,
    /// All variants but the last: a set is never empty.
    before: Vec<Variant>,
    last: Variant,
}

/// What the set is besides its variants.
pub(crate) struct Frame {
    pub(crate) krate: CratePath,
    pub(crate) ident: Ident,
    vis: Visibility,
    handler: Ident,
}

/// A variant that holds one event.
pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) event: Type,
    pub(crate) method: Ident,
    docs: Vec<String>,
}

/// A set with mistakes, and the variants without.
pub(crate) struct Refused {
    pub(crate) errors: syn::Error,
    frame: Frame,
    variants: Vec<Variant>,
}

impl Model {
    pub(crate) fn parse(input: &DeriveInput) -> Result<Self, Box<Refused>> {
        let cx = Ctxt::new();
        let mut krate = CratePath::default();
        attr::read(&cx, &input.attrs, NAMESPACE, SPECS, |key, input| {
            krate = CratePath::parse(&key.value(input)?)?;
            Ok(())
        });
        refuse_generics(&cx, input, "an event set");
        let mut variants = read_variants(&cx, input);
        let frame = Frame {
            krate,
            ident: input.ident.clone(),
            vis: input.vis.clone(),
            handler: format_ident!("{}Handler", input.ident, span = located(input.ident.span())),
        };
        let last = variants.pop();
        match (cx.finish(last.as_ref().map(|_| ())), last) {
            (Ok(()), Some(last)) => Ok(Self {
                frame,
                before: variants,
                last,
            }),
            (Ok(()), None) => unreachable!("an empty set is reported"),
            (Err(errors), last) => {
                variants.extend(last);
                Err(Box::new(Refused {
                    errors,
                    frame,
                    variants,
                }))
            }
        }
    }
}

fn read_variants(cx: &Ctxt, input: &DeriveInput) -> Vec<Variant> {
    let fix = "an event set is an enum with one variant an event, as in `Moved(Moved)`";
    let data = match &input.data {
        Data::Enum(data) => data,
        Data::Struct(data) => {
            cx.error(data.struct_token, fix);
            return Vec::new();
        }
        Data::Union(data) => {
            cx.error(data.union_token, fix);
            return Vec::new();
        }
    };
    if data.variants.is_empty() {
        cx.error(
            &input.ident,
            format!("an event set has at least one event: {fix}"),
        );
    }
    let mut variants: Vec<Variant> = Vec::new();
    for variant in &data.variants {
        let refusal = "`#[event_set(…)]` stands on the enum, not on a variant: remove it";
        attr::refuse(cx, &variant.attrs, NAMESPACE, refusal);
        let event = match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => &fields.unnamed[0].ty,
            fields => {
                refuse_shape(cx, &variant.ident, fields);
                continue;
            }
        };
        let method = format_ident!(
            "on_{}",
            snake_case(&variant.ident),
            span = located(variant.ident.span())
        );
        for earlier in &variants {
            if same_tokens(&earlier.event, event) {
                let (event, earlier) = (event.to_token_stream(), &earlier.ident);
                let message = format!("`{event}` is in the set already, as `{earlier}`: keep one");
                cx.error(event, message);
            } else if earlier.method == method {
                let earlier = &earlier.ident;
                let message = format!("`{earlier}` has the method `{method}` already: rename one");
                cx.error(&variant.ident, message);
            }
        }
        variants.push(Variant {
            ident: variant.ident.clone(),
            event: event.clone(),
            method,
            docs: attr::docs(&variant.attrs),
        });
    }
    variants
}

fn refuse_shape(cx: &Ctxt, variant: &Ident, fields: &Fields) {
    match fields {
        Fields::Unit => {
            cx.error(variant, format!("a variant holds its event: write `{variant}(EventType)`"));
        }
        Fields::Named(_) => cx.error(
            fields,
            format!("a variant holds one event: move the fields to a struct that derives `Event` and write `{variant}(EventType)`"),
        ),
        Fields::Unnamed(_) => cx.error(
            fields,
            format!("a variant holds exactly one event: write `{variant}(EventType)`"),
        ),
    }
}

/// Only for an earlier and clearer word than the compiler's, which knows types by more than name.
pub(crate) fn same_tokens(left: &Type, right: &Type) -> bool {
    left.to_token_stream().to_string() == right.to_token_stream().to_string()
}

impl Model {
    fn expand(&self) -> TokenStream {
        let Self {
            frame,
            before,
            last,
        } = self;
        let Frame { krate, ident, .. } = frame;
        let (core, private) = (krate.core(), krate.private());
        let name = ident.unraw().to_string();
        let variants: Vec<&Variant> = before.iter().chain([last]).collect();
        let events: Vec<&Type> = variants.iter().map(|variant| &variant.event).collect();
        let uniqueness = variants
            .iter()
            .enumerate()
            .skip(1)
            .map(|(index, variant)| frame.expand_uniqueness(index, variant));
        let handler = frame.expand_handler(&variants);
        let members = frame.expand_members(&events);
        let dispatch = frame.expand_dispatch(&variants, None);
        let infos = events
            .iter()
            .map(|event| frame.of_event(event, &quote!(INFO)));
        let arms = before.iter().enumerate().map(|(index, variant)| {
            let decoded = frame.expand_decoded(variant);
            quote!(#index => #decoded)
        });
        let decoded_last = frame.expand_decoded(last);
        let implementations = in_const(&quote! {
                #(#uniqueness)*

                #[automatically_derived]
                impl #krate::EventSet for #ident {
                    const NAME: &'static #core::primitive::str = #name;
                    const EVENTS: &'static [#krate::EventInfo] =
                        &[#(#infos),*];

                    fn decode(
                        index: #core::primitive::usize,
                        data: #private::RawData<'_>,
                    ) -> #core::result::Result<Self, #private::DataError> {
                        match index {
                            #(#arms,)*
                            _ => #decoded_last,
                        }
                    }
                }

                #dispatch
                #members
        });
        quote!(#handler #implementations)
    }
}

impl Frame {
    /// Something of the event's `Event` implementation, wholly located at the event's type: what
    /// the compiler says of a type that is no event is then one message, however often it is used.
    fn of_event(&self, event: &Type, item: &TokenStream) -> TokenStream {
        let krate = &self.krate;
        respan(
            quote!(<#event as #krate::Event>::#item),
            located(event.span()),
        )
    }

    fn expand_decoded(&self, variant: &Variant) -> TokenStream {
        let Variant { ident, event, .. } = variant;
        let decode = self.of_event(event, &quote!(decode));
        quote!(#decode(data).map(Self::#ident))
    }

    /// Outside the `const _`, since users name it.
    pub(crate) fn expand_handler(&self, variants: &[&Variant]) -> TokenStream {
        let Self {
            krate,
            ident,
            vis,
            handler,
        } = self;
        let core = krate.core();
        let doc = format!(" Handles the events of [`{ident}`], one method for each.");
        let methods = variants.iter().map(|variant| self.expand_method(variant));
        quote! {
            #[doc = #doc]
            #[allow(deprecated)]
            #vis trait #handler<__P: #krate::Protocol, __W: #krate::Side = #krate::AtServer>:
                #core::marker::Send + #core::marker::Sync + 'static
            {
                #(#methods)*
            }
        }
    }

    fn expand_method(&self, variant: &Variant) -> TokenStream {
        let krate = &self.krate;
        let core = krate.core();
        let Variant {
            event,
            method,
            docs,
            ..
        } = variant;
        let separator = (!docs.is_empty()).then(|| quote!(#[doc = ""]));
        let docs = docs.iter().map(|line| format!(" {line}"));
        let link = link(event);
        let reply = self.of_event(event, &quote!(Reply));
        let reply = quote!(impl #core::future::Future<Output = #reply>);
        let reply = respan(reply, located(event.span()));
        quote! {
            #(#[doc = #docs])*
            #separator
            #[doc = #link]
            fn #method(
                &self,
                cx: &#krate::Context<__P, __W>,
                event: #event,
            ) -> #reply + #core::marker::Send;
        }
    }

    pub(crate) fn expand_dispatch(
        &self,
        variants: &[&Variant],
        otherwise: Option<&TokenStream>,
    ) -> TokenStream {
        let Self {
            krate,
            ident,
            handler,
            ..
        } = self;
        let private = krate.private();
        let arms = variants.iter().map(|variant| self.expand_arm(variant));
        quote! {
            #[automatically_derived]
            impl<__P: #krate::Protocol, __W: #krate::Side, __H: #handler<__P, __W>>
                #private::Dispatch<__P, __W, __H> for #ident
            {
                async fn dispatch(
                    self,
                    handler: &__H,
                    cx: &#krate::Context<__P, __W>,
                    reply: #private::ReplyBuffer,
                ) -> #private::ReplyBuffer {
                    match self {
                        #(#arms,)*
                        #otherwise
                    }
                }
            }
        }
    }

    fn expand_arm(&self, variant: &Variant) -> TokenStream {
        let Self { krate, handler, .. } = self;
        let private = krate.private();
        let Variant {
            ident,
            event,
            method,
            ..
        } = variant;
        let into_result = self.of_event(event, &quote!(into_result));
        let call = quote! {
            #private::reply(
                #into_result(<__H as #handler<__P, __W>>::#method(handler, cx, event).await),
                reply,
            )
        };
        let call = respan(call, located(event.span()));
        quote!(Self::#ident(event) => #call)
    }

    /// In which directions the set's events travel, and whether an inbox can hold them.
    pub(crate) fn expand_members(&self, events: &[&Type]) -> TokenStream {
        let Self { krate, ident, .. } = self;
        let private = krate.private();
        // Located as if the user had named these traits: where an event is sent the wrong way, the
        // compiler would else advise to write by hand what a derive has named.
        let travels = events.iter().map(|event| {
            let travels = quote!(#krate::Travels<#ident, __P, __D>);
            respan(travels, event.span())
        });
        let pass_set = respan(quote!(#private::PassSet<__D>), ident.span());
        quote! {
            #(
                #[automatically_derived]
                impl<__P, __D> #travels for #events
                where
                    __P: #krate::Includes<__D, #ident>,
                {
                }
            )*

            #[automatically_derived]
            impl<__D> #pass_set for #ident
            where
                #(#events: #private::Inboxed<__D>,)*
            {
            }
        }
    }

    fn expand_uniqueness(&self, index: usize, variant: &Variant) -> TokenStream {
        let Self { krate, ident, .. } = self;
        let private = krate.private();
        let call = quote! {
            #private::assert_unique_in_set(<#ident as #krate::EventSet>::EVENTS, #index)
        };
        let call = respan(call, located(variant.ident.span()));
        quote!(const _: () = #call;)
    }
}

/// A link to the event where its type is a plain path.
fn link(event: &Type) -> String {
    let text = event.to_token_stream().to_string().replace(' ', "");
    if text.contains('<') {
        format!(" Handles `{text}`.")
    } else {
        format!(" Handles [`{text}`].")
    }
}
