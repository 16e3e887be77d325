//! Reads the hints for the client: `audience(…)` and `priority`.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, ExprUnary, Ident, Lit, Token, UnOp, parenthesized, token};

use crate::errors::twice;
use crate::handler::keys::Key;

/// The words of the readers, and the variants of `Role`.
const ROLES: &[(&str, &str)] = &[("user", "User"), ("assistant", "Assistant")];

/// Parses what follows `audience`.
pub(super) fn audience(key: &Key<'_>, input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    let form = "write `audience(user)`, `audience(assistant)` or `audience(user, assistant)`";
    if !input.peek(token::Paren) {
        return Err(syn::Error::new(key.ident.span(), form));
    }
    let content;
    parenthesized!(content in input);
    let words = Punctuated::<Ident, Token![,]>::parse_terminated_with(&content, Ident::parse_any);
    // The remaining tokens inside would be reported in addition.
    content.parse::<TokenStream>()?;
    let words = words.map_err(|error| syn::Error::new(error.span(), form))?;
    if words.is_empty() {
        return Err(syn::Error::new(key.ident.span(), form));
    }
    let mut roles: Vec<Ident> = Vec::new();
    for word in &words {
        let known = ROLES.iter().find(|(name, _)| word == name);
        let Some((name, variant)) = known else {
            return Err(syn::Error::new(word.span(), form));
        };
        let role = Ident::new(variant, word.span());
        if roles.contains(&role) {
            return Err(twice(word.span(), name));
        }
        roles.push(role);
    }
    Ok(roles)
}

/// Parses what follows `priority`: a number from 0.0 to 1.0, or an expression.
pub(super) fn priority(key: &Key<'_>, input: ParseStream<'_>) -> syn::Result<Expr> {
    let form = "`priority` is a number from 0.0 (optional) to 1.0 (required): write \
                `priority = 0.8`";
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(key.ident.span(), form));
    }
    input.parse::<Token![=]>()?;
    let here = input.span();
    let value: Expr = input.parse().map_err(|_| syn::Error::new(here, form))?;
    let fits = match &value {
        Expr::Lit(ExprLit {
            lit: Lit::Float(number),
            ..
        }) => number
            .base10_parse::<f64>()
            .is_ok_and(|number| (0.0..=1.0).contains(&number)),
        Expr::Lit(_)
        | Expr::Unary(ExprUnary {
            op: UnOp::Neg(_), ..
        }) => false,
        _ => true,
    };
    match fits {
        true => Ok(value),
        false => Err(syn::Error::new_spanned(value, form)),
    }
}
