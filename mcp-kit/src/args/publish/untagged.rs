//! Untagged variants of one form. serde takes the first variant that it can
//! read, and garde's rules run afterwards: a value that the schema admits for a
//! later variant is then refused by the rules of an earlier one.

use serde_json::{Map, Value};

use super::{Publisher, reach};
use crate::args::shape::{EnumShape, FieldShape, Rule, VariantKind, VariantShape};
use crate::support::json::Members as _;

impl Publisher {
    /// Refuses variants whose rules make a later one unreachable.
    pub(super) fn untagged_forms(&mut self, of: &'static EnumShape, forms: &[Value], at: &str) {
        let variants = of.variants.iter().zip(forms).enumerate();
        for (index, (variant, form)) in variants.filter(|(_, (variant, _))| has_rules(variant)) {
            let later = of.variants.iter().zip(forms).skip(index + 1);
            let mut hidden = later.filter(|(_, later)| overlap(form, later));
            if let Some((hidden, _)) = hidden.next() {
                self.problem(
                    &format!("{at}.{}", variant.rust),
                    &format!(
                        "serde reads values of `{}` as this variant, whose rules then refuse \
                         them: tell the two apart with `#[serde(tag = \"…\")]`, or give them the \
                         same rules",
                        hidden.rust
                    ),
                );
            }
        }
    }
}

fn has_rules(variant: &'static VariantShape) -> bool {
    let fields: &'static [FieldShape] = match &variant.kind {
        VariantKind::Unit => &[],
        VariantKind::Newtype(field) => std::slice::from_ref(field),
        VariantKind::Tuple(fields) | VariantKind::Struct(fields) => fields,
    };
    fields.iter().any(|field| {
        field.rules.iter().any(|rule| match rule {
            Rule::Skip => false,
            Rule::Dive => reach::has_rules((field.shape)()),
            _ => true,
        })
    })
}

/// Whether serde may read as `first` what the schema admits as `later`, and the
/// two have different rules for it. False if that cannot be determined.
fn overlap(first: &Value, later: &Value) -> bool {
    let (Some(first), Some(later)) = (first.as_object(), later.as_object()) else {
        return false;
    };
    let shared = types(first).any(|one| {
        let number = |name: &str| matches!(name, "integer" | "number");
        types(later).any(|other| one == other || one == "integer" && number(other))
    });
    if !shared {
        return false;
    }
    let properties = |of: &Map<String, Value>| of.member("properties")?.as_object().cloned();
    let (Some(of_first), Some(of_later)) = (properties(first), properties(later)) else {
        return plain(first) != plain(later);
    };
    let required = first.member("required").and_then(Value::as_array);
    let mut required = required.into_iter().flatten().filter_map(Value::as_str);
    // serde skips the first one if a required member is missing.
    required.all(|name| of_later.has(name))
        && of_first.each().any(|(name, schema)| {
            let other = of_later.member(name);
            other.is_some_and(|other| overlap(schema, other))
        })
        && of_first.each().all(|(name, schema)| {
            let other = of_later.member(name);
            other.is_none_or(|other| overlap(schema, other) || is_same(schema, other))
        })
}

fn is_same(one: &Value, other: &Value) -> bool {
    one.as_object().map(plain) == other.as_object().map(plain)
}

/// Returns a schema without its annotations.
fn plain(schema: &Map<String, Value>) -> Map<String, Value> {
    let mut schema = schema.clone();
    for remark in ["default", "description", "examples", "title"] {
        schema.remove(remark);
    }
    schema
}

fn types(schema: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let (one, many) = match schema.member("type") {
        Some(Value::Array(many)) => (None, many.as_slice()),
        one => (one, &[][..]),
    };
    one.into_iter().chain(many).filter_map(Value::as_str)
}
