//! `#[tool_args(…)]`.

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::{Attribute, LitStr, Path};

use crate::errors::{Errors, twice};
use crate::suggest::unknown_key;

/// The keys of a type.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) krate: Option<Path>,
    pub(crate) allow_unknown: Option<Span>,
    pub(crate) opaque: Option<Span>,
    pub(crate) words: Vec<LitStr>,
}

/// The keys of a field.
#[derive(Default)]
pub(crate) struct Field {
    pub(crate) opaque: bool,
    pub(crate) words: Vec<LitStr>,
}

pub(crate) fn container(attributes: &[Attribute], errors: &mut Errors) -> Container {
    let mut own = Container::default();
    read(attributes, errors, |meta| {
        let span = meta.path.span();
        if meta.path.is_ident("crate") {
            let path = meta
                .value()
                .and_then(|input| input.call(Path::parse_mod_style));
            let path = path.map_err(|_| syn::Error::new(span, crate::krate::NO_PATH))?;
            crate::krate::check(&path)?;
            once(own.krate.replace(path), "crate", span)
        } else if meta.path.is_ident("allow_unknown") {
            alone(meta, "allow_unknown")?;
            once(own.allow_unknown.replace(span), "allow_unknown", span)
        } else if meta.path.is_ident("opaque") {
            alone(meta, "opaque")?;
            once(own.opaque.replace(span), "opaque", span)
        } else if meta.path.is_ident("rule") {
            own.words.push(rule(meta)?);
            Ok(())
        } else {
            Err(unknown(meta, &["rule", "allow_unknown", "opaque", "crate"]))
        }
    });
    own
}

pub(crate) fn field(attributes: &[Attribute], errors: &mut Errors) -> Field {
    let mut own = Field::default();
    read(attributes, errors, |meta| {
        let span = meta.path.span();
        if meta.path.is_ident("opaque") {
            alone(meta, "opaque")?;
            once(
                std::mem::replace(&mut own.opaque, true).then_some(()),
                "opaque",
                span,
            )
        } else if meta.path.is_ident("rule") {
            own.words.push(rule(meta)?);
            Ok(())
        } else if meta.path.is_ident("allow_unknown") || meta.path.is_ident("crate") {
            Err(meta.error("this key belongs on the type, not on a field"))
        } else {
            Err(unknown(meta, &["rule", "opaque"]))
        }
    });
    own
}

/// Reports the keys of a variant, which cannot have any.
pub(crate) fn variant(attributes: &[Attribute], errors: &mut Errors) {
    for attribute in attributes.iter().filter(|a| a.path().is_ident("tool_args")) {
        errors.on(
            attribute.path(),
            "`#[tool_args(…)]` belongs on a type or on a field, not on a variant",
        );
    }
}

fn read(
    attributes: &[Attribute],
    errors: &mut Errors,
    mut key: impl FnMut(&syn::meta::ParseNestedMeta<'_>) -> syn::Result<()>,
) {
    for attribute in attributes.iter().filter(|a| a.path().is_ident("tool_args")) {
        // A bad key is skipped, so that the ones after it are also read.
        let result = attribute.parse_nested_meta(|meta| {
            if let Err(error) = key(&meta) {
                errors.push(error);
                super::skip(&meta)?;
            }
            Ok(())
        });
        errors.take(result);
    }
}

fn rule(meta: &syn::meta::ParseNestedMeta<'_>) -> syn::Result<LitStr> {
    let explain =
        |span| syn::Error::new(span, "`rule` takes the rule in words: `rule = \"must …\"`");
    if !meta.input.peek(syn::Token![=]) {
        return Err(explain(meta.path.span()));
    }
    let input = meta.value()?;
    if !input.peek(LitStr) {
        return Err(explain(input.span()));
    }
    let words: LitStr = input.parse()?;
    if words.value().trim().is_empty() {
        return Err(explain(words.span()));
    }
    Ok(words)
}

/// Requires that a key has no value.
fn alone(meta: &syn::meta::ParseNestedMeta<'_>, key: &str) -> syn::Result<()> {
    if meta.input.is_empty() || meta.input.peek(syn::Token![,]) {
        return Ok(());
    }
    Err(syn::Error::new(
        meta.path.span(),
        format!("`{key}` takes no value: write `#[tool_args({key})]`, or leave it out"),
    ))
}

fn once<T>(earlier: Option<T>, key: &str, span: Span) -> syn::Result<()> {
    match earlier {
        Some(_) => Err(twice(span, key)),
        None => Ok(()),
    }
}

fn unknown(meta: &syn::meta::ParseNestedMeta<'_>, known: &[&str]) -> syn::Error {
    let key = meta.path.segments.last().map(|last| last.ident.to_string());
    syn::Error::new(
        meta.path.span(),
        unknown_key(&key.unwrap_or_default(), known),
    )
}
