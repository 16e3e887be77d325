//! Checks whether garde reaches the rules inside a field's type. Rules that it
//! does not reach look as if they were checked.

use crate::args::shape::{FieldShape, Rule, Shape, VariantKind};

/// Returns the fix for rules inside the field's type that garde does not reach.
pub(super) fn problem(field: &'static FieldShape) -> Option<String> {
    let within = unreached(field.rules, (field.shape)())?;
    let whose = within.map_or("its type".to_owned(), |name| format!("`{name}`"));
    let skipped = field.rules.iter().any(|rule| matches!(rule, Rule::Skip));
    let what = if skipped {
        format!("`#[garde(skip)]` turns off the rules of {whose}: write `#[garde(dive)]`")
    } else {
        format!("nothing checks the rules of {whose} here: add `dive` to its `#[garde(…)]`")
    };
    Some(format!(
        "{what}, or mark the field `#[tool_args(opaque)]` if they must not apply"
    ))
}

/// Returns the name of the type whose rules are not reached; the inner `None`
/// if its name is unknown here.
fn unreached(rules: &'static [Rule], shape: &'static Shape) -> Option<Option<&'static str>> {
    let mut inside = None;
    for rule in rules {
        match rule {
            Rule::Dive => return None,
            Rule::Inner(rules) => inside = Some(*rules),
            _ => {}
        }
    }
    match (inside, shape) {
        (Some(rules), Shape::List(item) | Shape::Array(_, item) | Shape::Set(item)) => {
            unreached(rules, item())
        }
        (Some(rules), Shape::Map(_, value)) => unreached(rules, value()),
        // `inner` applies to the content of the `Option`, or continues through
        // a pointer.
        (Some(inner), Shape::Same(of) | Shape::Optional(of)) => {
            unreached(inner, of()).and(unreached(rules, of()))
        }
        _ => first(shape, &mut Vec::new()),
    }
}

/// Whether anything inside a shape has rules.
pub(super) fn has_rules(shape: &'static Shape) -> bool {
    first(shape, &mut Vec::new()).is_some()
}

/// Returns the first type inside a shape that has rules.
fn first(shape: &'static Shape, seen: &mut Vec<*const Shape>) -> Option<Option<&'static str>> {
    if seen.contains(&std::ptr::from_ref(shape)) {
        return None;
    }
    seen.push(shape);
    match shape {
        Shape::Leaf | Shape::Scalar { .. } | Shape::Text(_) => None,
        Shape::Said(_, inner)
        | Shape::Same(inner)
        | Shape::Optional(inner)
        | Shape::List(inner)
        | Shape::Array(_, inner)
        | Shape::Set(inner)
        | Shape::Map(_, inner) => first(inner(), seen),
        Shape::Struct(of) if !of.words.is_empty() => Some(Some(of.name)),
        Shape::Struct(of) => of
            .fields
            .iter()
            .find_map(|f| of_field(f, Some(of.name), seen)),
        Shape::Newtype(field) => of_field(field, None, seen),
        Shape::Tuple(fields) => fields.iter().find_map(|field| of_field(field, None, seen)),
        Shape::Enum(of) => of.variants.iter().find_map(|variant| {
            let fields = match &variant.kind {
                VariantKind::Unit => &[],
                VariantKind::Newtype(field) => std::slice::from_ref(field),
                VariantKind::Tuple(fields) | VariantKind::Struct(fields) => *fields,
            };
            fields.iter().find_map(|f| of_field(f, Some(of.name), seen))
        }),
    }
}

fn of_field(
    field: &'static FieldShape,
    name: Option<&'static str>,
    seen: &mut Vec<*const Shape>,
) -> Option<Option<&'static str>> {
    let is_rule = |rule: &Rule| !matches!(rule, Rule::Skip | Rule::Dive);
    if field.skipped {
        None
    } else if field.rules.iter().any(is_rule) {
        Some(name)
    } else {
        first((field.shape)(), seen)
    }
}
