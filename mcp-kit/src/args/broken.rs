//! Reports garde's findings with the names on the wire and the author's words.
//!
//! The walk of the schema reports most of garde's findings, in more detail. The
//! rest are rules that a schema cannot express. garde's own texts are never
//! shown: a custom rule may have put a value into one.

use super::rules::{number, only_emptiness};
use super::shape::{
    EnumShape, FieldShape, LengthMode, Repr, Rule, Shape, VariantKind, VariantShape,
};
use crate::schema::{Finding, Step, TextRule, child_item, child_member, length, push_step};

/// garde's findings above this number are not examined.
const MAX_LOOKED_INTO: usize = 50;

/// Returns what garde found and the walk did not.
pub(super) fn unsaid(
    report: &garde::Report,
    shape: &'static Shape,
    raw: &str,
    said: &[Finding],
) -> Vec<Finding> {
    let mut places: Vec<(String, Target, usize)> = Vec::new();
    for (path, _) in report.iter().take(MAX_LOOKED_INTO) {
        let (place, target) = find(&components(path), shape, raw);
        match places.iter_mut().find(|(known, ..)| *known == place) {
            Some((.., count)) => *count += 1,
            None => places.push((place, target, 1)),
        }
    }
    let mut found = Vec::new();
    for (place, target, count) in places {
        let known = said
            .iter()
            .filter(|finding| {
                finding.path == place || target.hidden && finding.path.starts_with(&place)
            })
            .count();
        let left = count.saturating_sub(known);
        if left > 0 {
            let texts = target.texts(left);
            found.extend(
                texts
                    .into_iter()
                    .map(|text| Finding::new(place.clone(), text)),
            );
        }
    }
    found
}

/// Whether each of garde's findings is at a place with a rule in words only,
/// which the schema cannot know.
#[cfg(feature = "testing")]
pub(crate) fn only_worded(report: &garde::Report, shape: &'static Shape, raw: &str) -> bool {
    report.iter().all(|(path, _)| {
        let (_, target) = find(&components(path), shape, raw);
        !target.words.is_empty() || target.rules.iter().any(only_garde_checks)
    })
}

/// Returns the components of garde's path, which are available only through a
/// hidden function. This is the only use of it.
fn components(path: &garde::Path) -> Vec<String> {
    let mut components: Vec<String> = path
        .__iter()
        .map(|(_, component)| component.to_string())
        .collect();
    components.reverse();
    components
}

/// The target of a path.
struct Target {
    rules: &'static [Rule],
    words: &'static [&'static str],
    /// The path continues inside an opaque value.
    hidden: bool,
}

impl Target {
    /// Returns the reports of so many findings that the schema does not show.
    fn texts(&self, left: usize) -> Vec<String> {
        let needing = self.rules.iter().filter(|rule| needs_words(rule)).count();
        let paired = needing == self.words.len();
        let mut texts: Vec<String> = if paired {
            Vec::new()
        } else {
            self.words.iter().map(|words| (*words).to_owned()).collect()
        };
        let mut words = self.words.iter();
        for rule in self.rules {
            let own = if needs_words(rule) && paired {
                words.next()
            } else {
                None
            };
            match own {
                Some(own) if only_garde_checks(rule) => texts.push((*own).to_owned()),
                Some(_) => {}
                None if only_garde_checks(rule) && !needs_words(rule) => texts.push(said_of(rule)),
                None => {}
            }
        }
        if texts.is_empty() {
            texts = self
                .rules
                .iter()
                .filter(|rule| is_rule(rule))
                .map(said_of)
                .collect();
        }
        match texts.len() {
            0 => vec!["has an invalid value".into()],
            count if count <= left => texts,
            _ => vec![format!("breaks one of these rules: {}", texts.join(", "))],
        }
    }
}

fn is_rule(rule: &Rule) -> bool {
    !matches!(rule, Rule::Skip | Rule::Dive | Rule::Inner(_))
}

fn needs_words(rule: &Rule) -> bool {
    match rule {
        Rule::Custom
        | Rule::Matches(_)
        | Rule::Pattern(None)
        | Rule::CreditCard
        | Rule::PhoneNumber => true,
        Rule::Length { mode, min, max } => {
            *mode != LengthMode::Chars && !only_emptiness(*min, *max)
        }
        _ => false,
    }
}

fn only_garde_checks(rule: &Rule) -> bool {
    match rule {
        Rule::Custom
        | Rule::Matches(_)
        | Rule::Pattern(None)
        | Rule::Email
        | Rule::Url
        | Rule::CreditCard
        | Rule::PhoneNumber => true,
        Rule::Pattern(Some(_)) => !cfg!(feature = "regex"),
        Rule::Length { mode, min, max } => {
            *mode == LengthMode::Graphemes && !only_emptiness(*min, *max)
        }
        _ => false,
    }
}

/// The way along one of garde's paths, with the path on the wire.
struct Way<'t> {
    path: String,
    shape: &'static Shape,
    target: Target,
    text: Option<&'t str>,
}

fn find(components: &[String], shape: &'static Shape, raw: &str) -> (String, Target) {
    let target = Target {
        rules: &[],
        words: words_of(shape),
        hidden: false,
    };
    let mut way = Way {
        path: String::new(),
        shape,
        target,
        text: Some(raw),
    };
    for component in components {
        if !way.step(component) {
            way.target.hidden = true;
            break;
        }
    }
    if way.target.rules.iter().all(|rule| !is_rule(rule)) && way.target.words.is_empty() {
        way.enter_transparent();
    }
    if way.target.rules.iter().all(|rule| !is_rule(rule)) && way.target.words.is_empty() {
        way.target.words = words_of(way.shape);
    }
    (way.path, way.target)
}

/// Returns the words of a struct's own rules.
fn words_of(shape: &'static Shape) -> &'static [&'static str] {
    match super::publish::resolve(shape) {
        Shape::Struct(of) => of.words,
        _ => &[],
    }
}

impl<'t> Way<'t> {
    /// Follows one component; returns false if it leads nowhere that is known.
    fn step(&mut self, component: &str) -> bool {
        if component.is_empty() {
            // `inner` of an `Option`.
            self.target = self.inner();
            return true;
        }
        self.enter_transparent();
        let shape = super::publish::resolve(self.shape);
        match shape {
            Shape::Newtype(field) if field.rust == component => {
                self.enter(field);
                true
            }
            Shape::Struct(of) => self.field(of.fields, component),
            Shape::Enum(of) => self.variant(of, component),
            Shape::Tuple(fields) => self.positional(fields, component),
            Shape::List(item) | Shape::Array(_, item) | Shape::Set(item) => {
                let index = component.parse::<usize>().ok();
                match (shape, index) {
                    (Shape::List(_) | Shape::Array(..), Some(index)) => {
                        push_step(&mut self.path, Step::Index(index));
                        self.text = self.text.and_then(|text| child_item(text, index));
                    }
                    _ => {
                        self.path.push_str("[…]");
                        self.text = None;
                    }
                }
                self.target = self.inner();
                self.shape = item();
                true
            }
            Shape::Map(_, value) => {
                push_step(&mut self.path, Step::Key(component));
                let member = self
                    .text
                    .and_then(|text| child_member(text, |n| n == component));
                self.text = member.map(|(_, text)| text);
                self.target = self.inner();
                self.shape = value();
                true
            }
            Shape::Leaf
            | Shape::Scalar { .. }
            | Shape::Text(_)
            | Shape::Said(..)
            | Shape::Same(_)
            | Shape::Optional(_)
            | Shape::Newtype(_) => false,
        }
    }

    fn inner(&self) -> Target {
        let rules = self.target.rules.iter().find_map(|rule| match rule {
            Rule::Inner(rules) => Some(*rules),
            _ => None,
        });
        // Words on a field may describe its items.
        let words = if rules.is_some() {
            self.target.words
        } else {
            &[]
        };
        Target {
            rules: rules.unwrap_or_default(),
            words,
            hidden: false,
        }
    }

    /// Passes through the types that garde gives no component.
    fn enter_transparent(&mut self) {
        loop {
            let fields = match super::publish::resolve(self.shape) {
                Shape::Newtype(field) => std::slice::from_ref(*field),
                Shape::Struct(of) => of.fields,
                _ => return,
            };
            match fields {
                [only] if only.rust.is_empty() => {
                    if matches!(super::publish::resolve(self.shape), Shape::Struct(_)) {
                        self.push_member(only.wire, only.aliases);
                    }
                    self.enter(only);
                }
                _ => return,
            }
        }
    }

    /// Stays at the place, one type further in.
    fn enter(&mut self, field: &'static FieldShape) {
        self.target = Target {
            rules: field.rules,
            words: field.words,
            hidden: false,
        };
        self.shape = (field.shape)();
    }

    fn field(&mut self, fields: &'static [FieldShape], component: &str) -> bool {
        let name = |rust: &str| rust.trim_start_matches("r#") == component.trim_start_matches("r#");
        let Some(field) = fields.iter().find(|field| name(field.rust)) else {
            return false;
        };
        if !field.flatten {
            push_step(&mut self.path, Step::Name(field.wire));
            let known = |name: &str| name == field.wire || field.aliases.contains(&name);
            self.text = self
                .text
                .and_then(|text| child_member(text, known))
                .map(|(_, text)| text);
        }
        self.enter(field);
        true
    }

    fn positional(&mut self, fields: &'static [FieldShape], component: &str) -> bool {
        let index = component.parse::<usize>().ok();
        let Some((index, field)) = index.and_then(|index| Some((index, fields.get(index)?))) else {
            return false;
        };
        push_step(&mut self.path, Step::Index(index));
        self.text = self.text.and_then(|text| child_item(text, index));
        self.enter(field);
        true
    }

    /// Finds the variant, whose name garde omits: the text shows which it is.
    fn variant(&mut self, of: &'static EnumShape, component: &str) -> bool {
        let Some(variant) = self.given_variant(of, component) else {
            return false;
        };
        match of.repr {
            Repr::External => self.push_member(variant.wire, variant.aliases),
            Repr::Adjacent { content, .. } => self.push_member(content, &[]),
            Repr::Internal { .. } | Repr::Untagged => {}
        }
        match &variant.kind {
            VariantKind::Unit => false,
            VariantKind::Newtype(field) => {
                self.enter(field);
                true
            }
            VariantKind::Tuple(fields) => self.positional(fields, component),
            VariantKind::Struct(fields) => self.field(fields, component),
        }
    }

    fn push_member(&mut self, name: &'static str, aliases: &'static [&'static str]) {
        push_step(&mut self.path, Step::Name(name));
        let known = |given: &str| given == name || aliases.contains(&given);
        self.text = self
            .text
            .and_then(|text| child_member(text, known))
            .map(|(_, text)| text);
    }

    fn given_variant(
        &self,
        of: &'static EnumShape,
        component: &str,
    ) -> Option<&'static VariantShape> {
        let named = |variant: &VariantShape, name: &str| {
            variant.wire == name || variant.aliases.contains(&name)
        };
        let text = self.text?;
        match of.repr {
            Repr::External => {
                let known = |name: &str| of.variants.iter().any(|variant| named(variant, name));
                let (name, _) = child_member(text, known)?;
                of.variants.iter().find(|variant| named(variant, &name))
            }
            Repr::Internal { tag } | Repr::Adjacent { tag, .. } => {
                let (_, value) = child_member(text, |name| name == tag)?;
                let value: String = serde_json::from_str(value).ok()?;
                of.variants.iter().find(|variant| named(variant, &value))
            }
            Repr::Untagged => of.variants.iter().find(|variant| match &variant.kind {
                VariantKind::Unit => false,
                VariantKind::Newtype(_) => component == "0",
                VariantKind::Tuple(fields) => component
                    .parse::<usize>()
                    .is_ok_and(|index| index < fields.len()),
                VariantKind::Struct(fields) => fields.iter().any(|field| field.rust == component),
            }),
        }
    }
}

/// Returns a rule that only garde checks, as it follows `query: ` in a report.
fn said_of(rule: &Rule) -> String {
    match rule {
        Rule::Ascii => TextRule::Ascii.says(),
        Rule::Alphanumeric => TextRule::Alphanumeric.says(),
        Rule::Prefix(text) => TextRule::Prefix((*text).into()).says(),
        Rule::Suffix(text) => TextRule::Suffix((*text).into()).says(),
        Rule::Contains(text) => TextRule::Contains((*text).into()).says(),
        Rule::Ip => TextRule::Ip.says(),
        Rule::IpV4 => TextRule::IpV4.says(),
        Rule::IpV6 => TextRule::IpV6.says(),
        Rule::Email => "must be an email address".into(),
        Rule::Url => "must be a URL".into(),
        Rule::CreditCard => "must be a credit card number".into(),
        Rule::PhoneNumber => "must be a phone number".into(),
        Rule::Text(rule) => rule.says().into(),
        Rule::Required => "is required".into(),
        Rule::Pattern(Some(pattern)) => format!("must match the pattern {pattern}"),
        Rule::Length { mode, min, max } => {
            let (one, many) = match mode {
                LengthMode::Simple => ("unit of length", "units of length"),
                LengthMode::Bytes => ("byte of UTF-8", "bytes of UTF-8"),
                LengthMode::Chars => ("character", "characters"),
                LengthMode::Graphemes => ("visible character", "visible characters"),
                LengthMode::Utf16 => ("UTF-16 unit", "UTF-16 units"),
            };
            length(one, many, *min, *max)
        }
        Rule::Range { min, max } => match (min.map(number), max.map(number)) {
            (Some(min), Some(max)) => format!("must be from {min} to {max}"),
            (Some(min), None) => format!("must be at least {min}"),
            (None, Some(max)) => format!("must be at most {max}"),
            (None, None) => "has an invalid value".into(),
        },
        Rule::Pattern(None)
        | Rule::Matches(_)
        | Rule::Custom
        | Rule::Inner(_)
        | Rule::Skip
        | Rule::Dive => "has an invalid value".into(),
    }
}
