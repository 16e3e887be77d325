//! The definition of a tool: what the client and the server know before it is
//! called.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::CommonDefinition;
use super::common::common_methods;
use crate::args::CompiledArgs;
use crate::schema::RunTime;

/// A tool's name, description, schemas and policy.
///
/// `#[tool]` makes one from the function. A tool known only at run time builds
/// it with these methods; mistakes in it are errors of
/// [`ServerBuilder::build`](crate::server::ServerBuilder::build).
///
/// ```
/// use mcp_kit::tool::ToolDefinition;
/// use serde_json::json;
///
/// let definition = ToolDefinition::new("translate", "Translates a text.")
///     .with_title("Translate")
///     .with_read_only(true)
///     .with_input_schema(json!({
///         "type": "object",
///         "properties": {"text": {"type": "string", "minLength": 1}},
///         "required": ["text"],
///         "additionalProperties": false
///     }));
/// assert_eq!(definition.name(), "translate");
/// ```
#[derive(Clone, Debug)]
pub struct ToolDefinition {
    pub(crate) common: CommonDefinition,
    pub(crate) annotations: Annotations,
    pub(crate) output_schema: Option<Value>,
    /// The schema that results are checked against.
    pub(crate) output: Option<Arc<RunTime>>,
    pub(crate) task: Option<TaskOffer>,
}

/// Which calls of a tool become tasks, and the code that makes tasks of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskOffer {
    pub(crate) support: TaskSupport,
    pub(crate) code: &'static dyn TaskCode,
}

/// The code of tasks. One value of one type in `server` is such code, and `server` alone
/// opens it; all others pass it on. A program in which no tool has it does not contain it.
pub(crate) trait TaskCode: Any + Send + Sync {}

impl fmt::Debug for dyn TaskCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaskCode")
    }
}

/// Which calls of a tool become tasks (extension `io.modelcontextprotocol/tasks`):
/// the client receives a handle, and asks for the result later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskSupport {
    /// Those of clients that declare the extension. Other clients wait for the
    /// result.
    Optional,
    /// All of 2026-07-28: a client that does not declare the extension receives
    /// an error. Clients of older versions, which have no such extension, wait
    /// for the result.
    Required,
}

/// Hints for the client about what a tool does. Clients must not trust them
/// from servers they do not trust. (Specification: `ToolAnnotations`.)
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Annotations {
    /// The tool changes nothing.
    #[serde(rename = "readOnlyHint", skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// The tool may destroy something.
    #[serde(rename = "destructiveHint", skip_serializing_if = "Option::is_none")]
    pub destructive: Option<bool>,
    /// Further calls with the same arguments change nothing more.
    #[serde(rename = "idempotentHint", skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
    /// The tool reaches an open world, such as the web.
    #[serde(rename = "openWorldHint", skip_serializing_if = "Option::is_none")]
    pub open_world: Option<bool>,
}

impl Annotations {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl ToolDefinition {
    /// Creates the definition of a tool without arguments.
    ///
    /// Names have 1 to 64 characters of `A–Z a–z 0–9 _ . -`; a model chooses
    /// the tool by its description.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        description: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::of(CommonDefinition::new(name.into(), description.into()))
    }

    /// Creates the definition of a tool with these names, arguments and limits.
    pub(crate) fn of(common: CommonDefinition) -> Self {
        Self {
            common,
            annotations: Annotations::default(),
            output_schema: None,
            output: None,
            task: None,
        }
    }

    /// Sets the JSON Schema (2020-12) of the arguments. The root must describe
    /// an object. Every call is checked against the schema as it is passed in,
    /// so a keyword that mcp-kit cannot check is an error of `build()`.
    ///
    /// Arguments that the schema does not name are refused, unless the root has
    /// `additionalProperties` or combines other schemas. `format` is an
    /// annotation, as in the standard, except for `ipv4` and `ipv6`, which are
    /// checked.
    ///
    /// mcp-kit checks most keywords itself. The feature `regex` adds `pattern`,
    /// the feature `json-schema` all others: `if`, `contains`,
    /// `dependentRequired`, `unevaluatedProperties`, references by `$anchor`
    /// and `$id`, and so on. A `$ref` is never fetched, from the network or a
    /// file.
    ///
    /// Clients get the schema in a form that every host and every model's API
    /// accepts: see [`input_schema`](Self::input_schema). A part that this form
    /// cannot express is a warning of
    /// [`Server::warnings`](crate::server::Server::warnings).
    #[must_use]
    pub fn with_input_schema(mut self, schema: Value) -> Self {
        match CompiledArgs::from_schema(schema) {
            Ok(arguments) => self.common.arguments = Arc::new(arguments),
            Err(problems) => self.common.problems.extend(problems),
        }
        self
    }

    /// Sets the JSON Schema (2020-12) of the structured content;
    /// [`with_input_schema`](Self::with_input_schema) lists the keywords that
    /// require a feature.
    ///
    /// Every result is checked against it. A result that breaks it or has no
    /// structured content is an internal error, and the log has what is wrong
    /// and where. Results that report a failure (`isError`) are not checked.
    #[must_use]
    pub fn with_output_schema(mut self, schema: Value) -> Self {
        match RunTime::of(&schema) {
            Ok(compiled) => self.output = Some(Arc::new(compiled)),
            Err(problems) => {
                let problems = problems.iter();
                self.common
                    .problems
                    .extend(problems.map(|problem| format!("output schema: {problem}")));
            }
        }
        self.output_schema = Some(crate::schema::run_time_output(schema));
        self
    }

    /// Publishes an output schema that was made from a type.
    pub(crate) fn publish_output(&mut self, schema: Value) {
        let problems = crate::schema::limit_problems(&schema);
        let of_output = problems
            .into_iter()
            .map(|problem| format!("its result: {problem}"));
        self.common.problems.extend(of_output);
        self.output_schema = Some(schema);
    }

    /// Sets whether the tool changes nothing.
    #[must_use]
    pub fn with_read_only(mut self, hint: bool) -> Self {
        self.annotations.read_only = Some(hint);
        self
    }

    /// Sets whether the tool may destroy something.
    #[must_use]
    pub fn with_destructive(mut self, hint: bool) -> Self {
        self.annotations.destructive = Some(hint);
        self
    }

    /// Sets whether further calls with the same arguments change nothing more.
    #[must_use]
    pub fn with_idempotent(mut self, hint: bool) -> Self {
        self.annotations.idempotent = Some(hint);
        self
    }

    /// Sets whether the tool reaches an open world, such as the web.
    #[must_use]
    pub fn with_open_world(mut self, hint: bool) -> Self {
        self.annotations.open_world = Some(hint);
        self
    }

    common_methods! {}

    /// Returns the tool's name on the wire.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.common.name
    }

    /// Returns the hints for the client.
    #[must_use]
    pub fn annotations(&self) -> &Annotations {
        &self.annotations
    }

    /// Returns the published schema of the arguments: the checked rules, in the
    /// form that every host and every model's API accepts. Limits outside
    /// ±(2⁵³−1) are omitted, optional members do not list `null`, and a choice
    /// between objects at the root is one object with the choice in words. All
    /// of them are checked as they were declared.
    #[must_use]
    pub fn input_schema(&self) -> &Value {
        self.common.arguments.schema()
    }

    /// Returns the published schema of the structured content.
    #[must_use]
    pub fn output_schema(&self) -> Option<&Value> {
        self.output_schema.as_ref()
    }

    /// Returns which calls become tasks; `None` if none do.
    #[must_use]
    pub fn task(&self) -> Option<TaskSupport> {
        self.task.map(|task| task.support)
    }
}
