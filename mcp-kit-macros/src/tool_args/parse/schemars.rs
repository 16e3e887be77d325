//! Finds schemars's attributes that make the schema differ from what serde
//! reads or garde checks.

use proc_macro2::{Span, TokenTree};
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned as _;
use syn::{Attribute, LitStr, Token, parenthesized};

use super::skip;

/// Why an attribute makes the schema untrue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Untrue {
    /// Another name or form than serde's.
    Form,
    /// Another type's schema.
    Type,
    /// A rule that no code checks.
    Rule,
    /// A function that may change anything.
    Function,
}

/// Returns the attributes of schemars on an item, with their keys.
pub(crate) fn untrue(attributes: &[Attribute]) -> Vec<(Span, String, Untrue)> {
    let mut found = Vec::new();
    for attribute in attributes {
        if attribute.path().is_ident("validate") {
            found.push((attribute.path().span(), "validate".to_owned(), Untrue::Rule));
        }
        if !attribute.path().is_ident("schemars") {
            continue;
        }
        // schemars's own derive reports what is wrong in here.
        let _ = attribute.parse_nested_meta(|meta| {
            let key = meta
                .path
                .get_ident()
                .map(ToString::to_string)
                .unwrap_or_default();
            if key == "extend" {
                return extensions(&meta, &mut found);
            }
            let why = match key.as_str() {
                "rename"
                | "rename_all"
                | "rename_all_fields"
                | "alias"
                | "tag"
                | "content"
                | "untagged"
                | "flatten"
                | "skip"
                | "skip_deserializing"
                | "transparent"
                | "deny_unknown_fields"
                | "default"
                | "from"
                | "try_from" => Some(Untrue::Form),
                "with" | "schema_with" => Some(Untrue::Type),
                "length" | "range" | "regex" | "pattern" | "contains" | "required" | "email"
                | "url" | "ip" | "ipv4" | "ipv6" | "inner" => Some(Untrue::Rule),
                "transform" => Some(Untrue::Function),
                _ => None,
            };
            if let Some(why) = why {
                found.push((meta.path.span(), key, why));
            }
            skip(&meta)
        });
    }
    found
}

/// Returns the keywords of `extend("keyword" = …, …)` that are more than
/// annotations.
fn extensions(
    meta: &ParseNestedMeta<'_>,
    found: &mut Vec<(Span, String, Untrue)>,
) -> syn::Result<()> {
    let content;
    parenthesized!(content in meta.input);
    while !content.is_empty() {
        let keyword: LitStr = content.parse()?;
        if !is_remark(&keyword.value()) {
            found.push((keyword.span(), keyword.value(), Untrue::Rule));
        }
        while !content.is_empty() && !content.peek(Token![,]) {
            content.parse::<TokenTree>()?;
        }
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

/// Whether a keyword of a schema is only an annotation.
fn is_remark(keyword: &str) -> bool {
    const REMARKS: &[&str] = &[
        "$comment",
        "deprecated",
        "description",
        // The labels of a form's choices, as clients of 2025-06-18 read them.
        "enumNames",
        "examples",
        "readOnly",
        "title",
        "writeOnly",
    ];
    REMARKS.contains(&keyword) || keyword.starts_with("x-")
}
