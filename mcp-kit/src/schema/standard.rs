//! Checks the whole of JSON Schema 2020-12, for run-time schemas with keywords
//! that mcp-kit's own walk does not support. The crate `jsonschema` decides,
//! and nothing is fetched. The time is limited by the size to which a schema
//! may expand, and by how deep a value may be nested in a schema that refers to
//! itself.

use std::collections::HashMap;
use std::fmt;

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::LocationSegment;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::Value;

use super::finding::Finding;
use super::text_rule::length;
use super::words::{self, Step, push_step};
use crate::support::text::excerpt;

/// The most schemas that a schema may consist of, each counted for every
/// reference to it.
const MOST_SCHEMAS: u64 = 100_000;

/// The most steps for checking a value. A value counts once for each path on
/// which recursive references may lead to it.
const MOST_STEPS: f64 = 1e6;

/// The most backtracking steps of one pattern in one text.
const MOST_BACKTRACKING: usize = 100_000;

/// A schema that `jsonschema` checks.
pub(crate) struct Standard {
    validator: Validator,
    /// The number of references that lead back to a schema that contains them.
    cycles: u32,
}

impl Standard {
    /// Compiles a schema.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the schema, for its author.
    pub(crate) fn new(schema: &Value) -> Result<Self, String> {
        let expansion = Expansion::of(schema);
        if expansion.schemas > MOST_SCHEMAS {
            return Err(format!(
                "#: the references of the schema expand to more than {MOST_SCHEMAS} schemas, \
                 which would take too long to check: refer to each schema less often"
            ));
        }
        let patterns = PatternOptions::fancy_regex().backtrack_limit(MOST_BACKTRACKING);
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .offline()
            .should_validate_formats(false)
            .with_pattern_options(patterns)
            .build(schema)
            .map_err(|error| problem(&error))?;
        Ok(Self {
            validator,
            cycles: expansion.cycles,
        })
    }

    /// Returns the first thing that is wrong with a value, if there is any.
    pub(crate) fn finding(&self, value: &Value) -> Option<Finding> {
        let ways = f64::from(self.cycles.max(1));
        if self.cycles > 1 && steps(value, 1.0, ways) > MOST_STEPS {
            return Some(Finding::new("", "are nested too deeply to be checked"));
        }
        if self.validator.is_valid(value) {
            return None;
        }
        let error = self.validator.validate(value).err()?;
        Some(finding(&error))
    }
}

impl fmt::Debug for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standard").finish_non_exhaustive()
    }
}

fn problem(error: &ValidationError<'_>) -> String {
    match error.kind() {
        Kind::Referencing(source) => format!(
            "#: a reference of the schema leads nowhere ({source}): nothing is fetched, so put \
             what it refers to under `$defs`"
        ),
        _ => format!("#{}: {error}", error.instance_path()),
    }
}

fn steps(value: &Value, weight: f64, ways: f64) -> f64 {
    let below = weight * ways;
    let inside: f64 = match value {
        Value::Array(items) => items.iter().map(|item| steps(item, below, ways)).sum(),
        Value::Object(members) => members.values().map(|one| steps(one, below, ways)).sum(),
        _ => 0.0,
    };
    weight + inside
}

/// Describes an error in the words of mcp-kit's own walk; never a value.
fn finding(error: &ValidationError<'_>) -> Finding {
    let mut path = String::new();
    for segment in error.instance_path() {
        match &segment {
            LocationSegment::Property(name) => push_step(&mut path, Step::Key(name)),
            LocationSegment::Index(index) => push_step(&mut path, Step::Index(*index)),
        }
    }
    let counted = |one, many, min: Option<u64>, max| length(one, many, min, max);
    let text = match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let name = unexpected.first().map(String::as_str).unwrap_or_default();
            return Finding::new(path, format!("unknown argument \"{}\"", excerpt(name)));
        }
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            push_step(&mut path, Step::Name(name));
            return Finding::new(path, "is required");
        }
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be greater than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::MinLength { limit } => counted("character", "characters", Some(*limit), None),
        Kind::MaxLength { limit } => counted("character", "characters", None, Some(*limit)),
        Kind::MinItems { limit } => counted("item", "items", Some(*limit), None),
        Kind::MaxItems { limit } => counted("item", "items", None, Some(*limit)),
        Kind::MinProperties { limit } => counted("member", "members", Some(*limit), None),
        Kind::MaxProperties { limit } => counted("member", "members", None, Some(*limit)),
        Kind::Pattern { pattern } => format!("must match the pattern {pattern}"),
        Kind::Constant { expected_value } => format!("must be {expected_value}"),
        Kind::Enum { options } => {
            let options = options.as_array().into_iter().flatten();
            format!("must be {}", words::list(options.map(Value::to_string)))
        }
        Kind::Type {
            kind: TypeKind::Single(one),
        } => format!("must be of the type {one}"),
        Kind::FalseSchema => "must be left out".to_owned(),
        Kind::UniqueItems => "must not contain the same item twice".to_owned(),
        Kind::PropertyNames { .. } => "has an invalid name".to_owned(),
        Kind::Contains => "does not contain the items that `contains` requires".to_owned(),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => {
            "fits none of the allowed forms".to_owned()
        }
        Kind::OneOfMultipleValid { .. } => "fits more than one of the allowed forms".to_owned(),
        Kind::AdditionalItems { .. } | Kind::UnevaluatedItems { .. } => {
            "has more items than are allowed".to_owned()
        }
        other => format!("breaks the rule `{}` of the schema", other.keyword()),
    };
    Finding::new(path, text)
}

/// The size of a schema after its references are expanded.
struct Expansion {
    schemas: u64,
    cycles: u32,
}

impl Expansion {
    fn of(root: &Value) -> Self {
        let mut names = HashMap::new();
        name_places(root, &mut names);
        let mut search = Search {
            root,
            names,
            sizes: HashMap::new(),
            open: Vec::new(),
            cycles: 0,
        };
        Self {
            schemas: search.size(root),
            cycles: search.cycles,
        }
    }
}

/// Finds the targets of references by name.
fn name_places<'s>(schema: &'s Value, names: &mut HashMap<String, &'s Value>) {
    match schema {
        Value::Object(members) => {
            for (keyword, prefix) in [("$anchor", "#"), ("$dynamicAnchor", "#"), ("$id", "")] {
                if let Some(name) = members.get(keyword).and_then(Value::as_str) {
                    names.insert(format!("{prefix}{name}"), schema);
                }
            }
            members.values().for_each(|one| name_places(one, names));
        }
        Value::Array(items) => items.iter().for_each(|one| name_places(one, names)),
        _ => {}
    }
}

struct Search<'s> {
    root: &'s Value,
    names: HashMap<String, &'s Value>,
    sizes: HashMap<*const Value, u64>,
    open: Vec<*const Value>,
    cycles: u32,
}

impl<'s> Search<'s> {
    /// Returns the number of schemas in `schema`, including those that it
    /// refers to, each counted every time.
    fn size(&mut self, schema: &'s Value) -> u64 {
        let key = std::ptr::from_ref(schema);
        if let Some(size) = self.sizes.get(&key) {
            return *size;
        }
        self.open.push(key);
        let mut size: u64 = 1;
        match schema {
            Value::Object(members) => {
                for (keyword, inner) in members {
                    let more = match (keyword.as_str(), inner.as_str()) {
                        ("$ref" | "$dynamicRef", Some(target)) => self.referred(target),
                        // Counted through the references to it.
                        ("$defs" | "definitions", _) => 0,
                        _ => self.size(inner),
                    };
                    size = size.saturating_add(more);
                }
            }
            Value::Array(items) => {
                for item in items {
                    size = size.saturating_add(self.size(item));
                }
            }
            _ => size = 0,
        }
        self.open.pop();
        self.sizes.insert(key, size);
        size
    }

    fn referred(&mut self, target: &str) -> u64 {
        let pointed = target.strip_prefix('#');
        let found = pointed
            .and_then(|pointer| self.root.pointer(pointer))
            .or_else(|| self.names.get(target).copied());
        match found {
            Some(schema) if !self.open.contains(&std::ptr::from_ref(schema)) => self.size(schema),
            // The reference leads back to itself, or to a target that only the
            // validator knows.
            _ => {
                self.cycles = self.cycles.saturating_add(1);
                1
            }
        }
    }
}
