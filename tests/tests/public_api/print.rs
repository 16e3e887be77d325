//! Items as one line each, without bodies, documentation and private parts.

use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Fields, Generics, ImplItem, Item, ItemImpl, Meta, ReceiverKind, Signature, Token,
    TraitItem, Type, Variant, Visibility, parse_quote,
};

pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        _ => &[],
    }
}

/// The name that an item defines.
pub(crate) fn name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Mod(item) => &item.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

pub(crate) fn is_public(item: &Item) -> bool {
    let visibility = match item {
        Item::Const(item) => &item.vis,
        Item::Enum(item) => &item.vis,
        Item::Fn(item) => &item.vis,
        Item::Mod(item) => &item.vis,
        Item::Static(item) => &item.vis,
        Item::Struct(item) => &item.vis,
        Item::Trait(item) => &item.vis,
        Item::Type(item) => &item.vis,
        Item::Union(item) => &item.vis,
        _ => return false,
    };
    matches!(visibility, Visibility::Public(_))
}

/// `#[doc(hidden)]`.
pub(crate) fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("doc") && list.tokens.to_string() == "hidden",
        _ => false,
    })
}

/// The conditions of `#[cfg(…)]`.
pub(crate) fn conditions(attributes: &[Attribute]) -> Vec<String> {
    let of = |attribute: &Attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => Some(tidy(&list.tokens.to_string())),
        _ => None,
    };
    attributes.iter().filter_map(of).collect()
}

pub(crate) fn joined(one: &[String], other: &[String]) -> Vec<String> {
    let mut all = one.to_vec();
    all.extend(
        other
            .iter()
            .filter(|condition| !one.contains(condition))
            .cloned(),
    );
    all
}

pub(crate) fn when(conditions: &[String]) -> String {
    let each = conditions.iter().map(|condition| format!(" [{condition}]"));
    each.collect()
}

pub(crate) fn segments(path: &syn::Path) -> Vec<String> {
    let segments = path.segments.iter();
    segments.map(|segment| segment.ident.to_string()).collect()
}

/// What an item is, under its public path.
pub(crate) fn head(item: &Item, path: &str) -> String {
    let marks = marks(attributes(item));
    let text = match item {
        Item::Macro(_) => format!("macro {path}!"),
        Item::Struct(item) => {
            let generics = parameters(&item.generics);
            let fields = match &item.fields {
                Fields::Unnamed(fields) => {
                    let types = fields.unnamed.iter().map(|field| match field.vis {
                        Visibility::Public(_) => format!("pub {}", ty(&field.ty)),
                        _ => "_".to_owned(),
                    });
                    format!("({})", types.collect::<Vec<_>>().join(", "))
                }
                _ => String::new(),
            };
            format!("struct {path}{generics}{fields}")
        }
        Item::Enum(item) => format!("enum {path}{}", parameters(&item.generics)),
        Item::Union(item) => format!("union {path}{}", parameters(&item.generics)),
        Item::Trait(item) => {
            let supertraits = match item.supertraits.is_empty() {
                true => String::new(),
                false => format!(": {}", bounds(&item.supertraits)),
            };
            format!("trait {path}{}{supertraits}", parameters(&item.generics))
        }
        Item::Type(item) => {
            format!(
                "type {path}{} -> {}",
                parameters(&item.generics),
                ty(&item.ty)
            )
        }
        Item::Const(item) => format!("const {path}: {}", ty(&item.ty)),
        Item::Static(item) => format!("static {path}: {}", ty(&item.ty)),
        Item::Fn(item) => {
            let text = signature(&item.sig);
            text.replacen(&format!("fn {}", item.sig.ident), &format!("fn {path}"), 1)
        }
        _ => path.to_owned(),
    };
    format!("{text}{marks}")
}

/// The fields, variants or items inside an item.
pub(crate) fn members(item: &Item) -> Vec<String> {
    match item {
        Item::Struct(item) => match &item.fields {
            Fields::Named(fields) => {
                let all = fields.named.iter();
                let public = all.filter(|field| matches!(field.vis, Visibility::Public(_)));
                let text = public.map(|field| {
                    let name = field.ident.as_ref().map(ToString::to_string);
                    let when = when(&conditions(&field.attrs));
                    format!("pub {}: {}{when}", name.unwrap_or_default(), ty(&field.ty))
                });
                text.collect()
            }
            _ => Vec::new(),
        },
        Item::Enum(item) => {
            let text = item.variants.iter().map(|one| {
                let when = when(&conditions(&one.attrs));
                format!("{}{when}", variant(one))
            });
            text.collect()
        }
        Item::Trait(item) => {
            let visible = item.items.iter().filter_map(|item| match item {
                TraitItem::Fn(one) => {
                    let is_provided = if one.default.is_some() {
                        " { … }"
                    } else {
                        ""
                    };
                    shown(&one.attrs, format!("{}{is_provided}", signature(&one.sig)))
                }
                TraitItem::Type(one) => shown(
                    &one.attrs,
                    format!("type {}: {}", one.ident, bounds(&one.bounds)),
                ),
                TraitItem::Const(one) => {
                    shown(&one.attrs, format!("const {}: {}", one.ident, ty(&one.ty)))
                }
                _ => None,
            });
            visible.collect()
        }
        _ => Vec::new(),
    }
}

/// The public items of an inherent `impl` block.
pub(crate) fn associated(block: &ItemImpl, around: &[String]) -> Vec<String> {
    let visible = block.items.iter().filter_map(|item| {
        let (attributes, visibility, text) = match item {
            ImplItem::Fn(one) => (&one.attrs, &one.vis, signature(&one.sig)),
            ImplItem::Const(one) => (
                &one.attrs,
                &one.vis,
                format!("const {}: {}", one.ident, ty(&one.ty)),
            ),
            _ => return None,
        };
        let is_public = matches!(visibility, Visibility::Public(_));
        if !is_public || is_hidden(attributes) {
            return None;
        }
        let conditions = joined(around, &conditions(attributes));
        Some(format!("pub {text}{}", when(&conditions)))
    });
    visible.collect()
}

/// The first line of a trait's implementation.
pub(crate) fn implementation(block: &ItemImpl, conditions: &[String]) -> String {
    let mut bare = block.clone();
    bare.attrs.clear();
    bare.items.clear();
    format!("{}{}", pretty(Item::Impl(bare)), when(conditions))
}

fn shown(attributes: &[Attribute], text: String) -> Option<String> {
    (!is_hidden(attributes)).then(|| format!("{text}{}", when(&conditions(attributes))))
}

/// The attributes that belong to the API: derives and `#[non_exhaustive]`.
fn marks(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes {
        let is_mark = |name| attribute.path().is_ident(name);
        if is_mark("non_exhaustive") {
            text.push_str(" #[non_exhaustive]");
        } else if is_mark("derive") {
            let traits = attribute
                .parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated)
                .unwrap();
            let mut names: Vec<_> = traits.iter().map(|one| segments(one).join("::")).collect();
            names.sort();
            text.push_str(&format!(" #[derive({})]", names.join(", ")));
        }
    }
    text
}

fn signature(signature: &Signature) -> String {
    let mut signature = signature.clone();
    for input in &mut signature.inputs {
        match input {
            syn::FnArg::Receiver(receiver) => receiver.attrs.clear(),
            syn::FnArg::Typed(typed) => {
                typed.attrs.clear();
                if let syn::Pat::Ident(ident) = &mut *typed.pat {
                    ident.mutability = None;
                }
            }
        }
    }
    // `mut self` is the function's own affair.
    if let Some(syn::FnArg::Receiver(receiver)) = signature.inputs.first_mut()
        && matches!(receiver.kind, ReceiverKind::Value)
    {
        receiver.mutability = None;
    }
    pretty(parse_quote!(#signature {}))
}

/// An item without its empty body.
fn pretty(item: Item) -> String {
    let text = prettyplease::unparse(&parse_quote!(#item));
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.strip_suffix("{}").unwrap_or(&text).trim_end();
    text.trim_end_matches(',')
        .replace("( ", "(")
        .replace(", )", ")")
        .replace(" )", ")")
}

/// A type, printed as an alias of it would be.
fn ty(ty: &Type) -> String {
    inside(parse_quote!(type __ = #ty;), "type __ = ", ";")
}

fn bounds(bounds: &impl ToTokens) -> String {
    inside(parse_quote!(trait __: #bounds {}), "trait __: ", "")
}

/// `<T: Clone>`, with what is required of the parameters.
fn parameters(generics: &Generics) -> String {
    let clause = &generics.where_clause;
    let text = inside(
        parse_quote!(struct __ #generics #clause {}),
        "struct __",
        "",
    );
    text.trim_end_matches(',').to_owned()
}

fn variant(variant: &Variant) -> String {
    let mut bare = variant.clone();
    bare.attrs.clear();
    for field in &mut bare.fields {
        field.attrs.clear();
    }
    let text = inside(parse_quote!(enum __ { #bare }), "enum __ { ", " }");
    text.trim_end_matches(',').to_owned()
}

fn inside(item: Item, before: &str, after: &str) -> String {
    let text = pretty(item);
    let text = text.strip_prefix(before).unwrap_or(&text);
    text.strip_suffix(after).unwrap_or(text).to_owned()
}

/// Tokens as people write them.
fn tidy(text: &str) -> String {
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for (from, to) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" ::", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        (" :", ":"),
        ("& ", "&"),
        ("$ ", "$"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        ("[ ", "["),
        (" ]", "]"),
        (" ;", ";"),
        ("' ", "'"),
        (",)", ")"),
    ] {
        text = text.replace(from, to);
    }
    text
}
