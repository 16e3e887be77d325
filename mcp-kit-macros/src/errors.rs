//! Collects mistakes, so that all of them are shown at once.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// Mistakes found so far.
#[derive(Default)]
pub(crate) struct Errors {
    found: Option<syn::Error>,
    /// The part of the item that the compiler must not see, since it would
    /// report the same.
    pub(crate) hidden: Hidden,
}

/// Creates the error for a key that appears a second time.
pub(crate) fn twice(span: Span, key: &str) -> syn::Error {
    syn::Error::new(span, format!("`{key}` appears twice: keep one"))
}

/// The part of a function that carries a mistake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hidden {
    #[default]
    Nothing,
    Body,
    Signature,
}

impl Errors {
    /// Adds a mistake at one place.
    pub(crate) fn at(&mut self, span: Span, message: impl std::fmt::Display) {
        self.push(syn::Error::new(span, message));
    }

    /// Adds a mistake that covers all of these tokens.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Adds a mistake that the parser found.
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.found {
            Some(first) => first.combine(error),
            none => *none = Some(error),
        }
    }

    /// Keeps the value or stores the mistake.
    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Hides at least this part.
    pub(crate) fn hide(&mut self, part: Hidden) {
        self.hidden = self.hidden.max(part);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_none()
    }

    /// Returns the `compile_error!`s, one for each mistake.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.found
            .map(|error| error.to_compile_error())
            .unwrap_or_default()
    }

    #[cfg(test)]
    pub(crate) fn messages(self) -> Vec<String> {
        self.found
            .into_iter()
            .flatten()
            .map(|error| error.to_string())
            .collect()
    }
}
