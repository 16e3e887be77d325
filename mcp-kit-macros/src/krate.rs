//! The path by which generated code names mcp-kit.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned as _;

/// Returns the path of mcp-kit's `__private`, with the user's `crate = path` if
/// there is one. A wrong path is then reported at the path, and once.
pub(crate) fn krate(given: Option<&Path>) -> TokenStream {
    match given {
        Some(path) => quote_spanned!(path.span()=> #path::__private),
        None => quote!(::mcp_kit::__private),
    }
}

/// The message for a `crate = …` whose value is not a path.
pub(crate) const NO_PATH: &str = "`crate` takes the path to mcp-kit, without quotes: `crate = kit`";

/// Refuses a path into the crate, which only rustc could report otherwise.
pub(crate) fn check(path: &Path) -> syn::Result<()> {
    let segments = path.segments.len();
    match path.segments.last() {
        Some(last) if segments > 1 && (last.ident == "prelude" || last.ident == "__private") => {
            let given = path.segments.iter().take(segments - 1);
            let given: Vec<String> = given.map(|segment| segment.ident.to_string()).collect();
            Err(syn::Error::new_spanned(
                path,
                format!(
                    "`crate` takes the crate itself: `crate = {}`",
                    given.join("::")
                ),
            ))
        }
        _ => Ok(()),
    }
}
