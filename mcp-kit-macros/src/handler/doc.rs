//! Converts the doc comment into the description for the model: markdown is
//! kept, indentation that only belongs to the source is removed.

use syn::spanned::Spanned as _;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, parse_quote};

use super::model::Description;

/// Returns the description in a function's doc comment, unless it is empty.
pub(crate) fn description(docs: &[Attribute]) -> Option<Description> {
    let values: Vec<&Expr> = docs.iter().filter_map(value).collect();
    let texts: Option<Vec<String>> = values.iter().map(|value| literal(value)).collect();
    match texts {
        Some(texts) => text(&texts).map(Description::Text),
        // `#[doc = include_str!(…)]`: only rustc knows the text.
        None => Some(Description::Pieces(values.into_iter().map(piece).collect())),
    }
}

/// Whether the text is a literal.
pub(crate) fn is_literal(attribute: &Attribute) -> bool {
    value(attribute).is_some_and(|value| literal(value).is_some())
}

/// Returns a line without the space after `///`, or the expression whose text
/// rustc computes.
fn piece(value: &Expr) -> Expr {
    match literal(value) {
        Some(text) => {
            let lines = match text.contains('\n') {
                true => block(&text).join("\n"),
                false => text.strip_prefix(' ').unwrap_or(&text).to_owned(),
            };
            let line = LitStr::new(&lines, value.span());
            parse_quote!(#line)
        }
        None => value.clone(),
    }
}

/// Returns the text of a doc attribute; `None` for `#[doc(hidden)]`.
pub(crate) fn value(attribute: &Attribute) -> Option<&Expr> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => Some(&pair.value),
        _ => None,
    }
}

fn literal(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.value()),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

/// Joins the attributes' texts. Returns `None` if nothing is left.
fn text(texts: &[String]) -> Option<String> {
    let mut lines: Vec<String> = Vec::new();
    for text in texts {
        if text.contains('\n') {
            lines.extend(block(text));
        } else {
            lines.push(text.strip_prefix(' ').unwrap_or(text).trim_end().to_owned());
        }
    }
    let first = lines.iter().position(|line| !line.is_empty())?;
    let last = lines.iter().rposition(|line| !line.is_empty())?;
    Some(lines[first..=last].join("\n"))
}

/// Returns the lines of a `/** … */` comment without its frame of stars, or
/// without the indentation that all lines share.
fn block(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let rest = || lines.iter().skip(1).filter(|line| !line.is_empty());
    let stars = rest().next().is_some() && rest().all(|line| line.trim_start().starts_with('*'));
    let indent = rest()
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    lines
        .iter()
        .enumerate()
        .map(|(i, line)| {
            let line = match (i, stars) {
                (0, _) => line.trim_start(),
                (_, true) => {
                    let line = line.trim_start();
                    let line = line.strip_prefix('*').unwrap_or(line);
                    line.strip_prefix(' ').unwrap_or(line)
                }
                (_, false) => line.get(indent..).unwrap_or_default(),
            };
            line.to_owned()
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use quote::ToTokens as _;
    use syn::ItemFn;

    use super::*;

    fn described(function: &ItemFn) -> Option<String> {
        match description(&function.attrs)? {
            Description::Text(text) => Some(text),
            Description::Expr(_) | Description::Pieces(_) => None,
        }
    }

    #[test]
    fn markdown_is_kept() {
        let function: ItemFn = parse_quote! {
            ///
            /// Search the web.
            ///
            /// - one
            ///   - nested
            ///
            /// ```text
            ///     deep
            /// ```
            ///
            fn f() {}
        };
        assert_eq!(
            described(&function).as_deref(),
            Some("Search the web.\n\n- one\n  - nested\n\n```text\n    deep\n```")
        );
    }

    #[test]
    fn block_comments_lose_their_frame() {
        let stars: ItemFn = parse_quote! {
            #[doc = "\n * Search the web.\n *\n *  - one\n "]
            fn f() {}
        };
        assert_eq!(
            described(&stars).as_deref(),
            Some("Search the web.\n\n - one")
        );
        let plain: ItemFn = parse_quote! {
            #[doc = " Search the web.\n\n    - one\n      - two\n    "]
            fn f() {}
        };
        assert_eq!(
            described(&plain).as_deref(),
            Some("Search the web.\n\n- one\n  - two")
        );
    }

    #[test]
    fn nothing_said_is_none() {
        let function: ItemFn = parse_quote! {
            ///
            #[doc(hidden)]
            fn f() {}
        };
        assert!(description(&function.attrs).is_none());
    }

    #[test]
    fn an_included_text_is_left_to_rustc() {
        let function: ItemFn = parse_quote! {
            /// Search.
            #[doc = include_str!("tool.md")]
            fn f() {}
        };
        let Some(Description::Pieces(pieces)) = description(&function.attrs) else {
            panic!("the text is known");
        };
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| piece.to_token_stream().to_string())
            .collect();
        assert_eq!(pieces, ["\"Search.\"", "include_str ! (\"tool.md\")"]);
    }
}
