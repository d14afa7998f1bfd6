//! Collects everything that is wrong with an item, so that all of it is reported at once.
//!
//! Knows nothing of what is derived.

use std::cell::RefCell;
use std::fmt::Display;

use quote::ToTokens;

/// The mistakes found so far. Must be ended with [`Ctxt::finish`].
pub(crate) struct Ctxt {
    /// `None` once it was finished.
    errors: RefCell<Option<Vec<syn::Error>>>,
}

impl Ctxt {
    pub(crate) fn new() -> Self {
        Self {
            errors: RefCell::new(Some(Vec::new())),
        }
    }

    /// Reports a mistake on the user's own tokens.
    pub(crate) fn error(&self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    pub(crate) fn push(&self, error: syn::Error) {
        self.errors.borrow_mut().get_or_insert_default().push(error);
    }

    /// The model, unless something was reported.
    pub(crate) fn finish<T>(self, model: Option<T>) -> Result<T, syn::Error> {
        let errors = self.errors.take().unwrap_or_default();
        let combined = errors.into_iter().reduce(|mut all, error| {
            all.combine(error);
            all
        });
        match (combined, model) {
            (Some(errors), _) => Err(errors),
            (None, Some(model)) => Ok(model),
            (None, None) => unreachable!("an item without a model is reported"),
        }
    }
}

impl Drop for Ctxt {
    fn drop(&mut self) {
        if cfg!(debug_assertions) && !std::thread::panicking() {
            assert!(
                self.errors.borrow().is_none(),
                "a context was dropped without `finish`"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ctxt;

    #[test]
    fn reports_all_errors_in_order() {
        let cx = Ctxt::new();
        cx.error(quote::quote!(a), "first");
        cx.error(quote::quote!(b), "second");
        let errors = cx.finish(Some(())).unwrap_err();
        let messages: Vec<_> = errors.into_iter().map(|error| error.to_string()).collect();
        assert_eq!(messages, ["first", "second"]);
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "without `finish`")]
    fn panics_when_nobody_looks_at_the_errors() {
        drop(Ctxt::new());
    }
}
