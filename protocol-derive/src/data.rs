//! `#[derive(EventData)]`, and what it shares with the other derives: fields, and the serde shadow
//! that writes and reads events and their data.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput};

use crate::attr::{self, Spec};
use crate::crate_path::{CratePath, in_const};
use crate::ctxt::Ctxt;
use crate::fallback;

mod fields;
mod shadow;

pub(crate) use fields::{Fieldwork, Shape, assert_fields};
pub(crate) use shadow::Shadow;

const NAMESPACE: &str = "event_data";

const SPECS: &[Spec<()>] = &[Spec {
    name: "crate",
    form: "crate = \"path\"",
    key: (),
}];

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
