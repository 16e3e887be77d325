//! The tables of keys. A row has the key's name, the field that keeps its
//! value, the function that reads it, its written form, and its names in other
//! frameworks.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Expr, Ident, LitStr, Path, Token};

use super::value::{self, Flag, Value};
use super::warning;
use crate::errors::{Errors, twice};
use crate::suggest::unknown_key;

/// The parts of the messages about a key.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// How the key is written: `timeout = "15s"`.
    pub(crate) form: &'static str,
    /// Its names in other frameworks and the protocol.
    pub(crate) other_names: &'static [&'static str],
}

/// A key where the user wrote it.
pub(crate) struct Key<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) row: &'static Row,
}

/// A table of keys, and the values that were set for them.
pub(crate) trait Table: Default {
    const ROWS: &'static [Row];
    /// Words that are not another name for one key, and their replacements.
    const ADVICE: &'static [(&'static [&'static str], &'static str)];

    /// Reads what follows the key. `None` if the table has no such key.
    fn read(&mut self, key: &Ident, input: ParseStream<'_>) -> Option<syn::Result<()>>;
}

/// Makes a struct of a table, with an `Option` for each row, and the
/// implementation of [`Table`].
macro_rules! keys {
    (
        $(#[$meta:meta])*
        $visibility:vis struct $table:ident {
            $($key:literal $field:ident: $ty:ty = $read:expr, $form:literal, [$($other:literal),*];)*
        }
        advice $advice:expr
    ) => {
        $(#[$meta])*
        #[derive(Default)]
        $visibility struct $table {
            $($visibility $field: Option<$ty>,)*
        }

        impl $crate::handler::keys::Table for $table {
            const ROWS: &'static [$crate::handler::keys::Row] = &[$($crate::handler::keys::Row {
                name: $key,
                form: $form,
                other_names: &[$($other),*],
            }),*];
            const ADVICE: &'static [(&'static [&'static str], &'static str)] = $advice;

            #[allow(unused_variables)] // a table may be empty
            fn read(
                &mut self,
                ident: &syn::Ident,
                input: syn::parse::ParseStream<'_>,
            ) -> Option<syn::Result<()>> {
                let word = ident.to_string();
                let row = Self::ROWS.iter().find(|row| row.name == word)?;
                let key = &$crate::handler::keys::Key { ident, row };
                match row.name {
                    $($key => Some($read(key, input).and_then(|value| {
                        $crate::handler::keys::once(&mut self.$field, key, value)
                    })),)*
                    _ => None,
                }
            }
        }
    };
}

keys! {
    /// The keys that every attribute has.
    pub(crate) struct SharedKeys {
        "name" name: Value = value::text, r#"name = "…""#, ["rename", "id", "alias"];
        "title" title: Value = value::text, r#"title = "…""#, ["label", "display_name"];
        "description" description: Value = value::text, r#"description = "…""#, [];
        "icon" icon: Value = value::icon, r#"icon = "https://example.com/icon.svg""#,
            ["icons", "image", "logo", "picture", "avatar"];
        "timeout" timeout: Value = value::duration, r#"timeout = "15s""#,
            ["deadline", "time_limit", "max_time", "timeout_ms", "timeout_secs", "timeout_seconds"];
        "rate" rate: Value = value::rate, r#"rate = "60/min""#,
            ["rate_limit", "rate_limits", "limit", "throttle", "rpm", "rps", "calls_per_minute"];
        "concurrency" concurrency: Expr = value::number, "concurrency = 4",
            ["max_concurrency", "concurrency_limit", "concurrent", "max_concurrent", "parallel"];
        "result_bytes" result_bytes: Expr = value::number, "result_bytes = 65_536",
            [
                "max_result_bytes", "max_bytes", "max_result", "result_limit", "result_size",
                "max_size"
            ];
        "scope" scope: Value = value::scope, r#"scope = "…""#,
            ["scopes", "permission", "permissions", "role", "roles", "auth", "requires", "require"];
        "blocking" blocking: Flag = value::flag, "blocking",
            ["sync", "block", "spawn_blocking", "is_blocking"];
        "allow" allow: Vec<Ident> = warning::list, "allow(long_timeout)",
            ["accept_warning", "accept_warnings", "accept", "warnings", "ignore", "lint", "expect"];
        "crate" krate: Path = value::crate_path, "crate = path", [];
    }
    advice &[
        (
            &["desc", "doc", "docs", "about", "summary", "help", "prompt", "instructions"],
            "write a doc comment above the function, or `description = \"…\"`",
        ),
        (
            &["input_schema", "schema", "args", "arguments", "params", "parameters", "input"],
            "the arguments are described by the function's argument struct",
        ),
    ]
}

/// Reads the keys. A bad one is stored as a mistake and skipped; the others are
/// read.
pub(crate) fn read<Own: Table>(attribute: TokenStream, errors: &mut Errors) -> (SharedKeys, Own) {
    let mut keys = (SharedKeys::default(), Own::default());
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

fn key<Own: Table>(
    input: ParseStream<'_>,
    (shared, own): &mut (SharedKeys, Own),
) -> syn::Result<()> {
    if input.peek(LitStr) {
        let name: LitStr = input.parse()?;
        // rustc reports `#[tool = "…"]`, and leaves the text alone.
        if Span::call_site()
            .source_text()
            .is_some_and(|text| !text.contains('('))
        {
            return Ok(());
        }
        let message = format!("expected a key: write `name = {}`", name.token());
        return Err(syn::Error::new(name.span(), message));
    }
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected a key such as `title = \"…\"` or `blocking`"));
    }
    let key = input.call(Ident::parse_any)?;
    if input.peek(Token![-]) {
        return Err(with_hyphens::<Own>(&key, input));
    }
    shared
        .read(&key, input)
        .or_else(|| own.read(&key, input))
        .unwrap_or_else(|| {
            Err(syn::Error::new(
                key.span(),
                unknown::<Own>(&key.to_string()),
            ))
        })
}

/// `read-only`: the keys are Rust's words.
fn with_hyphens<Own: Table>(first: &Ident, input: ParseStream<'_>) -> syn::Error {
    let mut key = first.to_string();
    while input.peek(Token![-]) && input.peek2(Ident::peek_any) {
        let word = input
            .parse::<Token![-]>()
            .and_then(|_| input.call(Ident::parse_any));
        let Ok(word) = word else { break };
        key.push('_');
        key.push_str(&word.to_string());
    }
    let message = match rows::<Own>().any(|row| row.name == key) {
        true => format!("keys are written with `_`: `{key}`"),
        false => unknown::<Own>(&key),
    };
    syn::Error::new(first.span(), message)
}

fn rows<Own: Table>() -> impl Iterator<Item = &'static Row> {
    SharedKeys::ROWS.iter().chain(Own::ROWS)
}

/// The message for an unknown key.
fn unknown<Own: Table>(key: &str) -> String {
    let plain = |word: &str| word.to_lowercase().replace('_', "");
    let among = |words: &[&str]| words.iter().any(|word| plain(word) == plain(key));
    if let Some(row) = rows::<Own>().find(|row| among(row.other_names)) {
        return format!("unknown key `{key}`: write `{}`", row.form);
    }
    let mut advice = SharedKeys::ADVICE.iter().chain(Own::ADVICE);
    match advice.find(|(words, _)| among(words)) {
        Some((_, advice)) => format!("unknown key `{key}`: {advice}"),
        None => {
            let names: Vec<&str> = rows::<Own>().map(|row| row.name).collect();
            unknown_key(key, &names)
        }
    }
}

/// Keeps a key's value. A second one is a mistake.
pub(crate) fn once<T>(slot: &mut Option<T>, key: &Key<'_>, value: T) -> syn::Result<()> {
    if slot.is_some() {
        return Err(twice(key.ident.span(), key.row.name));
    }
    *slot = Some(value);
    Ok(())
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}
