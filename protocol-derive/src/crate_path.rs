//! The path by which generated code reaches `protocol-core`, and the scope that it stands in.
//!
//! Every path is absolute: the user's scope may lack the prelude or define its own `Result`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, Ident, LitStr, Path};

use crate::attr;

/// The path of `protocol-core` in the user's crate.
#[derive(Debug, Clone)]
pub(crate) struct CratePath(TokenStream);

impl Default for CratePath {
    fn default() -> Self {
        Self(quote!(::protocol_core))
    }
}

impl CratePath {
    /// Reads `crate = "path"`.
    pub(crate) fn parse(literal: &LitStr) -> syn::Result<Self> {
        match literal.parse_with(Path::parse_mod_style) {
            Ok(path) => Ok(Self(respan(path.into_token_stream(), Span::call_site()))),
            Err(_) => Err(syn::Error::new_spanned(
                literal,
                "expected the path of `protocol-core`, as in `crate = \"::renamed_core\"`",
            )),
        }
    }

    /// Looks for `crate = "path"` in attributes that are known to be wrong somewhere, so that
    /// their stubs at least name the right crate.
    pub(crate) fn find(attrs: &[Attribute], namespace: &str) -> Self {
        let literal = attr::find_value(attrs, namespace, "crate");
        literal
            .and_then(|literal| Self::parse(&literal).ok())
            .unwrap_or_default()
    }

    /// The path, located at the user's token that an error should point at.
    pub(crate) fn at(&self, span: Span) -> Self {
        Self(respan(self.0.clone(), located(span)))
    }

    /// What only generated code names.
    pub(crate) fn private(&self) -> TokenStream {
        let krate = &self.0;
        let private = Ident::new("__private", self.span());
        quote!(#krate::#private)
    }

    pub(crate) fn core(&self) -> TokenStream {
        let private = self.private();
        let core = Ident::new("core", self.span());
        quote!(#private::#core)
    }

    pub(crate) fn serde(&self) -> TokenStream {
        let private = self.private();
        quote!(#private::serde)
    }

    /// The path of serde as the value of its own `crate = "…"`.
    pub(crate) fn serde_literal(&self) -> LitStr {
        let path = self.serde().to_string().replace(' ', "");
        LitStr::new(&path, Span::call_site())
    }

    fn span(&self) -> Span {
        self.0
            .clone()
            .into_iter()
            .next()
            .map_or_else(Span::call_site, |token| token.span())
    }
}

impl ToTokens for CratePath {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

/// A scope of their own for implementations. Silent about what the user's own items are reported
/// for, or have been allowed.
pub(crate) fn in_const(implementations: &TokenStream) -> TokenStream {
    quote! {
        #[allow(dead_code, deprecated, nonstandard_style, clippy::all, clippy::pedantic)]
        const _: () = {
            #implementations
        };
    }
}

/// Points at the user's token, yet counts as generated: lints stay silent there.
pub(crate) fn located(span: Span) -> Span {
    span.resolved_at(Span::call_site())
}

/// The same tokens, all at `span`.
pub(crate) fn respan(tokens: TokenStream, span: Span) -> TokenStream {
    let respanned = tokens.into_iter().map(|mut token| {
        if let TokenTree::Group(group) = &mut token {
            let inner = respan(group.stream(), span);
            *group = proc_macro2::Group::new(group.delimiter(), inner);
        }
        token.set_span(span);
        token
    });
    respanned.collect()
}
