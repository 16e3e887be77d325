//! Where generated code finds mcp-kit.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::Path;

/// The absolute path, or what the user says with `crate = path`.
pub(crate) fn krate(given: Option<&Path>) -> TokenStream {
    match given {
        Some(path) => path.to_token_stream(),
        None => quote!(::mcp_kit),
    }
}
