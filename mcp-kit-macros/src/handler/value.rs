//! Parses the value of a key. These functions know the syntax of values;
//! `check` knows their meaning.

use proc_macro2::Span;
use quote::ToTokens as _;
use syn::parse::ParseStream;
use syn::{Expr, ExprLit, Ident, Lit, LitBool, LitStr, Path, Token, token};

use super::keys::Key;

/// A text that the macro reads, or an expression whose value only rustc knows:
/// a constant, `concat!(…)`, `Duration::from_secs(…)`.
pub(crate) enum Value {
    Text(LitStr),
    Expr(Expr),
}

/// `key`, `key = true` or `key = false`.
#[derive(Clone, Copy)]
pub(crate) struct Flag {
    pub(crate) span: Span,
    pub(crate) value: bool,
}

/// Parses what follows the `=`.
fn value(key: &Key<'_>, input: ParseStream<'_>) -> syn::Result<Expr> {
    let (name, form) = (key.row.name, key.row.form);
    let missing = |span| syn::Error::new(span, format!("`{name}` takes a value: write `{form}`"));
    if !input.peek(Token![=]) {
        return Err(missing(key.ident.span()));
    }
    input.parse::<Token![=]>()?;
    let here = input.span();
    input.parse().map_err(|_| missing(here))
}

/// A string literal, or an expression for a string.
pub(crate) fn text(key: &Key<'_>, input: ParseStream<'_>) -> syn::Result<Value> {
    let name = key.row.name;
    let value = value(key, input)?;
    let wrong = match &value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => return Ok(Value::Text(text.clone())),
        Expr::Lit(_) | Expr::Array(_) | Expr::Tuple(_) | Expr::Unary(_) => {
            format!("`{name}` takes a string")
        }
        Expr::Path(path) if path.path.get_ident().is_some_and(is_word) => {
            format!(
                "`{name}` takes a string: `{name} = \"{}\"`",
                path.to_token_stream()
            )
        }
        Expr::Macro(made) if made.mac.path.is_ident("format") => format!(
            "`{name}` must be known at compile time: write a string, a constant or \
             `concat!(…)`"
        ),
        _ => return Ok(Value::Expr(value)),
    };
    Err(syn::Error::new_spanned(value, wrong))
}

/// Whether this is more likely a text that lacks its quotes than a constant.
fn is_word(ident: &Ident) -> bool {
    ident.to_string().starts_with(char::is_lowercase)
}

pub(crate) fn scope(key: &Key<'_>, input: ParseStream<'_>) -> syn::Result<Value> {
    let ahead = input.fork();
    if ahead.parse::<Token![=]>().is_ok()
        && (ahead.peek(token::Bracket) || ahead.peek(token::Paren))
    {
        return Err(ahead.error(
            "`scope` takes one scope: write `scope = \"…\"`, and check further scopes in the \
             function with `Principal::has_scope`",
        ));
    }
    text(key, input)
}

/// The URI of an icon, or an expression for an icon.
pub(crate) fn icon(key: &Key<'_>, input: ParseStream<'_>) -> syn::Result<Value> {
    let ahead = input.fork();
    if ahead.parse::<Token![=]>().is_ok()
        && (ahead.peek(token::Bracket) || ahead.peek(token::Paren))
    {
        return Err(ahead.error(
            "`icon` takes one icon: add further ones where the function is registered, with \
             `.icon(…)`",
        ));
    }
    text(key, input)
}

/// A time, or an expression for one.
pub(crate) fn duration(key: &Key<'_>, input: ParseStream<'_>) -> syn::Result<Value> {
    let name = key.row.name;
    let value = value(key, input)?;
    match &value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Ok(Value::Text(text.clone())),
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => Err(syn::Error::new(
            number.span(),
            format!(
                "`{name}` needs a unit: write `{name} = \"{}s\"`",
                number.base10_digits()
            ),
        )),
        Expr::Lit(_) => Err(syn::Error::new_spanned(
            value,
            format!("`{name}` takes a time such as `\"15s\"`, or a `Duration`"),
        )),
        _ => Ok(Value::Expr(value)),
    }
}

pub(crate) fn rate(key: &Key<'_>, input: ParseStream<'_>) -> syn::Result<Value> {
    let value = value(key, input)?;
    match &value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Ok(Value::Text(text.clone())),
        Expr::Lit(_) | Expr::Binary(_) => Err(syn::Error::new_spanned(
            value,
            "`rate` takes a rate such as `\"60/min\"`, or a `Rate`",
        )),
        _ => Ok(Value::Expr(value)),
    }
}

pub(crate) fn number(key: &Key<'_>, input: ParseStream<'_>) -> syn::Result<Expr> {
    let (name, form) = (key.row.name, key.row.form);
    let value = value(key, input)?;
    match &value {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => match number.base10_parse::<u64>() {
            Ok(0) => Err(syn::Error::new(
                number.span(),
                format!("with `{name} = 0` every call would fail: write `{form}`"),
            )),
            _ => Ok(value),
        },
        Expr::Lit(_) | Expr::Unary(_) => Err(syn::Error::new_spanned(
            value,
            format!("`{name}` takes a whole number: write `{form}`"),
        )),
        _ => Ok(value),
    }
}

pub(crate) fn flag(key: &Key<'_>, input: ParseStream<'_>) -> syn::Result<Flag> {
    let (name, span) = (key.row.name, key.ident.span());
    let forms = || format!("write `{name}`, `{name} = true` or `{name} = false`");
    if input.peek(token::Paren) {
        return Err(syn::Error::new(span, forms()));
    }
    let mut value = true;
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        if !input.peek(LitBool) {
            return Err(input.error(forms()));
        }
        value = input.parse::<LitBool>()?.value;
    }
    Ok(Flag { span, value })
}

pub(crate) fn crate_path(key: &Key<'_>, input: ParseStream<'_>) -> syn::Result<Path> {
    let path = || {
        input.parse::<Token![=]>()?;
        input.call(Path::parse_mod_style)
    };
    let path = path().map_err(|_| syn::Error::new(key.ident.span(), crate::krate::NO_PATH))?;
    crate::krate::check(&path)?;
    Ok(path)
}
