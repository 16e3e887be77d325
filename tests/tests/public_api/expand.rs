//! Expands the calls of the crate's own `macro_rules!`, so that what they make is listed like
//! everything else. It knows what this crate's macros use: fragments, repetitions and `$crate`.

use std::collections::BTreeMap;

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{ImplItem, Item, ItemMacro};

/// What the variables of a rule stand for.
type Bindings = BTreeMap<String, Bound>;

#[derive(Clone)]
enum Bound {
    One(TokenStream),
    Many(Vec<Bindings>),
}

/// Replaces the calls of macros among items; `definition` finds a macro by its name.
pub(super) fn items<'a>(
    items: Vec<Item>,
    definition: &impl Fn(&str) -> Option<&'a ItemMacro>,
) -> Vec<Item> {
    let mut expanded = Vec::new();
    for item in items {
        match item {
            Item::Macro(call) if call.ident.is_none() => {
                match made_by(&call.mac, definition).map(syn::parse2::<syn::File>) {
                    Some(Ok(mut file)) => {
                        for item in &mut file.items {
                            attributes_of(item).extend(call.attrs.iter().cloned());
                        }
                        expanded.extend(self::items(file.items, definition));
                    }
                    Some(Err(error)) => panic!("{}: {error}", name(&call.mac)),
                    None => expanded.push(Item::Macro(call)),
                }
            }
            Item::Impl(mut block) => {
                let inside = std::mem::take(&mut block.items);
                for item in inside {
                    let ImplItem::Macro(call) = &item else {
                        block.items.push(item);
                        continue;
                    };
                    let made = made_by(&call.mac, definition)
                        .unwrap_or_else(|| panic!("{}! is not of this crate", name(&call.mac)));
                    let made = syn::parse2::<syn::ItemImpl>(quote::quote!(impl X { #made }));
                    let made = made.unwrap_or_else(|error| panic!("{}: {error}", name(&call.mac)));
                    block.items.extend(made.items);
                }
                expanded.push(Item::Impl(block));
            }
            item => expanded.push(item),
        }
    }
    expanded
}

fn attributes_of(item: &mut Item) -> &mut Vec<syn::Attribute> {
    match item {
        Item::Const(item) => &mut item.attrs,
        Item::Enum(item) => &mut item.attrs,
        Item::Fn(item) => &mut item.attrs,
        Item::Impl(item) => &mut item.attrs,
        Item::Macro(item) => &mut item.attrs,
        Item::Mod(item) => &mut item.attrs,
        Item::Static(item) => &mut item.attrs,
        Item::Struct(item) => &mut item.attrs,
        Item::Trait(item) => &mut item.attrs,
        Item::Type(item) => &mut item.attrs,
        Item::Use(item) => &mut item.attrs,
        item => panic!(
            "a macro makes an item of another kind: {}",
            item.to_token_stream()
        ),
    }
}

fn name(call: &syn::Macro) -> String {
    let last = call.path.segments.last();
    last.map(|last| last.ident.to_string()).unwrap_or_default()
}

/// The tokens that a call is replaced by; `None` for a macro of another crate.
fn made_by<'a>(
    call: &syn::Macro,
    definition: &impl Fn(&str) -> Option<&'a ItemMacro>,
) -> Option<TokenStream> {
    let name = name(call);
    let rules = trees(&definition(&name)?.mac.tokens);
    // `(matcher) => { body };`, several times.
    for rule in rules.split(|token| is_punct(token, ';')) {
        if let [TokenTree::Group(matcher), _, _, TokenTree::Group(body)] = rule
            && let Some((bindings, rest)) = matched(&trees(&matcher.stream()), &call.tokens)
            && rest.is_empty()
        {
            return Some(written(&trees(&body.stream()), &bindings));
        }
    }
    panic!("no rule of {name}! matches: {}", call.tokens)
}

fn trees(tokens: &TokenStream) -> Vec<TokenTree> {
    tokens.clone().into_iter().collect()
}

fn is_punct(token: &TokenTree, expected: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == expected)
}

/// The first part of a pattern or a body, and the rest.
enum Part<'a> {
    /// `$name:kind` in a pattern, `$name` in a body.
    Variable(String),
    /// `$( … ) separator operator`
    Repeated(TokenStream, Option<&'a TokenTree>, char),
    Token(&'a TokenTree),
}

fn first(tokens: &[TokenTree]) -> Option<(Part<'_>, &[TokenTree])> {
    match tokens {
        [dollar, TokenTree::Ident(name), rest @ ..] if is_punct(dollar, '$') => {
            Some((Part::Variable(name.to_string()), rest))
        }
        [dollar, TokenTree::Group(inner), rest @ ..] if is_punct(dollar, '$') => {
            let operator = |token: &TokenTree| match token {
                TokenTree::Punct(punct) => {
                    Some(punct.as_char()).filter(|operator| "*+?".contains(*operator))
                }
                _ => None,
            };
            let inner = inner.stream();
            match rest {
                [one, rest @ ..] if operator(one).is_some() => {
                    Some((Part::Repeated(inner, None, operator(one)?), rest))
                }
                [between, one, rest @ ..] => {
                    Some((Part::Repeated(inner, Some(between), operator(one)?), rest))
                }
                _ => None,
            }
        }
        [token, rest @ ..] => Some((Part::Token(token), rest)),
        [] => None,
    }
}

/// Matches the start of the input, and returns what is left of it.
fn matched(pattern: &[TokenTree], input: &TokenStream) -> Option<(Bindings, TokenStream)> {
    let mut bindings = Bindings::new();
    let mut input = input.clone();
    let mut pattern = pattern;
    while let Some((part, rest)) = first(pattern) {
        pattern = rest;
        match part {
            Part::Variable(name) => {
                let [_colon, TokenTree::Ident(kind), rest @ ..] = pattern else {
                    return None;
                };
                pattern = rest;
                let (one, left) = fragment(&kind.to_string(), input)?;
                bindings.insert(name, Bound::One(one));
                input = left;
            }
            Part::Repeated(inner, between, operator) => {
                let inner = trees(&inner);
                let mut rounds = Vec::new();
                loop {
                    let mut start = input.clone();
                    if let (Some(between), false) = (between, rounds.is_empty()) {
                        match token(between, &start) {
                            Some(left) => start = left,
                            None => break,
                        }
                    }
                    match matched(&inner, &start) {
                        Some((round, left)) if !start.is_empty() => {
                            rounds.push(round);
                            input = left;
                        }
                        _ => break,
                    }
                    if operator == '?' {
                        break;
                    }
                }
                if operator == '+' && rounds.is_empty() {
                    return None;
                }
                for name in variables(&inner) {
                    bindings.insert(name, Bound::Many(rounds.clone()));
                }
            }
            Part::Token(TokenTree::Group(expected)) => {
                let mut tokens = input.into_iter();
                let Some(TokenTree::Group(found)) = tokens.next() else {
                    return None;
                };
                let (inside, rest) = matched(&trees(&expected.stream()), &found.stream())?;
                if expected.delimiter() != found.delimiter() || !rest.is_empty() {
                    return None;
                }
                bindings.extend(inside);
                input = tokens.collect();
            }
            Part::Token(expected) => input = token(expected, &input)?,
        }
    }
    Some((bindings, input))
}

/// Matches one token.
fn token(expected: &TokenTree, input: &TokenStream) -> Option<TokenStream> {
    let mut tokens = input.clone().into_iter();
    let found = tokens.next()?;
    (found.to_string() == expected.to_string()).then(|| tokens.collect())
}

/// Takes a fragment from the start of the input.
fn fragment(kind: &str, input: TokenStream) -> Option<(TokenStream, TokenStream)> {
    fn of<T: Parse + ToTokens>(input: TokenStream) -> Option<(TokenStream, TokenStream)> {
        let both = |input: ParseStream<'_>| {
            let one: T = input.parse()?;
            Ok((one.to_token_stream(), input.parse::<TokenStream>()?))
        };
        both.parse2(input).ok()
    }
    match kind {
        // `self` is an identifier to a macro, and not to syn.
        "ident" => of::<TokenTree>(input)
            .filter(|(one, _)| matches!(trees(one)[..], [TokenTree::Ident(_)])),
        "literal" => of::<syn::Lit>(input),
        "ty" => of::<syn::Type>(input),
        "path" => of::<syn::Path>(input),
        "expr" => of::<syn::Expr>(input),
        "meta" => of::<syn::Meta>(input),
        "tt" => of::<TokenTree>(input),
        "lifetime" => of::<syn::Lifetime>(input),
        kind => panic!("fragments of kind `{kind}` are not known here"),
    }
}

/// The names of the variables in a pattern.
fn variables(pattern: &[TokenTree]) -> Vec<String> {
    let mut names = Vec::new();
    let mut pattern = pattern;
    while let Some((part, rest)) = first(pattern) {
        pattern = rest;
        match part {
            Part::Variable(name) => names.push(name),
            Part::Repeated(inner, ..) => names.extend(variables(&trees(&inner))),
            Part::Token(TokenTree::Group(group)) => {
                names.extend(variables(&trees(&group.stream())));
            }
            Part::Token(_) => {}
        }
    }
    names
}

/// A body with its variables replaced.
fn written(body: &[TokenTree], bindings: &Bindings) -> TokenStream {
    let mut tokens = TokenStream::new();
    let mut body = body;
    while let Some((part, rest)) = first(body) {
        body = rest;
        match part {
            Part::Variable(name) if name == "crate" => tokens.extend(quote::quote!(crate)),
            Part::Variable(name) => match bindings.get(&name) {
                Some(Bound::One(one)) => tokens.extend(one.clone()),
                _ => panic!("${name} has no value here"),
            },
            Part::Repeated(inner, between, _) => {
                let inner = trees(&inner);
                let mut names = variables(&inner).into_iter();
                let rounds = names.find_map(|name| match bindings.get(&name) {
                    Some(Bound::Many(rounds)) => Some(rounds.clone()),
                    _ => None,
                });
                for (at, round) in rounds.unwrap_or_default().into_iter().enumerate() {
                    if at > 0 {
                        tokens.extend(between.cloned());
                    }
                    let all = bindings.clone().into_iter().chain(round).collect();
                    tokens.extend(written(&inner, &all));
                }
            }
            Part::Token(TokenTree::Group(group)) => {
                let inner = written(&trees(&group.stream()), bindings);
                tokens.extend([TokenTree::from(Group::new(group.delimiter(), inner))]);
            }
            Part::Token(token) => tokens.extend([token.clone()]),
        }
    }
    tokens
}
