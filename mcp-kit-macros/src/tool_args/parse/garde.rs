//! garde's attributes.
//!
//! Every rule that garde checks must be in the schema, or be described in
//! words. So the tables here name all rules that garde's derive knows, and
//! anything else is [`Unknown`]. A test compares the tables with garde's
//! source: a release of garde with a new rule fails there before it reaches a
//! user. garde is pinned to a minor version for the same reason.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, DeriveInput, Expr, Ident, LitStr, Path, Token, Type, parenthesized, token};

use crate::suggest::closest;
use crate::tool_args::model::{LengthMode, Rule, RuleKind};

/// garde's keys of a type.
#[derive(Default)]
pub(crate) struct Container {
    /// A context other than `()`.
    pub(crate) context: Option<Type>,
    pub(crate) custom: Option<Span>,
    /// garde adds no path component for the fields.
    pub(crate) transparent: bool,
    pub(crate) unknown: Option<(Span, Unknown)>,
    /// Fields may be without a rule.
    allow_unvalidated: bool,
}

/// All keys that garde has for a type.
const CONTAINER: &[&str] = &["allow_unvalidated", "context", "custom", "transparent"];

/// How a rule of garde is read.
#[derive(Clone, Copy)]
enum Form {
    /// Without parameters: the name of `Rule`'s variant.
    Plain(&'static str),
    /// With a string to compare with: the name of `Rule`'s variant.
    Compare(&'static str),
    Length,
    Range,
    Pattern,
    Matches,
    Custom,
    /// With content that only words can describe.
    Words(&'static str),
    If,
    Inner,
    /// It checks nothing.
    NotARule,
}

/// All keys that garde has for a field.
const RULES: &[(&str, Form)] = &[
    ("skip", Form::Plain("Skip")),
    ("dive", Form::Plain("Dive")),
    ("required", Form::Plain("Required")),
    ("ascii", Form::Plain("Ascii")),
    ("alphanumeric", Form::Plain("Alphanumeric")),
    ("email", Form::Plain("Email")),
    ("url", Form::Plain("Url")),
    ("ip", Form::Plain("Ip")),
    ("ipv4", Form::Plain("IpV4")),
    ("ipv6", Form::Plain("IpV6")),
    ("credit_card", Form::Plain("CreditCard")),
    ("phone_number", Form::Plain("PhoneNumber")),
    ("contains", Form::Compare("Contains")),
    ("prefix", Form::Compare("Prefix")),
    ("suffix", Form::Compare("Suffix")),
    ("length", Form::Length),
    ("range", Form::Range),
    ("pattern", Form::Pattern),
    ("matches", Form::Matches),
    ("custom", Form::Custom),
    ("adapt", Form::Words("adapt")),
    ("if", Form::If),
    ("inner", Form::Inner),
    ("code", Form::NotARule),
    ("rename", Form::NotARule),
];

/// The parameters of `range`.
const RANGE: &[&str] = &["min", "max", "equal"];

/// The further parameters of `length`.
const MODES: &[(&str, LengthMode)] = &[
    ("simple", LengthMode::Simple),
    ("bytes", LengthMode::Bytes),
    ("chars", LengthMode::Chars),
    ("graphemes", LengthMode::Graphemes),
    ("utf16", LengthMode::Utf16),
];

/// A rule or a part of one that is not in garde's tables here.
#[derive(Clone, Debug)]
pub(crate) struct Unknown {
    /// As the user wrote it: `lenght`, `length(words)`.
    pub(crate) text: String,
    /// Whether it resembles a known rule, so that garde's derive reports it. If
    /// a later garde has the rule after all, its implementation of `Validate`
    /// conflicts with the substitute for a failed derive, which also stops the
    /// build.
    pub(crate) slip: bool,
}

impl Unknown {
    fn new(text: String, word: &str, known: &[&str]) -> Self {
        Self {
            text,
            slip: closest(word, known).is_some(),
        }
    }
}

pub(crate) fn container(attributes: &[Attribute]) -> Container {
    let mut found = Container::default();
    for attribute in garde(attributes) {
        // garde's own derive reports what is wrong in here.
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
                "allow_unvalidated" => found.allow_unvalidated = true,
                other => {
                    let unknown = Unknown::new(other.to_owned(), other, CONTAINER);
                    found.unknown = Some((key.span(), unknown));
                }
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
        // As above: a list with a mistake is used as far as it was read.
        let _ = attribute.parse_args_with(|input: ParseStream<'_>| list(input, &mut rules));
    }
    // With an adapter the rules mean whatever that adapter checks.
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

/// Whether garde's derive is present and fails: some field has rules, and
/// another has none or one that is not garde's.
pub(crate) fn fails(input: &DeriveInput) -> bool {
    let fields: Vec<&syn::Field> = match &input.data {
        syn::Data::Struct(data) => data.fields.iter().collect(),
        syn::Data::Enum(data) => data.variants.iter().flat_map(|v| &v.fields).collect(),
        syn::Data::Union(_) => return false,
    };
    let validated = |field: &&syn::Field| garde(&field.attrs).next().is_some();
    let forgotten = !container(&input.attrs).allow_unvalidated && !fields.iter().all(validated);
    fields.iter().any(validated) && (forgotten || fields.iter().any(|field| is_unread(field)))
}

/// Whether garde's derive cannot read a field's rules, as far as can be seen. An
/// unknown rule that is described is taken for one that garde has.
fn is_unread(field: &syn::Field) -> bool {
    let described = field.attrs.iter().any(|a| a.path().is_ident("tool_args"));
    garde(&field.attrs).any(|attribute| {
        let keys = attribute.parse_args_with(|input: ParseStream<'_>| {
            let mut read = true;
            while !input.is_empty() {
                let key = input.call(Ident::parse_any)?;
                let rule = rule(&key, input)?;
                read &= described || !rule.is_some_and(|rule| has_slip(&rule));
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(read)
        });
        !keys.unwrap_or_default()
    })
}

fn has_slip(rule: &RuleKind) -> bool {
    match rule {
        RuleKind::Unknown(unknown) => unknown.slip,
        RuleKind::Inner(inner) => inner.iter().any(|rule| has_slip(&rule.kind)),
        _ => false,
    }
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

/// One rule; `None` for a key that is not a rule, such as `code`. A rule without
/// what it needs is an error, which garde reports.
fn rule(key: &Ident, input: ParseStream<'_>) -> syn::Result<Option<RuleKind>> {
    let content = if input.peek(token::Paren) {
        let content;
        parenthesized!(content in input);
        content.parse::<TokenStream>()?
    } else {
        TokenStream::new()
    };
    let word = key.to_string();
    let Some((_, form)) = RULES.iter().find(|(name, _)| *name == word) else {
        // Skips whatever follows it.
        while !input.is_empty() && !input.peek(Token![,]) {
            input.parse::<TokenTree>()?;
        }
        let known: Vec<&str> = RULES.iter().map(|(name, _)| *name).collect();
        let unknown = Unknown::new(word.clone(), &word, &known);
        return Ok(Some(RuleKind::Unknown(unknown)));
    };
    let has_condition = |token| matches!(token, TokenTree::Ident(word) if word == "cond");
    let complete = match form {
        Form::Custom | Form::Words(_) | Form::Matches | Form::Pattern => !content.is_empty(),
        Form::If => content.clone().into_iter().any(has_condition),
        _ => true,
    };
    if !complete {
        return Err(syn::Error::new(key.span(), "an incomplete rule"));
    }
    Ok(Some(match form {
        Form::NotARule => return Ok(None),
        Form::Plain(name) => RuleKind::Plain(name),
        Form::Compare(name) => RuleKind::Compare(name, Box::new(syn::parse2(content)?)),
        Form::Length => limits(&word, MODES, content)?,
        Form::Range => limits(&word, &[], content)?,
        Form::Pattern => RuleKind::Pattern(syn::parse2::<LitStr>(content).ok()),
        Form::Matches => {
            let path: Path = syn::parse2(content)?;
            let field = path
                .segments
                .last()
                .map(|last| last.ident.unraw().to_string());
            RuleKind::Matches(field.unwrap_or_default())
        }
        Form::Custom => match syn::parse2::<Path>(content) {
            Ok(path) => text_rule(path),
            Err(_) => RuleKind::Custom("custom"),
        },
        Form::Words(name) => RuleKind::Custom(name),
        Form::If => RuleKind::Custom("if"),
        Form::Inner => {
            let mut inner = Vec::new();
            (|input: ParseStream<'_>| list(input, &mut inner)).parse2(content)?;
            RuleKind::Inner(inner)
        }
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

/// Classifies a function by its name. The expansion proves that `text::slug` is
/// mcp-kit's, since it names the type beside that function.
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

/// `length` or `range`: `min = …, max = …` or `equal = …`, and a mode among them.
fn limits(rule: &str, modes: &[(&str, LengthMode)], content: TokenStream) -> syn::Result<RuleKind> {
    let (mut mode, mut min, mut max, mut unknown) = (LengthMode::Simple, None, None, None);
    let known: Vec<&str> = modes
        .iter()
        .map(|(name, _)| *name)
        .chain(RANGE.iter().copied())
        .collect();
    (|input: ParseStream<'_>| {
        while !input.is_empty() {
            let key = input.call(Ident::parse_any)?.to_string();
            let value: Option<Expr> = match input.parse::<Option<Token![=]>>()? {
                Some(_) => Some(input.parse()?),
                None => None,
            };
            let named = modes.iter().find(|(name, _)| *name == key);
            match (key.as_str(), value, named) {
                ("min", Some(value), _) => min = Some(value),
                ("max", Some(value), _) => max = Some(value),
                ("equal", Some(value), _) => (min, max) = (Some(value.clone()), Some(value)),
                (_, None, Some((_, named))) => mode = *named,
                _ => unknown = Some(Unknown::new(format!("{rule}({key})"), &key, &known)),
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    })
    .parse2(content)?;
    Ok(match unknown {
        Some(unknown) => RuleKind::Unknown(unknown),
        None if modes.is_empty() => RuleKind::Range { min, max },
        None => RuleKind::Length { mode, min, max },
    })
}

#[cfg(test)]
mod tests;
