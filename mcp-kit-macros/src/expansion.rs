//! Snapshots of what the macros write. They show a reader what becomes of a
//! tool, and a reviewer what a change of the macros changes.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p mcp-kit-macros` records them.

use std::path::Path;

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};
use quote::quote;

#[test]
fn a_tool() {
    let written = crate::tool::tool(
        quote! {
            title = "Web search", read_only, destructive = false, idempotent, open_world = true,
            timeout = "15s", scope = "web:search", allow(unique_items, long_timeout)
        },
        quote! {
            /// Search the web.
            ///
            /// - quickly
            #[cfg(feature = "web")]
            pub(crate) async fn search_web(
                args: SearchArgs,
                State(web): State<Web>,
            ) -> Result<Json<Hits>, ToolError> {
                web.search(&args.query).await
            }
        },
    );
    compare("tool", written);
}

#[test]
fn a_blocking_tool_without_parameters() {
    let written = crate::tool::tool(
        quote! { blocking, crate = kit, name = "disk.usage" },
        quote! {
            #[doc = include_str!("usage.md")]
            fn usage() {}
        },
    );
    compare("blocking_tool", written);
}

#[test]
fn a_tool_with_mistakes() {
    let written = crate::tool::tool(
        quote! { timeout = "soon" },
        quote! {
            /// Search the web.
            #[cfg(feature = "web")]
            pub async fn search_web(args: &SearchArgs) -> String {
                String::new()
            }
        },
    );
    compare("tool_with_mistakes", written);
}

#[test]
fn arguments() {
    let written = crate::tool_args::tool_args(quote! {
        #[serde(rename_all = "camelCase")]
        #[tool_args(rule = "from must not be after to")]
        pub struct SearchArgs {
            #[garde(length(chars, min = 1, max = LONGEST), custom(no_operators))]
            #[tool_args(rule = "must not contain search operators")]
            query: String,
            #[serde(alias = "max_results", alias = "limit")]
            #[garde(range(min = -1, max = MOST))]
            max_results: Option<i64>,
            #[garde(length(max = 3), inner(length(chars, max = 20), prefix("#")))]
            tags: Vec<String>,
            #[serde(flatten)]
            #[garde(dive)]
            paging: Paging,
            #[tool_args(opaque)]
            #[serde(with = "seconds")]
            #[garde(skip)]
            since: Duration,
            #[serde(skip)]
            #[garde(skip)]
            cache: Cache,
        }
    });
    compare("arguments", written);
}

#[test]
fn a_generic_enum() {
    let written = crate::tool_args::tool_args(quote! {
        #[serde(tag = "by", rename_all = "snake_case", rename_all_fields = "camelCase")]
        #[tool_args(crate = kit)]
        enum Order<T: Validate<Context = ()>, U = u8> where T: Clone {
            Newest,
            #[serde(alias = "close")]
            NearTo { #[garde(range(min = -90.0, max = 90.0))] lat_deg: f64 },
            Other(#[garde(dive)] T),
            #[serde(skip)]
            Hidden(#[garde(skip)] U),
        }
    });
    compare("generic_enum", written);
}

#[test]
fn arguments_with_mistakes() {
    let written = crate::tool_args::tool_args(quote! {
        struct Args {
            #[garde(custom(f))]
            query: String,
        }
    });
    compare("arguments_with_mistakes", written);
}

#[track_caller]
fn compare(name: &str, written: TokenStream) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("snapshots/{name}.txt"));
    let written = text(written);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &written).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let recorded = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        recorded, written,
        "the expansion of `{name}` has changed: read it, then record it with UPDATE_SNAPSHOTS=1"
    );
}

/// Tokens as text, a line for each statement or field.
fn text(tokens: TokenStream) -> String {
    let mut out = String::new();
    write(tokens, 0, true, &mut out);
    out.push('\n');
    let tidied = [
        (":: ", "::"),
        ("impl::", "impl ::"),
        ("use::", "use ::"),
        (" as::", " as ::"),
        ("mut::", "mut ::"),
        (":::", ": ::"),
        ("->::", "-> ::"),
        ("+", " + "),
        (":&", ": &"),
        (":<", ": <"),
        (": : <", "::<"),
        (":: <", "::<"),
        (">> ()", ">>()"),
        ("> ()", ">()"),
        ("if<", "if <"),
        ("&&(", "&& ("),
    ];
    tidied
        .iter()
        .fold(out, |text, (from, to)| text.replace(from, to))
}

fn write(tokens: TokenStream, depth: usize, lines: bool, out: &mut String) {
    let mut tokens = tokens.into_iter().peekable();
    let mut angles = 0_usize;
    let mut arrow = false;
    while let Some(token) = tokens.next() {
        let mut breaks = false;
        match &token {
            TokenTree::Group(group) => breaks = write_group(group, depth, lines, out),
            TokenTree::Punct(punct) => {
                let sign = punct.as_char();
                match sign {
                    '<' => angles += 1,
                    '>' if !arrow => angles = angles.saturating_sub(1),
                    _ => {}
                }
                arrow = matches!(sign, '-' | '=');
                breaks = sign == ';' || (sign == ',' && angles == 0);
                out.push(sign);
            }
            TokenTree::Ident(ident) => out.push_str(&ident.to_string()),
            TokenTree::Literal(literal) => out.push_str(&literal.to_string()),
        }
        let Some(next) = tokens.peek() else { break };
        if breaks && lines && !joins(next) {
            newline(depth, out);
        } else if is_apart(&token, next) {
            out.push(' ');
        }
    }
}

/// Whether a line may end after the group.
fn write_group(group: &Group, depth: usize, lines: bool, out: &mut String) -> bool {
    let (open, close) = match group.delimiter() {
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::None => ("", ""),
    };
    let attribute = out.ends_with('#');
    let block = group.delimiter() == Delimiter::Brace && !group.stream().is_empty();
    out.push_str(open);
    if block {
        newline(depth + 1, out);
        write(group.stream(), depth + 1, true, out);
        newline(depth, out);
    } else {
        write(group.stream(), depth, false, out);
    }
    out.push_str(close);
    lines && (attribute || group.delimiter() == Delimiter::Brace)
}

fn newline(depth: usize, out: &mut String) {
    out.push('\n');
    out.push_str(&"    ".repeat(depth));
}

fn joins(next: &TokenTree) -> bool {
    matches!(next, TokenTree::Punct(punct) if ",;.?".contains(punct.as_char()))
}

/// Whether a space stands between two tokens.
fn is_apart(token: &TokenTree, next: &TokenTree) -> bool {
    let word = |token: &TokenTree| matches!(token, TokenTree::Ident(_) | TokenTree::Literal(_));
    match (token, next) {
        (TokenTree::Punct(a), _) if a.spacing() == Spacing::Joint => false,
        (TokenTree::Punct(a), TokenTree::Punct(b)) => {
            ",;=>".contains(a.as_char()) && !",;.>:".contains(b.as_char())
        }
        (TokenTree::Punct(a), _) => ",;=>|:".contains(a.as_char()),
        (_, TokenTree::Punct(b)) => "=-|&".contains(b.as_char()),
        (_, TokenTree::Group(b)) if b.delimiter() == Delimiter::Brace => true,
        (TokenTree::Group(_), _) => word(next),
        _ => word(token) && word(next),
    }
}
