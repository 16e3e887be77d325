//! Reads the attributes of serde, schemars, garde and mcp-kit. A mistake in
//! another derive's attribute is that derive's to tell, so it is passed over.

pub(crate) mod garde;
pub(crate) mod own;
pub(crate) mod schemars;
pub(crate) mod serde;

use syn::meta::ParseNestedMeta;
use syn::{Expr, LitStr, Token, token};

/// The text of `key = "…"`.
fn text(meta: &ParseNestedMeta<'_>) -> syn::Result<LitStr> {
    meta.value()?.parse()
}

/// Passes over whatever follows a key.
fn skip(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<Expr>()?;
    } else if meta.input.peek(token::Paren) {
        let content;
        syn::parenthesized!(content in meta.input);
        content.parse::<proc_macro2::TokenStream>()?;
    }
    Ok(())
}
