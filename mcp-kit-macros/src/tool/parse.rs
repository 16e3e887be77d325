//! Reads `#[tool(…)]` and the item under it. Knows the syntax of keys, not
//! what may stand with what.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Expr, ExprLit, Ident, Item, ItemFn, Lit, LitBool, LitStr, Path, Signature};
use syn::{Token, Visibility, parse_quote, token};

use super::warning::{self, Warning};
use crate::errors::Errors;

mod foreign;

use foreign::unknown;

/// The keys as they are written.
#[derive(Default)]
pub(crate) struct Keys {
    pub(crate) krate: Option<Path>,
    pub(crate) name: Option<Value>,
    pub(crate) title: Option<Value>,
    pub(crate) description: Option<Value>,
    pub(crate) timeout: Option<Value>,
    pub(crate) scope: Option<Value>,
    pub(crate) rate: Option<Value>,
    pub(crate) concurrency: Option<Expr>,
    pub(crate) result_bytes: Option<Expr>,
    pub(crate) read_only: Option<Flag>,
    pub(crate) destructive: Option<Flag>,
    pub(crate) idempotent: Option<Flag>,
    pub(crate) open_world: Option<Flag>,
    pub(crate) blocking: Option<Flag>,
    /// The warnings that the tool accepts.
    pub(crate) allow: Option<Vec<Warning>>,
}

/// A text that the macro reads, or an expression of which only rustc knows the
/// value: a constant, `concat!(…)`, `Duration::from_secs(…)`.
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

const KNOWN: &[&str] = &[
    "name",
    "title",
    "description",
    "read_only",
    "destructive",
    "idempotent",
    "open_world",
    "timeout",
    "rate",
    "concurrency",
    "result_bytes",
    "scope",
    "blocking",
    "allow",
    "crate",
];

/// Reads the keys. A bad one is stored and left out; the others are read.
pub(crate) fn keys(attribute: TokenStream, errors: &mut Errors) -> Keys {
    let mut keys = Keys::default();
    let parsed = (|input: ParseStream<'_>| {
        while !input.is_empty() {
            if let Err(error) = key(input, &mut keys) {
                errors.push(error);
                skip_to_comma(input)?;
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    })
    .parse2(attribute);
    errors.take(parsed);
    keys
}

/// Reads the function, or says what is there in its place.
pub(crate) fn function(item: &TokenStream, errors: &mut Errors) -> Option<ItemFn> {
    if let Ok((function, semicolon)) = without_body.parse2(item.clone()) {
        errors.at(
            semicolon.span,
            "a tool needs a body: write `{ … }` in place of `;`",
        );
        return Some(function);
    }
    match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Fn(function)) => Some(function),
        Ok(other) => {
            errors.at(
                first_word(&other),
                "`#[tool]` turns a function into a tool: put it on an `async fn`, \
                 or on a `fn` as `#[tool(blocking)]`",
            );
            None
        }
        // Not an item: the compiler says so itself once the tokens are back.
        Err(error) => {
            errors.push(error);
            None
        }
    }
}

/// `fn name(…);`, with a body that keeps the compiler silent.
fn without_body(input: ParseStream<'_>) -> syn::Result<(ItemFn, Token![;])> {
    let attrs = input.call(Attribute::parse_outer)?;
    let vis: Visibility = input.parse()?;
    let sig: Signature = input.parse()?;
    let semicolon = input.parse()?;
    let mut function: ItemFn = parse_quote!(
        fn f() {
            ::core::unreachable!()
        }
    );
    (function.attrs, function.vis, function.sig) = (attrs, vis, sig);
    Ok((function, semicolon))
}

fn key(input: ParseStream<'_>, keys: &mut Keys) -> syn::Result<()> {
    if input.peek(LitStr) {
        let name: LitStr = input.parse()?;
        // rustc reports `#[tool = "…"]`, and leaves the text alone.
        if Span::call_site()
            .source_text()
            .is_some_and(|text| !text.contains('('))
        {
            return Ok(());
        }
        let message = format!("a text without a key: write `name = {}`", name.token());
        return Err(syn::Error::new(name.span(), message));
    }
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected a key such as `title = \"…\"` or `read_only`"));
    }
    let key = input.call(Ident::parse_any)?;
    match key.to_string().as_str() {
        _ if input.peek(Token![-]) => Err(with_hyphens(&key, input)),
        "name" => once(&mut keys.name, &key, text(&key, input)?),
        "title" => once(&mut keys.title, &key, text(&key, input)?),
        "description" => once(&mut keys.description, &key, text(&key, input)?),
        "scope" => once(&mut keys.scope, &key, scope(&key, input)?),
        "timeout" => once(&mut keys.timeout, &key, timeout(&key, input)?),
        "rate" => once(&mut keys.rate, &key, rate(&key, input)?),
        "concurrency" => once(&mut keys.concurrency, &key, number(&key, "4", input)?),
        "result_bytes" => once(&mut keys.result_bytes, &key, number(&key, "65_536", input)?),
        "read_only" => once(&mut keys.read_only, &key, flag(&key, input)?),
        "destructive" => once(&mut keys.destructive, &key, flag(&key, input)?),
        "idempotent" => once(&mut keys.idempotent, &key, flag(&key, input)?),
        "open_world" => once(&mut keys.open_world, &key, flag(&key, input)?),
        "blocking" => once(&mut keys.blocking, &key, flag(&key, input)?),
        "allow" => once(&mut keys.allow, &key, warning::list(&key, input)?),
        "crate" => once(&mut keys.krate, &key, crate_path(&key, input)?),
        other => Err(syn::Error::new(key.span(), unknown(other))),
    }
}

/// `read-only`: the keys are Rust's words.
fn with_hyphens(first: &Ident, input: ParseStream<'_>) -> syn::Error {
    let mut key = first.to_string();
    while input.peek(Token![-]) && input.peek2(Ident::peek_any) {
        let word = input
            .parse::<Token![-]>()
            .and_then(|_| input.call(Ident::parse_any));
        let Ok(word) = word else { break };
        key.push('_');
        key.push_str(&word.to_string());
    }
    let message = match KNOWN.contains(&key.as_str()) {
        true => format!("keys are written with `_`: `{key}`"),
        false => unknown(&key),
    };
    syn::Error::new(first.span(), message)
}

fn once<T>(slot: &mut Option<T>, key: &Ident, value: T) -> syn::Result<()> {
    if slot.is_some() {
        return Err(syn::Error::new(
            key.span(),
            format!("`{key}` is given twice: keep one"),
        ));
    }
    *slot = Some(value);
    Ok(())
}

/// What follows the `=`. `example` is how the key is written.
fn value(key: &Ident, example: &str, input: ParseStream<'_>) -> syn::Result<Expr> {
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(
            key.span(),
            format!("`{key}` takes a value: write `{key} = {example}`"),
        ));
    }
    input.parse::<Token![=]>()?;
    let here = input.span();
    input.parse().map_err(|_| {
        syn::Error::new(
            here,
            format!("`{key}` takes a value: write `{key} = {example}`"),
        )
    })
}

/// A text in quotes or an expression for one.
fn text(key: &Ident, input: ParseStream<'_>) -> syn::Result<Value> {
    let value = value(key, "\"…\"", input)?;
    let wrong = match &value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => return Ok(Value::Text(text.clone())),
        Expr::Lit(_) | Expr::Array(_) | Expr::Tuple(_) | Expr::Unary(_) => {
            format!("`{key}` takes a text in quotes")
        }
        Expr::Path(path) if path.path.get_ident().is_some_and(is_word) => {
            format!(
                "`{key}` takes a text in quotes: `{key} = \"{}\"`",
                path.to_token_stream()
            )
        }
        Expr::Macro(made) if made.mac.path.is_ident("format") => format!(
            "`{key}` is known when the program is compiled: write a text, a constant or \
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

fn scope(key: &Ident, input: ParseStream<'_>) -> syn::Result<Value> {
    let ahead = input.fork();
    if ahead.parse::<Token![=]>().is_ok()
        && (ahead.peek(token::Bracket) || ahead.peek(token::Paren))
    {
        return Err(ahead.error(
            "a tool requires one scope: write `scope = \"…\"`, and ask for others in the \
             function with `Principal::has_scope`",
        ));
    }
    text(key, input)
}

fn timeout(key: &Ident, input: ParseStream<'_>) -> syn::Result<Value> {
    let value = value(key, "\"15s\"", input)?;
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
                "`timeout` needs a unit: write `timeout = \"{}s\"`",
                number.base10_digits()
            ),
        )),
        Expr::Lit(_) => Err(syn::Error::new_spanned(
            value,
            "`timeout` takes a time such as `\"15s\"`, or a `Duration`",
        )),
        _ => Ok(Value::Expr(value)),
    }
}

fn rate(key: &Ident, input: ParseStream<'_>) -> syn::Result<Value> {
    let value = value(key, "\"60/min\"", input)?;
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

fn number(key: &Ident, example: &str, input: ParseStream<'_>) -> syn::Result<Expr> {
    let value = value(key, example, input)?;
    match &value {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => match number.base10_parse::<u64>() {
            Ok(0) => Err(syn::Error::new(
                number.span(),
                format!("with `{key} = 0` no call could end well: write `{key} = {example}`"),
            )),
            _ => Ok(value),
        },
        Expr::Lit(_) | Expr::Unary(_) => Err(syn::Error::new_spanned(
            value,
            format!("`{key}` takes a whole number: write `{key} = {example}`"),
        )),
        _ => Ok(value),
    }
}

fn flag(key: &Ident, input: ParseStream<'_>) -> syn::Result<Flag> {
    let mut value = true;
    let forms = || format!("write `{key}`, `{key} = true` or `{key} = false`");
    if input.peek(token::Paren) {
        return Err(syn::Error::new(key.span(), forms()));
    }
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        if !input.peek(LitBool) {
            return Err(input.error(forms()));
        }
        value = input.parse::<LitBool>()?.value;
    }
    Ok(Flag {
        span: key.span(),
        value,
    })
}

fn crate_path(key: &Ident, input: ParseStream<'_>) -> syn::Result<Path> {
    let path = || {
        input.parse::<Token![=]>()?;
        input.call(Path::parse_mod_style)
    };
    let path = path().map_err(|_| syn::Error::new(key.span(), crate::krate::NO_PATH))?;
    crate::krate::check(&path)?;
    Ok(path)
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// The item's first token after its attributes and visibility.
fn first_word(item: &Item) -> Span {
    let mut tokens = item.to_token_stream().into_iter().peekable();
    while let Some(token) = tokens.next() {
        match &token {
            // `#[…]`
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                tokens.next();
            }
            TokenTree::Group(_) => {}
            TokenTree::Ident(word) if word == "pub" => {}
            word => return word.span(),
        }
    }
    Span::call_site()
}

#[cfg(test)]
mod tests;
