//! A tool's arguments, compiled once when the server is built.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::shape::Shape;
use super::{ArgsSpec, ArgumentNames, DecodeError, Violations, broken, publish, repeats};
use crate::schema;
use crate::schema::{Coerced, Finding, Rewrites, RunTime, Standard, Validator};
use crate::support::json::Members as _;

/// What a tool accepts: the published schema, and the decoder that enforces it.
#[derive(Debug)]
pub struct CompiledArgs {
    schema: Value,
    pub(super) validator: Validator,
    /// Checks what the validator does not support of a run-time tool's schema.
    standard: Option<Standard>,
    decoder: Decoder,
}

#[derive(Debug)]
enum Decoder {
    Typed {
        decode: fn(&str) -> Result<Box<dyn Any + Send>, DecodeError>,
        shape: &'static Shape,
        /// Whether serde may decode one place repeatedly.
        repeats: bool,
    },
    Json,
}

/// Arguments that are valid.
#[derive(Debug)]
pub enum Decoded {
    /// The tool's own argument struct.
    Typed(Box<dyn Any + Send>),
    /// A run-time tool's arguments.
    Json(Map<String, Value>),
}

impl CompiledArgs {
    /// Returns the arguments of a tool without any: only `{}`.
    pub fn none() -> Self {
        let schema = serde_json::json!({ "type": "object", "properties": {}, "additionalProperties": false });
        let validator = schema::typed(&schema);
        Self {
            schema,
            validator,
            standard: None,
            decoder: Decoder::Json,
        }
    }

    /// Compiles a type that derives `ToolArgs`.
    ///
    /// # Errors
    ///
    /// Returns every disagreement between the type's schema and its checks,
    /// each with the type, the field and the fix.
    pub fn of(spec: &ArgsSpec) -> Result<Self, Vec<String>> {
        if let Some(missing) = spec.missing {
            return Err(vec![format!("`{}`: {missing}", spec.type_name)]);
        }
        let noted = publish::publish(spec)?;
        Ok(Self {
            validator: schema::typed(&noted),
            schema: schema::typed_input(noted),
            standard: None,
            decoder: Decoder::Typed {
                decode: spec.decode,
                shape: (spec.shape)(),
                repeats: repeats::can_repeat((spec.shape)()),
            },
        })
    }

    /// Compiles a JSON Schema (2020-12) that is known only at run time.
    ///
    /// Calls are checked against the schema as it is passed in. Clients see it
    /// in the form that every host accepts; see [`schema`](Self::schema).
    ///
    /// The root must describe an object. Arguments that it does not name are
    /// refused, unless it has `additionalProperties` itself or combines other
    /// schemas. `format` is an annotation, as in the standard, except `ipv4`
    /// and `ipv6`, which are checked. Annotations that the standard does not
    /// know are kept.
    ///
    /// mcp-kit checks most keywords itself. The feature `regex` adds `pattern`,
    /// the feature `json-schema` everything else: `if`, `contains`,
    /// `dependentRequired`, `unevaluatedProperties`, references by `$anchor`
    /// and `$id`, and so on. No `$ref` is ever fetched, from the network or a
    /// file.
    ///
    /// # Errors
    ///
    /// Returns the keywords that are malformed, and those that would not be
    /// checked, each with its place and the feature that checks it.
    pub fn from_schema(mut schema: Value) -> Result<Self, Vec<String>> {
        let Some(root) = schema.as_object_mut() else {
            return Err(vec!["#: an input schema has to be an object".into()]);
        };
        match root.member("type") {
            None => {
                root.set_member("type", "object".into());
            }
            Some(kind) if kind == "object" => {}
            Some(_) => return Err(vec!["#: an input schema has to have `type: object`".into()]),
        }
        let combined = [
            "$dynamicRef",
            "$ref",
            "allOf",
            "anyOf",
            "dependentSchemas",
            "if",
            "oneOf",
            "patternProperties",
            "unevaluatedProperties",
        ];
        if !combined.iter().any(|keyword| root.contains_key(*keyword)) {
            root.member_or("additionalProperties", false.into());
        }
        let RunTime { walker, standard } = RunTime::of(&schema)?;
        Ok(Self {
            schema: schema::run_time_input(schema),
            validator: walker,
            standard,
            decoder: Decoder::Json,
        })
    }

    /// Returns the published `inputSchema`: the checked rules, in the form that
    /// every host and every model's API accepts. Limits outside ±(2⁵³−1) are
    /// omitted, optional members do not list `null`, and a choice between
    /// objects at the root is one object with the choice in words; all of them
    /// are checked as they were declared.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// Decodes and checks one call's `arguments`: the JSON text of an object.
    /// `None` and `null` count as `{}`.
    ///
    /// A value that a host wrote differently than the schema describes is
    /// accepted if it has one reading: `5.0` for an integer, `"5"` for a
    /// number, JSON text at a place without texts, `null` for an optional
    /// argument.
    ///
    /// # Errors
    ///
    /// Returns everything that is wrong with the arguments, as far as it can be
    /// found.
    pub fn decode(&self, raw: Option<&str>) -> Result<Decoded, Violations> {
        self.accept(raw, &Acceptance::default())
            .map(|accepted| accepted.decoded)
    }

    /// Decodes and checks one call's `arguments` like [`decode`](Self::decode),
    /// and accepts only what the published schema admits.
    ///
    /// # Errors
    ///
    /// Returns everything that is wrong with the arguments, as far as it can be
    /// found.
    pub fn decode_strictly(&self, raw: Option<&str>) -> Result<Decoded, Violations> {
        let options = Acceptance {
            strict: true,
            ..Acceptance::default()
        };
        self.accept(raw, &options).map(|accepted| accepted.decoded)
    }

    /// Decodes and checks one call's `arguments` with a server's options.
    pub(crate) fn accept(
        &self,
        raw: Option<&str>,
        options: &Acceptance,
    ) -> Result<Accepted, Violations> {
        let raw = text_of(raw);
        // If any name is accepted, the ignored ones must be removed first.
        if !options.ignored.is_empty()
            && self.validator.is_open()
            && let Some(left) = self.validator.without(raw, &options.ignored)
        {
            return self.accept_rest(left, options);
        }
        match self.strictly(raw) {
            Ok(decoded) => Ok(Accepted {
                decoded,
                rewritten: None,
                normalised: 0,
            }),
            Err(refusal) => match self.validator.without(raw, &options.ignored) {
                Some(left) => self.accept_rest(left, options),
                None => self.normalised(raw, refusal, options),
            },
        }
    }

    /// Decodes the rest of the arguments, without the ignored ones.
    fn accept_rest(&self, left: String, options: &Acceptance) -> Result<Accepted, Violations> {
        let mut accepted = match self.strictly(&left) {
            Ok(decoded) => Accepted {
                decoded,
                rewritten: None,
                normalised: 0,
            },
            Err(refusal) => self.normalised(&left, refusal, options)?,
        };
        accepted.rewritten.get_or_insert(left.into());
        Ok(accepted)
    }

    /// Decodes the arguments as they are written.
    fn strictly(&self, raw: &str) -> Result<Decoded, Refusal> {
        match &self.decoder {
            Decoder::Typed {
                shape,
                repeats: true,
                ..
            } if let Some(top) = repeats::too_much(shape, raw) => Err(Refusal::TooMuch(top)),
            Decoder::Typed { .. } if self.validator.forbids_decoding(raw) => Err(Refusal::Schema),
            Decoder::Typed { decode, .. } => match decode(raw) {
                Ok(value) if self.validator.admits_names(raw) => Ok(Decoded::Typed(value)),
                Ok(_) => Err(Refusal::Schema),
                Err(DecodeError::Json(error)) => Err(Refusal::Serde(error)),
                Err(DecodeError::Rules(report)) => Err(Refusal::Garde(report)),
            },
            Decoder::Json if self.validator.admits_strictly(raw) => self.json(raw),
            Decoder::Json => Err(Refusal::Schema),
        }
    }

    /// Decodes a run-time tool's arguments, which the validator admits.
    fn json(&self, raw: &str) -> Result<Decoded, Refusal> {
        let map = serde_json::from_str(raw).map_err(Refusal::Serde)?;
        let value = Value::Object(map);
        let is_right = |standard: &Standard| standard.finding(&value).is_none();
        if !self.standard.as_ref().is_none_or(is_right) {
            return Err(Refusal::Schema);
        }
        match value {
            Value::Object(map) => Ok(Decoded::Json(map)),
            _ => Err(Refusal::Schema),
        }
    }

    /// Decodes the arguments after rewriting everything that has one reading.
    #[cold]
    fn normalised(
        &self,
        raw: &str,
        mut refusal: Refusal,
        options: &Acceptance,
    ) -> Result<Accepted, Violations> {
        if let Refusal::TooMuch(_) = refusal {
            return Err(self.violations(raw, refusal, None));
        }
        // Opaque places last: a type may accept there what its schema refuses.
        let passes = [false, true].map(|opaque| Rewrites {
            lenient: !options.strict,
            opaque,
        });
        let mut reported = Cow::Borrowed(raw);
        let mut before: Option<Coerced> = None;
        for rewrites in passes {
            let coerced = self.validator.coerce(raw, rewrites);
            let Some(coerced) = coerced.filter(|now| before.as_ref() != Some(now)) else {
                continue;
            };
            match self.strictly(&coerced.text) {
                Ok(decoded) => {
                    return Ok(Accepted {
                        decoded,
                        normalised: coerced.places,
                        rewritten: Some(coerced.text.into()),
                    });
                }
                // The places are the same, and more of their rules can be
                // reported.
                Err(again) if before.is_none() && !rewrites.opaque => {
                    refusal = again;
                    reported = Cow::Owned(coerced.text.clone());
                }
                Err(_) => {}
            }
            before = Some(coerced);
        }
        // A schema admits a whole number that no integer type holds.
        if matches!(self.decoder, Decoder::Json)
            && self.validator.admits(raw)
            && let Ok(decoded) = self.json(raw)
        {
            return Ok(Accepted {
                decoded,
                rewritten: None,
                normalised: 0,
            });
        }
        Err(self.violations(&reported, refusal, self.shape()))
    }

    /// Returns the shape of the argument struct; `None` if only a schema is
    /// known.
    pub(super) fn shape(&self) -> Option<&'static Shape> {
        match self.decoder {
            Decoder::Typed { shape, .. } => Some(shape),
            Decoder::Json => None,
        }
    }

    fn violations(&self, raw: &str, refusal: Refusal, shape: Option<&'static Shape>) -> Violations {
        if let Refusal::TooMuch(top) = refusal {
            let text = match top {
                "" => "are nested too deeply to be decoded: send fewer levels",
                _ => "is nested too deeply to be decoded: send fewer levels",
            };
            let mut path = String::new();
            if !top.is_empty() {
                schema::push_step(&mut path, schema::Step::Name(top));
            }
            return Violations::new(vec![Finding::new(path, text)]);
        }
        let mut findings = self.validator.findings(raw);
        if let Some(standard) = &self.standard
            && findings.is_empty()
            && let Ok(value) = serde_json::from_str(raw)
        {
            findings.extend(standard.finding(&value));
        }
        match (refusal, shape) {
            (Refusal::Serde(error), _) => {
                let mut path = schema::place_of(raw, error.line(), error.column());
                if path.is_empty() && findings.is_empty() && error.is_data() {
                    path = schema::last_member(raw);
                }
                // At the place where serde stopped or inside it, or around it.
                let told = |finding: &Finding| {
                    finding.path.starts_with(&path)
                        || !finding.is_of_names() && path.starts_with(&finding.path)
                };
                if !findings.iter().any(told) {
                    let says = unreadable(&error).or_else(|| self.validator.says_of(raw, &path));
                    let text = match says {
                        Some(says) => says.to_owned(),
                        None if path.is_empty() => "are invalid".to_owned(),
                        None => "has an invalid value".to_owned(),
                    };
                    findings.insert(0, Finding::new(path, text));
                }
            }
            (Refusal::Garde(report), Some(shape)) => {
                let unsaid = broken::unsaid(&report, shape, raw, &findings);
                // Unknown names stay at the end.
                let end = findings
                    .iter()
                    .position(Finding::is_of_names)
                    .unwrap_or(findings.len());
                findings.splice(end..end, unsaid);
            }
            _ => {}
        }
        if findings.is_empty() {
            findings.push(Finding::new("", "are invalid"));
        }
        Violations::new(findings)
    }

    /// Returns the names in one call's `arguments`, for a log line.
    pub fn argument_names(&self, raw: Option<&str>) -> ArgumentNames<'_> {
        self.argument_names_under(raw, &Acceptance::default())
    }

    /// Returns the names in one call's `arguments` without the ignored ones.
    pub(crate) fn argument_names_under(
        &self,
        raw: Option<&str>,
        options: &Acceptance,
    ) -> ArgumentNames<'_> {
        let ignored = |name: &str| options.ignored.iter().any(|ignored| ignored == name);
        let (known, unknown) = self.validator.top_names(text_of(raw), ignored);
        ArgumentNames { known, unknown }
    }
}

/// Describes what `serde_json` refuses at any place: its kinds of errors are
/// known by their texts only.
fn unreadable(error: &serde_json::Error) -> Option<&'static str> {
    let text = error.is_syntax().then(|| error.to_string())?;
    let is = |part| text.contains(part);
    if is("hex escape") || is("unicode code point") {
        Some("must be valid Unicode text")
    } else if is("number out of range") {
        Some("is too large a number")
    } else {
        is("recursion limit").then_some("is nested too deeply")
    }
}

/// How a server treats arguments that are not written as the schema describes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Acceptance {
    /// Accepts only what the published schema admits.
    pub(crate) strict: bool,
    /// Names that are dropped if the tool does not declare them.
    pub(crate) ignored: Arc<[String]>,
}

/// Valid arguments, and how they were accepted.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) decoded: Decoded,
    /// The text that was decoded, if it is not the client's.
    pub(crate) rewritten: Option<Box<str>>,
    /// How many places were rewritten to match the schema.
    pub(crate) normalised: usize,
}

/// The check that refuses the arguments.
enum Refusal {
    Serde(serde_json::Error),
    Garde(garde::Report),
    /// serde and garde accept what the schema does not.
    Schema,
    /// Decoding this top-level member would take too much work.
    TooMuch(&'static str),
}

fn text_of(raw: Option<&str>) -> &str {
    raw.map(str::trim)
        .filter(|raw| *raw != "null")
        .unwrap_or("{}")
}
