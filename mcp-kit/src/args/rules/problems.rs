//! Disagreements between garde's rules and a schema: each is a build error that
//! names the place and the fix.

use serde_json::{Value, json};

use super::{LIMITS, Place, Said, is_format, same};
use crate::args::shape::{LengthMode, Rule};
use crate::args::unexplained;
use crate::schema::foreign_to_ecma;

impl Place<'_> {
    pub(super) fn unsayable(&self, rule: &Rule) -> String {
        let way_out = "or describe the rule to the model with `#[tool_args(rule = \"…\")]`";
        match rule {
            Rule::Length {
                mode: LengthMode::Simple | LengthMode::Bytes,
                ..
            } => format!(
                "this `length` counts bytes, and a schema counts characters: \
                 write `length(chars, …)`, {way_out}"
            ),
            Rule::Length { .. } => format!(
                "this `length` counts what a schema cannot count: write `length(chars, …)`, {way_out}"
            ),
            Rule::Pattern(Some(pattern)) => {
                let what = foreign_to_ecma(pattern).unwrap_or_default();
                format!(
                    "the pattern has `{what}`, which the regular expressions of JSON Schema do \
                     not know: write it without, {way_out}"
                )
            }
            Rule::Matches(other) => format!(
                "a schema cannot say that it must match `{other}`: describe the rule to the \
                 model with `#[tool_args(rule = \"…\")]`"
            ),
            _ => "a schema cannot say this rule: describe it to the model with \
                  `#[tool_args(rule = \"…\")]`"
                .into(),
        }
    }

    /// Reports where the schema contradicts the rules.
    pub(super) fn contradictions(
        &self,
        base: &(Option<Value>, Option<Value>),
        said: &Said,
        problems: &mut Vec<String>,
    ) {
        // schemars writes the type's own limits if `inner` is about an
        // `Option`.
        let own = |keyword: &str, value: &Value| match keyword {
            "minimum" => base
                .0
                .as_ref()
                .is_some_and(|own| same(own, value) || same(own, &json!(0)) && value == &json!(1)),
            "maximum" => base.1.as_ref().is_some_and(|own| same(own, value)),
            _ => false,
        };
        for (keyword, expected) in &said.keywords {
            let Some(value) = self
                .schema
                .get(*keyword)
                .filter(|_| LIMITS.contains(keyword))
            else {
                continue;
            };
            if !same(expected, value) && !own(keyword, value) && !self.by_rule(keyword, value, said)
            {
                problems.push(format!(
                    "`{}`: the schema says `{keyword}` {value}, and {expected} is checked: \
                     say the rule once, in `#[garde(…)]`",
                    self.at
                ));
            }
        }
    }

    /// Reports limits of the schema that no code checks.
    pub(super) fn unexplained(&self, said: &Said, problems: &mut Vec<String>) {
        let Some(shape) = self.shape.filter(|_| !self.opaque) else {
            return;
        };
        let formats = self.rules.iter().any(is_format);
        let by_rule = |keyword: &str, value: &Value| {
            said.keywords.iter().any(|(said, _)| *said == keyword)
                || keyword == "format" && formats
                || self.by_rule(keyword, value, said)
        };
        let found = unexplained::keywords(self.schema, shape, by_rule);
        problems.extend(
            found
                .into_iter()
                .map(|text| format!("`{}`: {text}", self.at)),
        );
    }
}
