//! `#[tool]`: a type beside the function, which the server's builder takes.

mod check;
mod doc;
mod duration;
mod expand;
mod fallback;
mod model;
mod name;
mod parse;
mod rate;
mod warning;

use proc_macro2::TokenStream;

use crate::errors::Errors;

pub(crate) fn tool(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let keys = parse::keys(attribute, &mut errors);
    let Some(function) = parse::function(&item, &mut errors) else {
        return fallback::without_function(item, errors);
    };
    let krate = keys.krate.clone();
    match check::check(keys, &function, &mut errors) {
        Some(model) if errors.is_empty() => expand::expand(&model, &function),
        _ => fallback::with_function(&function, krate.as_ref(), errors),
    }
}
