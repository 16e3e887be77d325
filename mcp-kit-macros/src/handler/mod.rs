//! The shared parts of the attributes on functions: their common keys, the
//! checks of the function, its description, and the type beside it.
//!
//! An attribute turns a function into one of the server's primitives. It goes
//! through these steps, and adds only the parts that are specific to its
//! primitive:
//!
//! ```text
//!             shared                            the attribute's own
//! keys        keys::SharedKeys                  a table written with `keys!`
//! check       check::check → model::Handler     Attribute::check → its own model
//! expand      expand::expand                    Attribute::describe, inside it
//! mistakes    fallback                          -
//! messages    "a tool …"                        Noun
//! ```
//!
//! A new attribute is a type that implements [`Attribute`] in a folder of its
//! own, and an entry point in `lib.rs` that calls [`attribute`] with it.

mod check;
mod doc;
mod expand;
mod fallback;
#[macro_use]
pub(crate) mod keys;
pub(crate) mod literal;
mod model;
mod signature;
#[cfg(test)]
mod tests;
pub(crate) mod value;
mod warning;

use proc_macro2::TokenStream;
use syn::ItemFn;

pub(crate) use self::expand::Spec;
use crate::errors::Errors;

/// The parts that one attribute adds to the shared ones.
pub(crate) trait Attribute: Sized {
    const NOUN: Noun;
    /// The keys that no other attribute has.
    type Keys: keys::Table;

    /// Checks the own keys of the function. Mistakes go into `errors`.
    fn check(keys: Self::Keys, function: &ItemFn, errors: &mut Errors) -> Self;

    /// The statements that put the own part into the spec.
    fn describe(&self, spec: &Spec<'_>) -> TokenStream;
}

/// The primitive's name in messages, and the names in `mcp_kit::__private` that
/// differ from primitive to primitive.
#[derive(Debug)]
pub(crate) struct Noun {
    /// The attribute's name, which is also the primitive's: `tool`.
    pub(crate) word: &'static str,
    /// Why it needs a description.
    pub(crate) described: &'static str,
    /// Return types to name in a message.
    pub(crate) returned: &'static str,
    /// The type of all results.
    pub(crate) result: &'static str,
    /// The trait of the return types and its function.
    pub(crate) into_result: (&'static str, &'static str),
    /// The trait of the type beside the function.
    pub(crate) function: &'static str,
    /// What that trait's `describe` fills in.
    pub(crate) spec: &'static str,
}

impl Noun {
    /// Whether this is the same attribute.
    fn is(&self, attribute: &syn::Attribute) -> bool {
        let last = attribute.path().segments.last();
        last.is_some_and(|last| last.ident == self.word)
    }
}

/// Expands the attribute `A`.
pub(crate) fn attribute<A: Attribute>(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let noun = &A::NOUN;
    let mut errors = Errors::default();
    let (shared, own) = keys::read::<A::Keys>(attribute, &mut errors);
    let Some(function) = signature::function(noun, &item, &mut errors) else {
        return fallback::without_function(item, errors);
    };
    let krate = shared.krate.clone();
    let handler = check::check(noun, shared, &function, &mut errors);
    let own = A::check(own, &function, &mut errors);
    match handler {
        Some(handler) if errors.is_empty() => {
            expand::expand(noun, &handler, &function, |spec| own.describe(spec))
        }
        _ => fallback::with_function(noun, &function, krate.as_ref(), errors),
    }
}
