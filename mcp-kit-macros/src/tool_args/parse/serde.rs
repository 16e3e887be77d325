//! serde's attributes, as far as they affect what is read from the wire.

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned as _;
use syn::{Attribute, token};

use super::{skip, text};
use crate::tool_args::case::Case;

/// serde's settings for a type, a variant or a field.
#[derive(Default)]
pub(crate) struct Serde {
    /// `rename`: the name, and further ones that serde accepts as aliases.
    pub(crate) names: Vec<String>,
    pub(crate) aliases: Vec<String>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) rename_all_fields: Option<Case>,
    pub(crate) flatten: Option<Span>,
    pub(crate) skipped: bool,
    pub(crate) default: bool,
    pub(crate) tag: Option<String>,
    pub(crate) content: Option<String>,
    pub(crate) untagged: Option<Span>,
    pub(crate) transparent: bool,
    pub(crate) deny_unknown_fields: Option<Span>,
    pub(crate) other: Option<Span>,
    /// An attribute after which the wire no longer looks like the type.
    pub(crate) changed: Option<(Span, String)>,
}

impl Serde {
    pub(crate) fn of(attributes: &[Attribute]) -> Self {
        let mut serde = Self::default();
        for attribute in attributes.iter().filter(|a| a.path().is_ident("serde")) {
            // serde's own derive reports what is wrong in here.
            let _ = attribute.parse_nested_meta(|meta| serde.key(&meta));
        }
        serde
    }

    fn key(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let span = meta.path.span();
        let key = meta
            .path
            .get_ident()
            .map(ToString::to_string)
            .unwrap_or_default();
        match key.as_str() {
            "rename" => self.names = deserialize(meta)?,
            "rename_all" => self.rename_all = case(meta)?,
            "rename_all_fields" => self.rename_all_fields = case(meta)?,
            "alias" => self.aliases.push(text(meta)?.value()),
            "flatten" => self.flatten = Some(span),
            "skip" | "skip_deserializing" => self.skipped = true,
            "default" => {
                skip(meta)?;
                self.default = true;
            }
            "tag" => self.tag = Some(text(meta)?.value()),
            "content" => self.content = Some(text(meta)?.value()),
            "untagged" => self.untagged = Some(span),
            "transparent" => self.transparent = true,
            "deny_unknown_fields" => self.deny_unknown_fields = Some(span),
            "other" => self.other = Some(span),
            "from" | "try_from" | "remote" | "with" | "deserialize_with" | "field_identifier"
            | "variant_identifier" => {
                skip(meta)?;
                self.changed = Some((span, key));
            }
            _ => skip(meta)?,
        }
        Ok(())
    }

    /// Returns the wire name and the further ones of an item called `rust`.
    pub(crate) fn wire(
        &self,
        rust: &str,
        rename: impl Fn(&str) -> String,
    ) -> (String, Vec<String>) {
        let mut names = self.names.iter().cloned();
        let wire = names.next().unwrap_or_else(|| rename(rust));
        let mut aliases: Vec<String> = Vec::new();
        for alias in names.chain(self.aliases.iter().cloned()) {
            if alias != wire && !aliases.contains(&alias) {
                aliases.push(alias);
            }
        }
        (wire, aliases)
    }
}

/// Returns `= "name"`, or the `deserialize` part of `(serialize = "…",
/// deserialize = "…")`.
fn deserialize(meta: &ParseNestedMeta<'_>) -> syn::Result<Vec<String>> {
    if !meta.input.peek(token::Paren) {
        return Ok(vec![text(meta)?.value()]);
    }
    let mut names = Vec::new();
    meta.parse_nested_meta(|side| {
        let name = text(&side)?;
        if side.path.is_ident("deserialize") {
            names.push(name.value());
        }
        Ok(())
    })?;
    Ok(names)
}

fn case(meta: &ParseNestedMeta<'_>) -> syn::Result<Option<Case>> {
    Ok(deserialize(meta)?.first().and_then(|name| Case::of(name)))
}

#[cfg(test)]
mod tests {
    use syn::{DeriveInput, parse_quote};

    use super::*;

    fn of(input: DeriveInput) -> Serde {
        Serde::of(&input.attrs)
    }

    #[test]
    fn names_for_reading_count() {
        let serde = of(parse_quote! {
            #[serde(rename(serialize = "out", deserialize = "in"), alias = "old", alias = "in")]
            #[serde(rename_all(serialize = "UPPERCASE", deserialize = "camelCase"))]
            struct S;
        });
        let (wire, aliases) = serde.wire("s", str::to_owned);
        assert_eq!((wire.as_str(), aliases), ("in", vec!["old".to_owned()]));
        assert_eq!(serde.rename_all, Some(Case::Camel));
        let serde =
            of(parse_quote! { #[serde(rename(serialize = "out"), skip_serializing)] struct S; });
        assert_eq!(serde.wire("s", str::to_uppercase), ("S".to_owned(), vec![]));
        assert!(!serde.skipped);
    }

    #[test]
    fn unknown_keys_are_passed_over() {
        let serde = of(parse_quote! {
            #[serde(default = "five", bound(deserialize = "T: X"), crate = "s")]
            #[serde(expecting = "x", flatten)]
            struct S;
        });
        assert!(serde.flatten.is_some());
        assert!(serde.changed.is_none());
    }

    #[test]
    fn a_changed_wire_is_seen() {
        let serde = of(parse_quote! { #[serde(try_from = "String", rename = "x")] struct S; });
        assert!(serde.changed.is_some_and(|(_, key)| key == "try_from"));
        assert_eq!(serde.names, ["x"]);
    }
}
