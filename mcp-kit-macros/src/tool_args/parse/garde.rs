//! garde's attributes.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, DeriveInput, Expr, Ident, LitStr, Path, Token, Type, parenthesized, token};

use crate::suggest::closest;
use crate::tool_args::model::{LengthMode, Rule, RuleKind};

/// What stands on a type.
#[derive(Default)]
pub(crate) struct Container {
    /// A context other than `()`.
    pub(crate) context: Option<Type>,
    pub(crate) custom: Option<Span>,
    /// garde adds no path component for the fields.
    pub(crate) transparent: bool,
}

pub(crate) fn container(attributes: &[Attribute]) -> Container {
    let mut found = Container::default();
    for attribute in garde(attributes) {
        // garde's own derive tells what is wrong in here.
        let _ = attribute.parse_args_with(|input: ParseStream<'_>| {
            let key = input.call(Ident::parse_any)?;
            match key.to_string().as_str() {
                "context" => {
                    let content;
                    parenthesized!(content in input);
                    let ty: Type = content.parse()?;
                    if !matches!(&ty, Type::Tuple(tuple) if tuple.elems.is_empty()) {
                        found.context = Some(ty);
                    }
                    content.parse::<TokenStream>()?;
                }
                "custom" => found.custom = Some(key.span()),
                "transparent" => found.transparent = true,
                _ => {}
            }
            input.parse::<TokenStream>()
        });
    }
    found
}

/// The rules on a field, in order.
pub(crate) fn rules(attributes: &[Attribute]) -> Vec<Rule> {
    let mut rules = Vec::new();
    for attribute in garde(attributes) {
        // As above: a list with a mistake counts as far as it was read.
        let _ = attribute.parse_args_with(|input: ParseStream<'_>| list(input, &mut rules));
    }
    // Under another adapter the rules mean whatever that adapter says.
    match rules
        .iter()
        .find(|rule| matches!(rule.kind, RuleKind::Custom("adapt")))
    {
        Some(adapt) => vec![Rule {
            span: adapt.span,
            kind: RuleKind::Custom("adapt"),
        }],
        None => rules,
    }
}

/// Whether garde's derive is there and fails: some field has rules, and another
/// has none or one that is not garde's.
pub(crate) fn fails(input: &DeriveInput) -> bool {
    let fields: Vec<&syn::Field> = match &input.data {
        syn::Data::Struct(data) => data.fields.iter().collect(),
        syn::Data::Enum(data) => data.variants.iter().flat_map(|v| &v.fields).collect(),
        syn::Data::Union(_) => return false,
    };
    let validated = |field: &&syn::Field| garde(&field.attrs).next().is_some();
    let optional = garde(&input.attrs).any(|attribute| {
        let key = attribute.parse_args_with(|input: ParseStream<'_>| {
            let key = input.call(Ident::parse_any)?;
            input.parse::<TokenStream>().map(|_| key)
        });
        key.is_ok_and(|key| key == "allow_unvalidated")
    });
    let unread = |field: &&syn::Field| {
        garde(&field.attrs).any(|attribute| {
            let keys = attribute.parse_args_with(|input: ParseStream<'_>| {
                let mut known = true;
                while !input.is_empty() {
                    let key = input.call(Ident::parse_any)?;
                    known &= rule(&key, input)?.is_some() || key == "code" || key == "rename";
                    if !input.is_empty() {
                        input.parse::<Token![,]>()?;
                    }
                }
                Ok(known)
            });
            !keys.unwrap_or_default()
        })
    };
    let forgotten = !optional && !fields.iter().all(validated);
    fields.iter().any(validated) && (forgotten || fields.iter().any(unread))
}

fn garde(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("garde"))
}

fn list(input: ParseStream<'_>, rules: &mut Vec<Rule>) -> syn::Result<()> {
    while !input.is_empty() {
        let key = input.call(Ident::parse_any)?;
        if let Some(kind) = rule(&key, input)? {
            rules.push(Rule {
                span: key.span(),
                kind,
            });
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

/// One rule; `None` for a key that is no rule, such as `code`.
fn rule(key: &Ident, input: ParseStream<'_>) -> syn::Result<Option<RuleKind>> {
    let content = if input.peek(token::Paren) {
        let content;
        parenthesized!(content in input);
        content.parse::<TokenStream>()?
    } else {
        TokenStream::new()
    };
    let expression = || syn::parse2::<Expr>(content.clone()).map(Box::new);
    // A rule without what it needs is garde's to report.
    let needs = match key.to_string().as_str() {
        "custom" | "adapt" | "matches" | "pattern" => !content.is_empty(),
        "if" => content
            .clone()
            .into_iter()
            .any(|token| matches!(token, TokenTree::Ident(ident) if ident == "cond")),
        _ => true,
    };
    if !needs {
        return Ok(None);
    }
    Ok(Some(match key.to_string().as_str() {
        "skip" => RuleKind::Plain("Skip"),
        "dive" => RuleKind::Plain("Dive"),
        "required" => RuleKind::Plain("Required"),
        "ascii" => RuleKind::Plain("Ascii"),
        "alphanumeric" => RuleKind::Plain("Alphanumeric"),
        "email" => RuleKind::Plain("Email"),
        "url" => RuleKind::Plain("Url"),
        "ip" => RuleKind::Plain("Ip"),
        "ipv4" => RuleKind::Plain("IpV4"),
        "ipv6" => RuleKind::Plain("IpV6"),
        "credit_card" => RuleKind::Plain("CreditCard"),
        "phone_number" => RuleKind::Plain("PhoneNumber"),
        "length" => length.parse2(content)?,
        "range" => {
            let (_, min, max) = bounds.parse2(content)?;
            RuleKind::Range { min, max }
        }
        "contains" => RuleKind::Compare("Contains", expression()?),
        "prefix" => RuleKind::Compare("Prefix", expression()?),
        "suffix" => RuleKind::Compare("Suffix", expression()?),
        "pattern" => RuleKind::Pattern(syn::parse2::<LitStr>(content).ok()),
        "matches" => {
            let path: Path = syn::parse2(content)?;
            let field = path
                .segments
                .last()
                .map(|last| last.ident.unraw().to_string());
            RuleKind::Matches(field.unwrap_or_default())
        }
        "custom" => match syn::parse2::<Path>(content) {
            Ok(path) => text_rule(path),
            Err(_) => RuleKind::Custom("custom"),
        },
        "adapt" => RuleKind::Custom("adapt"),
        "if" => RuleKind::Custom("if"),
        "inner" => {
            let mut inner = Vec::new();
            (|input: ParseStream<'_>| list(input, &mut inner)).parse2(content)?;
            RuleKind::Inner(inner)
        }
        _ => return Ok(None),
    }))
}

/// The functions of `mcp_kit::guard::text`.
const TEXT_RULES: &[&str] = &[
    "identifier",
    "no_control",
    "no_markup",
    "no_shell_meta",
    "single_line",
    "slug",
    "sql_identifier",
];

/// What a function is by its name. That `text::slug` is mcp-kit's is proved by the
/// expansion, which names the type beside that function.
fn text_rule(path: Path) -> RuleKind {
    let mut segments = path.segments.iter().rev().map(|one| one.ident.to_string());
    let name = segments.next().unwrap_or_default();
    if TEXT_RULES.contains(&name.as_str()) {
        return RuleKind::Text(path);
    }
    let in_text = segments.next().is_some_and(|module| module == "text");
    match in_text && closest(&name, TEXT_RULES).is_some() {
        true => RuleKind::Misspelt,
        false => RuleKind::Custom("custom"),
    }
}

fn length(input: ParseStream<'_>) -> syn::Result<RuleKind> {
    let (mode, min, max) = bounds(input)?;
    Ok(RuleKind::Length {
        mode: mode.unwrap_or(LengthMode::Simple),
        min,
        max,
    })
}

/// `min = …, max = …` or `equal = …`, and a mode among them.
fn bounds(input: ParseStream<'_>) -> syn::Result<(Option<LengthMode>, Option<Expr>, Option<Expr>)> {
    let (mut mode, mut min, mut max) = (None, None, None);
    while !input.is_empty() {
        let key = input.call(Ident::parse_any)?;
        if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            let value: Expr = input.parse()?;
            match key.to_string().as_str() {
                "min" => min = Some(value),
                "max" => max = Some(value),
                "equal" => (min, max) = (Some(value.clone()), Some(value)),
                _ => {}
            }
        } else {
            mode = match key.to_string().as_str() {
                "bytes" => Some(LengthMode::Bytes),
                "chars" => Some(LengthMode::Chars),
                "graphemes" => Some(LengthMode::Graphemes),
                "utf16" => Some(LengthMode::Utf16),
                "simple" => mode,
                // Whatever is meant, garde does not know it.
                _ => Some(LengthMode::Chars),
            };
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok((mode, min, max))
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn names(input: DeriveInput) -> Vec<String> {
        fn name(rule: &Rule) -> String {
            match &rule.kind {
                RuleKind::Plain(name) | RuleKind::Custom(name) | RuleKind::Compare(name, _) => {
                    (*name).to_owned()
                }
                RuleKind::Length { mode, min, max } => {
                    format!("{mode:?} {} {}", min.is_some(), max.is_some())
                }
                RuleKind::Range { min, max } => {
                    format!("Range {} {}", min.is_some(), max.is_some())
                }
                RuleKind::Pattern(literal) => format!("Pattern {}", literal.is_some()),
                RuleKind::Matches(field) => format!("Matches {field}"),
                RuleKind::Text(path) => format!("Text {}", path.segments.len()),
                RuleKind::Misspelt => "Misspelt".to_owned(),
                RuleKind::Inner(inner) => inner.iter().map(name).collect::<Vec<_>>().join("+"),
            }
        }
        rules(&input.attrs).iter().map(name).collect()
    }

    #[test]
    fn every_rule_of_garde_is_known() {
        let found = names(parse_quote! {
            #[garde(skip, dive, dive(ctx), required, ascii, alphanumeric, email, url, ip, ipv4, ipv6)]
            #[garde(credit_card, phone_number, contains("a"), prefix(P), suffix("c"), pattern("x"))]
            #[garde(pattern(P), matches(other), custom(f), custom(|v, _| Ok(())), code("x"))]
            #[garde(if(cond = self.a, length(min = 1)), inner(ascii, inner(length(chars, max = N))))]
            #[garde(length(min = 1), length(chars, equal = 2), length(bytes, max = 3))]
            #[garde(length(utf16, min = 1, max = 2), length(graphemes, max = 1), range(min = -1))]
            #[garde(range(equal = 2.5),)]
            struct S;
        });
        assert_eq!(
            found,
            [
                "Skip",
                "Dive",
                "Dive",
                "Required",
                "Ascii",
                "Alphanumeric",
                "Email",
                "Url",
                "Ip",
                "IpV4",
                "IpV6",
                "CreditCard",
                "PhoneNumber",
                "Contains",
                "Prefix",
                "Suffix",
                "Pattern true",
                "Pattern false",
                "Matches other",
                "custom",
                "custom",
                "if",
                "Ascii+Chars false true",
                "Simple true false",
                "Chars true true",
                "Bytes false true",
                "Utf16 true true",
                "Graphemes false true",
                "Range true false",
                "Range true true",
            ]
        );
    }

    #[test]
    fn what_garde_refuses_is_no_rule_here() {
        let found = names(parse_quote! {
            #[garde(custom, custom(), matches(), if(length(min = 1)), length(char, mx = 3))]
            struct S;
        });
        assert_eq!(found, ["Chars false false"]);
    }

    #[test]
    fn rules_for_text_are_known_by_their_names() {
        let found = names(parse_quote! {
            #[garde(custom(slug), custom(mcp_kit::guard::text::no_markup), custom(text::slgu))]
            #[garde(custom(slgu), custom(text::other), inner(custom(text::slug)))]
            struct S;
        });
        assert_eq!(
            found,
            ["Text 1", "Text 4", "Misspelt", "custom", "custom", "Text 2"]
        );
    }

    #[test]
    fn an_adapter_changes_what_rules_mean() {
        let found = names(parse_quote! { #[garde(adapt(decimal), range(min = 1))] struct S; });
        assert_eq!(found, ["adapt"]);
    }

    #[test]
    fn a_forgotten_or_unknown_rule_is_seen() {
        assert!(fails(
            &parse_quote! { struct S { #[garde(skip)] a: u8, b: u8 } }
        ));
        assert!(fails(&parse_quote! { enum S { A, B(#[garde(skp)] u8) } }));
        assert!(fails(&parse_quote! { struct S(#[garde(range(1))] u8); }));
        assert!(!fails(
            &parse_quote! { struct S { #[garde(skip, code("x"))] a: u8 } }
        ));
        assert!(!fails(&parse_quote! {
            #[garde(allow_unvalidated)]
            struct S { #[garde(dive)] a: T, b: u8 }
        }));
        // Perhaps `Validate` is written by hand.
        assert!(!fails(&parse_quote! { struct S { a: u8 } }));
    }

    #[test]
    fn a_context_of_its_own_is_found() {
        let of = |input: DeriveInput| container(&input.attrs);
        assert!(
            of(parse_quote! { #[garde(context(Db as db))] struct S; })
                .context
                .is_some()
        );
        assert!(
            of(parse_quote! { #[garde(context(()))] struct S; })
                .context
                .is_none()
        );
        let both = of(parse_quote! { #[garde(transparent)] #[garde(custom(f))] struct S; });
        assert!(both.transparent && both.custom.is_some());
    }
}
