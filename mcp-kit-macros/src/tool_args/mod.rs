//! `#[derive(ToolArgs)]`: a type's names on the wire and its rules, as data.

mod case;
pub(crate) mod check;
pub(crate) mod expand;
pub(crate) mod fallback;
pub(crate) mod model;
pub(crate) mod parse;
pub(crate) mod types;

use proc_macro2::TokenStream;

use crate::errors::Errors;

pub(crate) fn tool_args(item: TokenStream) -> TokenStream {
    let input: syn::DeriveInput = match syn::parse2(item.clone()) {
        Ok(input) => input,
        Err(error) => return fallback::unread(item, &error),
    };
    let mut errors = Errors::default();
    let container = parse::own::container(&input.attrs, &mut errors);
    let krate = container.krate.clone();
    match check::check(&input, container, &mut errors) {
        Some(model) if errors.is_empty() => expand::expand(&model),
        _ => fallback::fallback(&input, krate.as_ref(), errors),
    }
}
