//! Compiles the limits of values that contain no others: types, listed values,
//! numbers and text. Lists, objects and choices are in `mod.rs`, since they
//! lead to further nodes.

use serde_json::{Map, Value};

use super::{Compiler, covered};
use crate::schema::node::{NumberNode, Pattern, SaidRule, TextNode, Types};
use crate::schema::number::Number;
use crate::schema::text_rule::TextRule;
use crate::support::json::Members as _;

impl Compiler<'_> {
    pub(super) fn types(&mut self, object: &Map<String, Value>, at: &str) -> Types {
        let names: Vec<&Value> = match object.member("type") {
            None => return Types::ANY,
            Some(Value::Array(names)) => names.iter().collect(),
            Some(name) => vec![name],
        };
        let mut types = Types::NONE;
        for name in names {
            match name.as_str().and_then(Types::of_name) {
                Some(one) => types = types.or(one),
                None => self.problem(at, &format!("`type` has no meaning for {name}")),
            }
        }
        types
    }

    pub(super) fn allowed(&mut self, object: &Map<String, Value>, at: &str) -> Option<Vec<Value>> {
        if let Some(only) = object.member("const") {
            return Some(vec![only.clone()]);
        }
        match object.member("enum")? {
            Value::Array(values) => Some(values.clone()),
            _ => {
                self.problem(at, "`enum` has to be a list");
                None
            }
        }
    }

    pub(super) fn count(
        &mut self,
        object: &Map<String, Value>,
        keyword: &str,
        at: &str,
    ) -> Option<u64> {
        let value = object.member(keyword)?;
        let count = value.as_u64().or_else(|| {
            let float = value.as_f64().filter(|f| *f >= 0.0 && f.fract() == 0.0)?;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            Some(float as u64)
        });
        if count.is_none() {
            self.problem(
                at,
                &format!("`{keyword}` has to be a whole number of at least 0"),
            );
        }
        count
    }

    pub(super) fn bound(
        &mut self,
        object: &Map<String, Value>,
        keyword: &str,
        at: &str,
    ) -> Option<Number> {
        let value = object.member(keyword)?;
        let bound = Number::of(value);
        if bound.is_none() {
            self.problem(at, &format!("`{keyword}` has to be a number"));
        }
        bound
    }

    pub(super) fn number(
        &mut self,
        object: &Map<String, Value>,
        at: &str,
    ) -> Option<Box<NumberNode>> {
        let keywords = [
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "multipleOf",
        ];
        keywords
            .iter()
            .any(|keyword| object.contains_key(*keyword))
            .then(|| {
                Box::new(NumberNode {
                    min: self.bound(object, "minimum", at),
                    max: self.bound(object, "maximum", at),
                    above: self.bound(object, "exclusiveMinimum", at),
                    below: self.bound(object, "exclusiveMaximum", at),
                    step: self.bound(object, "multipleOf", at),
                })
            })
    }

    pub(super) fn text(
        &mut self,
        object: &Map<String, Value>,
        notes: Option<&Value>,
        at: &str,
    ) -> Option<Box<TextNode>> {
        let mut text = TextNode {
            min: self.count(object, "minLength", at),
            max: self.count(object, "maxLength", at),
            ..TextNode::default()
        };
        let noted = notes
            .and_then(|notes| notes.member("rules"))
            .and_then(Value::as_array);
        for rule in noted.into_iter().flatten() {
            if let Some(parsed) = rule.member("rule").and_then(TextRule::of_value) {
                let says = rule.text("says");
                let says = says.map_or_else(|| parsed.says(), str::to_owned);
                text.rules.push(SaidRule { rule: parsed, says });
            }
        }
        let format = match object.text("format") {
            Some("ipv4") => Some(TextRule::IpV4),
            Some("ipv6") => Some(TextRule::IpV6),
            _ => None,
        };
        if let Some(rule) = format
            && text.rules.iter().all(|said| said.rule != rule)
        {
            let says = rule.says();
            text.rules.push(SaidRule { rule, says });
        }
        if let Some(pattern) = object.member("pattern")
            && !covered(notes, "pattern")
        {
            let compiled = self.pattern(pattern.as_str(), "pattern", at);
            text.patterns.extend(compiled);
        }
        let empty = text.min.is_none()
            && text.max.is_none()
            && text.rules.is_empty()
            && text.patterns.is_empty();
        (!empty).then(|| Box::new(text))
    }

    #[cfg(feature = "regex")]
    pub(super) fn pattern(
        &mut self,
        pattern: Option<&str>,
        keyword: &str,
        at: &str,
    ) -> Option<Pattern> {
        let Some(pattern) = pattern else {
            self.problem(at, &format!("`{keyword}` has to be a string"));
            return None;
        };
        match regex::Regex::new(pattern) {
            Ok(regex) => Some(Pattern {
                regex,
                says: format!("must match the pattern {pattern}"),
            }),
            Err(_) if cfg!(feature = "json-schema") || !self.complete => {
                self.pass_over(at, keyword);
                None
            }
            Err(error) => {
                self.problem(
                    at,
                    &format!(
                        "`{keyword}` {pattern:?} is not a regular expression that Rust's regex \
                         crate reads ({}): say it without look-around and back-references",
                        error.to_string().lines().last().unwrap_or_default()
                    ),
                );
                None
            }
        }
    }

    #[cfg(not(feature = "regex"))]
    pub(super) fn pattern(&mut self, _: Option<&str>, keyword: &str, at: &str) -> Option<Pattern> {
        if cfg!(feature = "json-schema") || !self.complete {
            self.pass_over(at, keyword);
        } else {
            self.problem(
                at,
                &format!("`{keyword}` is only checked with mcp-kit's feature `regex`: turn it on"),
            );
        }
        None
    }
}
