//! Where generated code finds what it names.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned as _;

/// The path of mcp-kit's `__private`, with the user's `crate = path` if given.
/// A wrong path is then reported at the path, and once.
pub(crate) fn krate(given: Option<&Path>) -> TokenStream {
    match given {
        Some(path) => quote_spanned!(path.span()=> #path::__private),
        None => quote!(::mcp_kit::__private),
    }
}
