//! Checks the shared keys against the function and builds the model of both.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::{Attribute, ItemFn, LitStr};

use super::keys::SharedKeys;
use super::model::{Description, Handler, Rate};
use super::value::Value;
use super::{Noun, doc, literal, signature};
use crate::errors::Errors;

/// Builds the model; `None` if a parameter could not be read.
pub(crate) fn check(
    noun: &Noun,
    keys: SharedKeys,
    function: &ItemFn,
    errors: &mut Errors,
) -> Option<Handler> {
    signature::check(noun, function, keys.blocking, errors);
    let parameters = signature::parameters(noun, function, errors);
    signature::own_name(noun, function, errors);
    let docs = attributes(function, "doc");
    // All are checked before the first missing one ends it.
    let name = wire_name(noun, keys.name.as_ref(), function, errors);
    let title = words("title", keys.title, errors);
    let description = description(noun, keys.description, &docs, function, errors);
    let icon = keys.icon.and_then(|value| icon(value, errors));
    let timeout = keys.timeout.and_then(|value| timeout(value, errors));
    let rate = keys.rate.and_then(|value| rate_of(value, errors));
    let scope = keys.scope.and_then(|value| scope(value, errors));
    let output = signature::output(noun, function, errors);
    Some(Handler {
        krate: keys.krate,
        ident: function.sig.ident.clone(),
        visibility: function.vis.clone(),
        cfgs: attributes(function, "cfg"),
        docs: docs.into_iter().filter(doc::is_literal).collect(),
        deprecated: !attributes(function, "deprecated").is_empty(),
        name,
        title,
        description: description?,
        icon,
        timeout,
        rate,
        concurrency: keys.concurrency,
        result_bytes: keys.result_bytes,
        scope,
        blocking: keys.blocking.is_some_and(|flag| flag.value),
        allow: keys.allow.unwrap_or_default(),
        parameters: parameters?,
        output,
    })
}

fn wire_name(
    noun: &Noun,
    key: Option<&Value>,
    function: &ItemFn,
    errors: &mut Errors,
) -> TokenStream {
    let (name, span) = match key {
        // `build()` checks it.
        Some(Value::Expr(name)) => return name.to_token_stream(),
        Some(Value::Text(text)) => (text.value(), text.span()),
        None => (
            function.sig.ident.unraw().to_string(),
            function.sig.ident.span(),
        ),
    };
    if let Err(message) = literal::check_name(noun, &name) {
        errors.at(span, message);
    }
    quote!(#name)
}

fn description(
    noun: &Noun,
    key: Option<Value>,
    docs: &[Attribute],
    function: &ItemFn,
    errors: &mut Errors,
) -> Option<Description> {
    match key {
        Some(Value::Expr(value)) => return Some(Description::Expr(value)),
        Some(Value::Text(text)) => {
            return not_empty("description", &text, errors).map(Description::Text);
        }
        None => {}
    }
    let description = doc::description(docs);
    if description.is_none() {
        let Noun {
            word, described, ..
        } = noun;
        errors.at(
            function.sig.ident.span(),
            format!(
                "this {word} has no description, and {described}: write a doc comment \
                 (`/// …`) above the function, or `description = \"…\"`"
            ),
        );
    }
    description
}

fn words(key: &str, value: Option<Value>, errors: &mut Errors) -> Option<TokenStream> {
    match value? {
        Value::Text(text) => not_empty(key, &text, errors).map(|text| quote!(#text)),
        Value::Expr(value) => Some(value.to_token_stream()),
    }
}

fn not_empty(key: &str, text: &LitStr, errors: &mut Errors) -> Option<String> {
    let value = text.value();
    if value.trim().is_empty() {
        errors.at(
            text.span(),
            format!("`{key}` is empty: write a text or remove the key"),
        );
        return None;
    }
    Some(value)
}

fn icon(value: Value, errors: &mut Errors) -> Option<TokenStream> {
    match value {
        Value::Expr(value) => Some(value.to_token_stream()),
        Value::Text(text) => match literal::icon_problem(&text.value()) {
            Some(message) => {
                errors.at(text.span(), message);
                None
            }
            None => Some(text.to_token_stream()),
        },
    }
}

/// Parses a `Duration`. `build()` checks one that is not a literal.
fn timeout(value: Value, errors: &mut Errors) -> Option<TokenStream> {
    match value {
        Value::Expr(value) => Some(value.to_token_stream()),
        Value::Text(text) => match literal::millis(&text.value()) {
            Ok(millis) => Some(quote!(::core::time::Duration::from_millis(#millis))),
            Err(message) => {
                errors.at(text.span(), message);
                None
            }
        },
    }
}

fn rate_of(value: Value, errors: &mut Errors) -> Option<Rate> {
    match value {
        Value::Expr(value) => Some(Rate::Expr(value)),
        Value::Text(text) => match literal::rate(&text.value()) {
            Ok((constructor, calls)) => Some(Rate::Calls(constructor, calls)),
            Err(message) => {
                errors.at(text.span(), message);
                None
            }
        },
    }
}

/// Parses a scope, which is one word of OAuth 2.0 (RFC 6749, section 3.3). It
/// may contain a comma, but the comma is more likely meant to separate two.
fn scope(value: Value, errors: &mut Errors) -> Option<TokenStream> {
    let text = match value {
        Value::Expr(value) => return Some(value.to_token_stream()),
        Value::Text(text) => text,
    };
    let value = text.value();
    let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | ',');
    if value.is_empty() || !value.chars().all(fits) {
        let message = match value.contains([' ', ',']) {
            true => {
                "`scope` takes one scope, which is one word such as `files:read`: check further \
                 scopes in the function with `Principal::has_scope`"
            }
            false => {
                "a scope is one word such as `files:read`: printable ASCII without spaces, `\"` \
                 and `\\`"
            }
        };
        errors.at(text.span(), message);
        return None;
    }
    Some(quote!(#value))
}

fn attributes(function: &ItemFn, name: &str) -> Vec<Attribute> {
    let wanted = |attribute: &&Attribute| match name {
        "doc" => doc::value(attribute).is_some(),
        _ => attribute.path().is_ident(name),
    };
    let attributes = function.attrs.iter().filter(wanted).cloned();
    // `//!` in the function's body is also its documentation.
    attributes
        .map(|attribute| Attribute {
            style: syn::AttrStyle::Outer,
            ..attribute
        })
        .collect()
}
