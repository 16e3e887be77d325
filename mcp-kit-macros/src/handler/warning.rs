//! Reads `allow(…)`: the codes of the warnings that a primitive accepts. A test
//! of mcp-kit compares the codes here with `WarningCode`.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Ident, Token, parenthesized, token};

use super::keys::Key;
use crate::errors::twice;
use crate::suggest::closest;

/// A variant of `WarningCode`, where the user wrote its code.
pub(crate) type Warning = Ident;

/// Codes of warnings about one primitive; most are about tools alone.
const OF_PRIMITIVES: &[&str] = &[
    "long_name",
    "dotted_name",
    "short_description",
    "long_description",
    "hidden_characters",
    "undescribed_argument",
    "contradictory_hints",
    "missing_effect_hint",
    "missing_open_world_hint",
    "long_timeout",
    "result_without_object",
    "root_choice",
    "argument_name",
    "mixed_tuple",
    "unique_items",
    "large_number",
];

/// Codes of warnings about the server, which no single primitive can accept.
const OF_SERVERS: &[&str] = &["no_tools", "mixed_names", "similar_names"];

/// Parses what follows `allow`. All wrong codes are reported.
pub(crate) fn list(key: &Key<'_>, input: ParseStream<'_>) -> syn::Result<Vec<Warning>> {
    let span = key.ident.span();
    let form = "`allow` takes codes of warnings: write `allow(long_timeout)`";
    if !input.peek(token::Paren) {
        return Err(syn::Error::new(span, form));
    }
    let content;
    parenthesized!(content in input);
    let codes = Punctuated::<Code, Token![,]>::parse_terminated_with(&content, Code::parse);
    // The remaining tokens inside would be reported in addition.
    content.parse::<TokenStream>()?;
    let codes = codes?;
    if codes.is_empty() {
        return Err(syn::Error::new(span, form));
    }
    let mut warnings: Vec<Warning> = Vec::new();
    let mut wrong: Option<syn::Error> = None;
    for code in &codes {
        let error = match code.warning() {
            Ok(warning) if warnings.contains(&warning) => twice(code.span, &code.text),
            Ok(warning) => {
                warnings.push(warning);
                continue;
            }
            Err(message) => syn::Error::new(code.span, message),
        };
        match &mut wrong {
            Some(first) => first.combine(error),
            None => wrong = Some(error),
        }
    }
    wrong.map_or(Ok(warnings), Err)
}

/// A code as it is written: `long_timeout`, or `long-timeout` as `check` shows it.
struct Code {
    text: String,
    span: Span,
}

impl Code {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let word = || {
            let here = input.span();
            let expected = "expected the code of a warning, such as `long_timeout`";
            let word = input.call(Ident::parse_any);
            word.map_err(|_| syn::Error::new(here, expected))
        };
        let first = word()?;
        let mut text = first.to_string();
        while input.peek(Token![-]) {
            input.parse::<Token![-]>()?;
            text.push('-');
            text.push_str(&word()?.to_string());
        }
        Ok(Self {
            text,
            span: first.span(),
        })
    }

    fn warning(&self) -> Result<Warning, String> {
        let code = self.text.replace('-', "_");
        if OF_SERVERS.contains(&code.as_str()) {
            return Err(format!(
                "`{code}` is a warning about the server, not about one tool: accept it on \
                 the builder with `.accept_warning(WarningCode::{})`",
                variant(&code)
            ));
        }
        if !OF_PRIMITIVES.contains(&code.as_str()) {
            return Err(match closest(&code, OF_PRIMITIVES) {
                Some(meant) => {
                    format!("unknown code `{}`: did you mean `{meant}`?", self.text)
                }
                None => format!(
                    "unknown code `{}`: the codes are `{}`",
                    self.text,
                    OF_PRIMITIVES.join("`, `")
                ),
            });
        }
        if code != self.text {
            return Err(format!("codes are written with `_` here: `{code}`"));
        }
        Ok(Ident::new(&variant(&code), self.span))
    }
}

/// `long_timeout` → `LongTimeout`.
fn variant(code: &str) -> String {
    code.split('_')
        .flat_map(|word| {
            let (first, rest) = word.split_at(1);
            [first.to_uppercase(), rest.to_owned()]
        })
        .collect()
}
