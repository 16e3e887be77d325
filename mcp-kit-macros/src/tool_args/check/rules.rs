//! Rules that the schema cannot express need words for the model.

use proc_macro2::Span;
use syn::{Expr, ExprLit, Lit, Type};

use crate::errors::Errors;
use crate::tool_args::model::{LengthMode, Rule, RuleKind};
use crate::tool_args::parse::garde::Unknown;
use crate::tool_args::types;

/// Stores a mistake for the rules that need words but have none.
pub(crate) fn have_words(rules: &[Rule], ty: &Type, words: bool, errors: &mut Errors) {
    if !words {
        for rule in rules {
            judge(rule, Some(ty), errors);
        }
    }
}

/// If the field has words, a function without a module in front may be the
/// user's own, with a name that `mcp_kit::guard::text` also has.
pub(crate) fn keep_own_functions(rules: &mut [Rule]) {
    for rule in rules {
        match &mut rule.kind {
            RuleKind::Inner(inner) => keep_own_functions(inner),
            RuleKind::Text(path) if path.segments.len() == 1 => {
                rule.kind = RuleKind::Custom("custom");
            }
            _ => {}
        }
    }
}

/// Returns the message for a rule that leaves no trace in the schema.
pub(crate) fn inexpressible(rule: &str) -> String {
    format!(
        "a JSON Schema cannot express what `{rule}` checks: describe it for the model with \
         `#[tool_args(rule = \"must …\")]`"
    )
}

/// Leaves unknown rules of an opaque field to garde, which alone checks them.
pub(crate) fn leave_unknown_to_garde(rules: &mut Vec<Rule>) {
    rules.retain_mut(|rule| match &mut rule.kind {
        RuleKind::Inner(inner) => {
            leave_unknown_to_garde(inner);
            true
        }
        RuleKind::Unknown(_) => false,
        _ => true,
    });
}

/// Returns the unknown rules among these that are not typing mistakes.
pub(crate) fn unknown(rules: &[Rule]) -> Vec<(Span, Unknown)> {
    let unknown = rules.iter().flat_map(|rule| match &rule.kind {
        RuleKind::Inner(inner) => unknown(inner),
        RuleKind::Unknown(unknown) if !unknown.slip => vec![(rule.span, unknown.clone())],
        _ => Vec::new(),
    });
    unknown.collect()
}

/// Checks a rule; `ty` is the type that the rule is for, as far as it is
/// visible.
fn judge(rule: &Rule, ty: Option<&Type>, errors: &mut Errors) {
    let name = match &rule.kind {
        RuleKind::Inner(inner) => {
            let item = ty.and_then(types::item);
            return inner.iter().for_each(|rule| judge(rule, item, errors));
        }
        RuleKind::Length { min, max, .. } if only_emptiness(min.as_ref(), max.as_ref()) => return,
        RuleKind::Length { mode, .. } => {
            let counted = match mode {
                LengthMode::Simple if ty.is_some_and(types::is_string) => "bytes",
                LengthMode::Bytes => "bytes",
                LengthMode::Graphemes => "graphemes",
                LengthMode::Utf16 => "UTF-16 units",
                LengthMode::Simple | LengthMode::Chars => return,
            };
            return errors.at(
                rule.span,
                format!(
                    "this `length` counts {counted}, and a schema counts characters: write \
                     `length(chars, …)`, or describe the rule for the model with \
                     `#[tool_args(rule = \"must …\")]`"
                ),
            );
        }
        RuleKind::Custom(name) => name,
        RuleKind::Matches(_) => "matches",
        RuleKind::Plain("CreditCard") => "credit_card",
        RuleKind::Plain("PhoneNumber") => "phone_number",
        RuleKind::Pattern(None) => {
            return errors.at(
                rule.span,
                "a pattern that is not a string literal cannot go into the schema: write it as \
                 one, or describe the rule for the model with `#[tool_args(rule = \"must …\")]`",
            );
        }
        RuleKind::Plain(_)
        | RuleKind::Range { .. }
        | RuleKind::Compare(..)
        | RuleKind::Text(_)
        | RuleKind::Misspelt
        | RuleKind::Unknown(_)
        | RuleKind::Pattern(Some(_)) => return,
    };
    errors.at(rule.span, inexpressible(name));
}

/// Whether a length only requires that the value is not empty, on which all
/// ways to count agree. If the number is not a literal, `build()` decides.
fn only_emptiness(min: Option<&Expr>, max: Option<&Expr>) -> bool {
    let small = |min: &Expr| match min {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => number.base10_parse::<u64>().is_ok_and(|min| min <= 1),
        _ => true,
    };
    max.is_none() && min.is_none_or(small)
}
