//! Reads the attributes of serde, schemars, garde and mcp-kit. A mistake in
//! another derive's attribute is skipped, since that derive reports it.

pub(crate) mod garde;
pub(crate) mod own;
pub(crate) mod schemars;
pub(crate) mod serde;

use proc_macro2::TokenTree;
use syn::meta::ParseNestedMeta;
use syn::{Expr, LitStr, Token};

/// Returns the text of `key = "…"`.
fn text(meta: &ParseNestedMeta<'_>) -> syn::Result<LitStr> {
    meta.value()?.parse()
}

/// Skips whatever follows a key, up to the comma.
fn skip(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<Expr>()?;
    }
    while !meta.input.is_empty() && !meta.input.peek(Token![,]) {
        meta.input.parse::<TokenTree>()?;
    }
    Ok(())
}
