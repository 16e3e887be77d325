//! Publishes garde's rules at one place of a schema: each as a keyword, as a
//! pattern or in words. Rules that only the schema has are problems.

mod problems;

use serde_json::{Map, Value, json};

use super::shape::{Bound, LengthMode, Rule, Shape};
use crate::schema::{NOTES, Number, TextRule, describe, foreign_to_ecma};
use crate::support::json::Members as _;

/// Keywords that limit values, each of which must be checked.
pub(super) const LIMITS: &[&str] = &[
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "pattern",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
];

/// One place of a schema, and a field's rules for it.
pub(super) struct Place<'s> {
    pub(super) schema: &'s mut Map<String, Value>,
    pub(super) rules: &'s [Rule],
    pub(super) words: &'s [&'static str],
    /// Whether words further out also describe this place.
    pub(super) worded: bool,
    /// Whether garde reaches this place at all.
    pub(super) enforced: bool,
    /// Whether the type's own keywords are mcp-kit's to explain.
    pub(super) opaque: bool,
    /// The type's shape, if the schema is the type's.
    pub(super) shape: Option<&'static Shape>,
    pub(super) at: &'s str,
}

/// The meaning of the rules, before it is written into the schema.
#[derive(Default)]
struct Said {
    keywords: Vec<(&'static str, Value)>,
    /// Regular expressions in the author's form.
    patterns: Vec<String>,
    rules: Vec<(TextRule, Option<&'static str>)>,
    /// Sentences for the description.
    words: Vec<String>,
}

impl Place<'_> {
    /// Writes the rules into the schema; returns the problems that the author
    /// must fix.
    pub(super) fn write(mut self) -> Vec<String> {
        let mut problems = Vec::new();
        let base = self.base();
        let mut said = Said::default();
        if self.enforced {
            self.gather(&mut said, &mut problems);
        }
        self.bounds(&base, &mut said, &mut problems);
        self.contradictions(&base, &said, &mut problems);
        if problems.is_empty() {
            self.unexplained(&said, &mut problems);
        }
        self.put(said);
        problems
    }

    fn has(&self, name: &str) -> bool {
        match self.schema.member("type") {
            Some(Value::String(one)) => one == name,
            Some(Value::Array(many)) => many.iter().any(|one| one == name),
            _ => false,
        }
    }

    /// Removes the format's name, and returns the limits of the Rust type.
    fn base(&mut self) -> (Option<Value>, Option<Value>) {
        let format = self.schema.text("format");
        match format {
            Some("ip") => {
                self.schema.remove_member("format");
                self.schema.set_member(NOTES, json!({ "ip": true }));
                (None, None)
            }
            Some(format) => match crate::schema::bounds_of_format(format) {
                Some(bounds) => {
                    self.schema.remove_member("format");
                    bounds
                }
                None => (None, None),
            },
            None => (None, None),
        }
    }

    fn gather(&self, said: &mut Said, problems: &mut Vec<String>) {
        let mut own = self.words.iter().copied();
        let needing = self
            .rules
            .iter()
            .filter(|rule| self.needs_words(rule))
            .count();
        // One by one if there are as many words as rules that need them.
        let paired = needing == self.words.len();
        for rule in self.rules {
            let needs = self.needs_words(rule);
            let words = if needs && paired { own.next() } else { None };
            if needs && self.words.is_empty() && !self.worded {
                problems.push(format!("`{}`: {}", self.at, self.unsayable(rule)));
            }
            self.say(rule, words, said, problems);
        }
        said.words
            .extend(self.words.iter().map(|words| (*words).to_owned()));
    }

    /// Whether the schema cannot express the rule as garde means it.
    fn needs_words(&self, rule: &Rule) -> bool {
        match rule {
            Rule::Custom | Rule::Matches(_) | Rule::CreditCard | Rule::PhoneNumber => true,
            Rule::Pattern(None) => !self.schema.has("pattern"),
            Rule::Pattern(Some(pattern)) => foreign_to_ecma(pattern).is_some(),
            Rule::Length { mode, min, max } if self.has("string") => {
                *mode != LengthMode::Chars && !only_emptiness(*min, *max)
            }
            _ => false,
        }
    }

    #[allow(clippy::too_many_lines)]
    fn say(
        &self,
        rule: &Rule,
        words: Option<&'static str>,
        said: &mut Said,
        problems: &mut Vec<String>,
    ) {
        match rule {
            Rule::Ascii => said.rules.push((TextRule::Ascii, None)),
            Rule::Alphanumeric => {
                said.rules.push((TextRule::Alphanumeric, None));
                said.words.push(TextRule::Alphanumeric.says());
            }
            Rule::Text(rule) => {
                said.rules.push((TextRule::Named(*rule), None));
                said.words.push(rule.says().to_owned());
            }
            Rule::Prefix(text) => said.rules.push((TextRule::Prefix((*text).into()), None)),
            Rule::Suffix(text) => said.rules.push((TextRule::Suffix((*text).into()), None)),
            Rule::Contains(text) => said.rules.push((TextRule::Contains((*text).into()), None)),
            Rule::Ip => said.rules.push((TextRule::Ip, None)),
            Rule::IpV4 => said.keywords.push(("format", json!("ipv4"))),
            Rule::IpV6 => said.keywords.push(("format", json!("ipv6"))),
            Rule::Email => said.keywords.push(("format", json!("email"))),
            Rule::Url => said.keywords.push(("format", json!("uri"))),
            Rule::Pattern(Some(pattern)) if foreign_to_ecma(pattern).is_none() => {
                said.patterns.push((*pattern).to_owned());
            }
            Rule::Pattern(None) => {
                let written = self.schema.text("pattern");
                said.patterns.extend(written.map(str::to_owned));
            }
            Rule::Length { min, max, .. } if min.zip(*max).is_some_and(|(min, max)| min > max) => {
                problems.push(format!(
                    "`{}`: no length is at least {} and at most {}: change the `length`",
                    self.at,
                    min.unwrap_or_default(),
                    max.unwrap_or_default()
                ));
            }
            Rule::Length { mode, min, max } => self.say_length(*mode, *min, *max, words, said),
            Rule::Range { min, max }
                if [min, max]
                    .into_iter()
                    .flatten()
                    .any(|limit| !is_finite(*limit)) =>
            {
                problems.push(format!(
                    "`{}`: `range` has a limit that is not a finite number: give a finite one, or \
                     leave it out",
                    self.at
                ));
            }
            Rule::Range { .. }
                if !self.has("integer")
                    && !self.has("number")
                    && !self.opaque
                    && self.schema.has("type") =>
            {
                problems.push(format!(
                    "`{}`: `range` has no meaning for what the schema describes as {}: put \
                     `#[tool_args(opaque)]` on the field",
                    self.at,
                    self.schema.member("type").unwrap_or(&Value::Null)
                ));
            }
            _ => {}
        }
    }

    fn say_length(
        &self,
        mode: LengthMode,
        min: Option<u64>,
        max: Option<u64>,
        words: Option<&'static str>,
        said: &mut Said,
    ) {
        let mut keyword = |name: &'static str, bound: Option<u64>| {
            said.keywords
                .extend(bound.map(|bound| (name, json!(bound))));
        };
        if self.has("array") {
            keyword("minItems", min);
            keyword("maxItems", max);
        } else if self.has("object") {
            keyword("minProperties", min);
            keyword("maxProperties", max);
        } else if self.has("string") {
            // Only what follows from the rule may be published: n bytes are at
            // most n characters, n graphemes at least n.
            let exact = mode == LengthMode::Chars;
            let says_min =
                exact || mode == LengthMode::Graphemes || min.is_some_and(|min| min <= 1);
            let says_max = exact || mode != LengthMode::Graphemes;
            keyword("minLength", min.filter(|_| says_min));
            keyword("maxLength", max.filter(|_| says_max));
            match mode {
                _ if exact => {}
                LengthMode::Simple | LengthMode::Bytes => {
                    said.rules
                        .push((TextRule::Bytes(min.filter(|min| *min > 1), max), words));
                }
                LengthMode::Utf16 => {
                    said.rules
                        .push((TextRule::Utf16(min.filter(|min| *min > 1), max), words));
                }
                LengthMode::Chars | LengthMode::Graphemes => {}
            }
        }
    }

    /// Returns the range, within what the Rust type can hold.
    fn bounds(
        &self,
        base: &(Option<Value>, Option<Value>),
        said: &mut Said,
        problems: &mut Vec<String>,
    ) {
        if !self.has("integer") && !self.has("number") {
            return;
        }
        let mut low = base.0.as_ref().and_then(Number::of);
        let mut high = base.1.as_ref().and_then(Number::of);
        let ranged = |rule: &Rule| matches!(rule, Rule::Range { min: Some(_), .. });
        if low.is_some()
            && self.schema.member("minimum") == Some(&json!(1))
            && !self.rules.iter().any(ranged)
        {
            // `NonZeroU8` and similar types.
            low = Some(Number::Int(1));
        }
        for rule in self.rules.iter().filter(|_| self.enforced) {
            if let Rule::Range { min, max } = rule {
                let narrower = |bound: &Number| low.is_none_or(|low| *bound > low);
                low = min.map(number).filter(narrower).or(low);
                let narrower = |bound: &Number| high.is_none_or(|high| *bound < high);
                high = max.map(number).filter(narrower).or(high);
            }
        }
        if let (Some(low), Some(high)) = (low, high)
            && low > high
        {
            problems.push(format!(
                "`{}`: no number is at least {low} and at most {high}: change the `range`",
                self.at
            ));
        }
        for (keyword, bound) in [("minimum", low), ("maximum", high)] {
            let value = bound.and_then(Number::to_value);
            said.keywords.extend(value.map(|value| (keyword, value)));
        }
    }

    /// Whether schemars derived a keyword from a rule that is published in
    /// another way, or not at all.
    fn by_rule(&self, keyword: &str, value: &Value, said: &Said) -> bool {
        by_rule(self.rules, keyword, value) || said.patterns.iter().any(|pattern| value == pattern)
    }

    fn put(self, said: Said) {
        let mut schema = std::mem::take(self.schema);
        for keyword in LIMITS {
            if schema
                .get(*keyword)
                .is_some_and(|value| self.by_rule(keyword, value, &said))
            {
                schema.remove(*keyword);
            }
        }
        if self.rules.iter().any(is_format) {
            schema.remove_member("format");
        }
        let ip = schema.remove_member(NOTES).is_some()
            && !self.rules.iter().any(|rule| matches!(rule, Rule::Ip));
        schema.extend(
            said.keywords
                .into_iter()
                .map(|(keyword, value)| (keyword.into(), value)),
        );
        let mut rules = said.rules;
        if ip {
            rules.push((TextRule::Ip, None));
        }
        let mut words = said.words;
        if let Some(Shape::Text(form)) = self.shape {
            if form.pattern.is_some() {
                schema.remove_member("format");
                schema.remove_member("pattern");
                words.push(form.says.to_owned());
            }
            rules.push((TextRule::Form(form), None));
        }
        write_text_rules(&mut schema, said.patterns, &rules);
        describe(&mut schema, &words);
        *self.schema = schema;
    }
}

/// Whether schemars turns a rule into a format.
fn is_format(rule: &Rule) -> bool {
    matches!(
        rule,
        Rule::Email | Rule::Url | Rule::Ip | Rule::IpV4 | Rule::IpV6
    )
}

/// Whether schemars derived this keyword from one of the rules.
fn by_rule(rules: &[Rule], keyword: &str, value: &Value) -> bool {
    let bound = |bound: Option<u64>| bound.is_some_and(|bound| value == &json!(bound));
    rules.iter().any(|rule| match rule {
        Rule::Length { min, .. } if keyword.starts_with("min") => bound(*min),
        Rule::Length { max, .. } if keyword.starts_with("max") => bound(*max),
        Rule::Range { min: Some(min), .. } if keyword == "minimum" => {
            number(*min).to_value().is_some_and(|min| same(&min, value))
        }
        Rule::Range { max: Some(max), .. } if keyword == "maximum" => {
            number(*max).to_value().is_some_and(|max| same(&max, value))
        }
        Rule::Contains(_) | Rule::Pattern(_) => keyword == "pattern",
        _ => false,
    })
}

/// Removes the keywords that schemars derived from rules for another place.
pub(super) fn take_out(schema: &mut Map<String, Value>, rules: &[Rule]) {
    schema.retain(|keyword, value| {
        !LIMITS.contains(&keyword.as_str()) || !by_rule(rules, keyword, value)
    });
}

/// Writes patterns, formats and the notes for the walker, which checks the
/// rules themselves and skips their published form.
fn write_text_rules(
    schema: &mut Map<String, Value>,
    patterns: Vec<String>,
    rules: &[(TextRule, Option<&'static str>)],
) {
    let mut covers = Vec::new();
    let own = patterns.len();
    let made = rules.iter().filter_map(|(rule, _)| rule.pattern());
    let mut patterns = patterns.into_iter().chain(made).enumerate();
    if let Some((index, first)) = patterns.next() {
        schema.set_member("pattern", first.into());
        if index >= own {
            covers.push("pattern");
        }
    }
    let further: Vec<Value> = patterns
        .map(|(_, pattern)| json!({ "pattern": pattern }))
        .collect();
    if !further.is_empty() {
        if own <= 1 {
            covers.push("allOf");
        }
        schema.set_member("allOf", further.into());
    }
    if rules.iter().any(|(rule, _)| *rule == TextRule::Ip) {
        covers.push("anyOf");
        schema.insert(
            "anyOf".into(),
            json!([{ "format": "ipv4" }, { "format": "ipv6" }]),
        );
    }
    if !rules.is_empty() {
        let rules: Vec<Value> = rules
            .iter()
            .map(|(rule, words)| match words {
                Some(words) => json!({ "rule": rule.to_value(), "says": words }),
                None => json!({ "rule": rule.to_value() }),
            })
            .collect();
        schema.set_member(NOTES, json!({ "rules": rules, "covers": covers }));
    }
}

/// Whether a length only requires that the text is not empty, which bytes,
/// characters and graphemes agree on.
pub(super) fn only_emptiness(min: Option<u64>, max: Option<u64>) -> bool {
    max.is_none() && min.is_none_or(|min| min <= 1)
}

pub(super) fn number(bound: Bound) -> Number {
    match bound {
        Bound::Int(int) => Number::Int(int),
        Bound::Float(float) => Number::Float(float),
    }
}

fn same(a: &Value, b: &Value) -> bool {
    a == b || matches!((Number::of(a), Number::of(b)), (Some(a), Some(b)) if a == b)
}

fn is_finite(bound: Bound) -> bool {
    match bound {
        Bound::Int(_) => true,
        Bound::Float(float) => float.is_finite(),
    }
}
