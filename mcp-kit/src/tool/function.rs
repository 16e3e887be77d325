//! Tools made from functions: the server side of the expansion of `#[tool]`.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};

use super::{ToolDefinition, ToolResult};
use crate::call::{Call, Handler, Reply};
use crate::extract::Requirements;
use crate::handler::{Function, FunctionSpec, HandlerFuture, HandlerResult};
use crate::primitive::{Annotations, TaskOffer};
use crate::schema::RunTime;

/// A function with `#[tool]`, as a type.
///
/// The macro implements it for a struct of the function's name, which is what
/// [`ServerBuilder::tool`](crate::server::ServerBuilder::tool) takes. Its items
/// may change with every release, so do not implement it by hand; implement
/// [`Tool`](super::Tool) instead.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tool",
    label = "not a function with `#[tool]`",
    note = "write `#[tool]` above the function and name it here: `.tool::<my_function>()`"
)]
pub trait ToolFn: 'static {
    #[doc(hidden)]
    fn describe(spec: &mut ToolSpec);
    #[doc(hidden)]
    fn call(call: Call) -> HandlerFuture;
}

/// The data that `#[tool]` records about a function: a `FunctionSpec`, and
/// what only tools have.
#[derive(Debug)]
pub struct ToolSpec {
    function: FunctionSpec,
    annotations: Annotations,
    pub(crate) task: Option<TaskOffer>,
    output: Option<fn(&mut SchemaGenerator) -> Option<Schema>>,
}

#[allow(missing_docs)]
impl ToolSpec {
    pub fn read_only(&mut self, hint: bool) {
        self.annotations.read_only = Some(hint);
    }

    pub fn destructive(&mut self, hint: bool) {
        self.annotations.destructive = Some(hint);
    }

    pub fn idempotent(&mut self, hint: bool) {
        self.annotations.idempotent = Some(hint);
    }

    pub fn open_world(&mut self, hint: bool) {
        self.annotations.open_world = Some(hint);
    }

    /// Sets the function that returns the schema of the return type. The
    /// expansion names it by a qualified path, here and where it makes the
    /// result: the compiler then reports a wrong return type once, not twice.
    pub fn output(&mut self, schema: fn(&mut SchemaGenerator) -> Option<Schema>) {
        self.output = Some(schema);
    }

    fn definition(self) -> (ToolDefinition, Requirements) {
        let mut definition = ToolDefinition::of(self.function.common);
        definition.annotations = self.annotations;
        definition.task = self.task;
        let mut generator = SchemaSettings::draft2020_12()
            .for_serialize()
            .with(|settings| settings.inline_subschemas = true) // unless recursive
            .into_generator();
        if let Some(schema) = self.output.and_then(|schema| schema(&mut generator)) {
            let published = crate::schema::typed_output(schema);
            definition.output = Some(Arc::new(RunTime::of_output(&published)));
            definition.publish_output(published);
        }
        (definition, self.function.requirements)
    }
}

impl Deref for ToolSpec {
    type Target = FunctionSpec;

    fn deref(&self) -> &FunctionSpec {
        &self.function
    }
}

impl DerefMut for ToolSpec {
    fn deref_mut(&mut self) -> &mut FunctionSpec {
        &mut self.function
    }
}

/// A result without content gets words, also one of a conversion that users
/// wrote.
impl HandlerResult for ToolResult {
    fn into_reply(self) -> Reply {
        Reply::Tool(self.in_words())
    }
}

/// Returns the requirements of a `#[tool]` function, and its definition.
pub(crate) fn describe<T: ToolFn>() -> (ToolDefinition, Requirements, impl Handler) {
    let mut spec = ToolSpec {
        function: FunctionSpec::new(),
        annotations: Annotations::default(),
        task: None,
        output: None,
    };
    T::describe(&mut spec);
    let (definition, requirements) = spec.definition();
    (definition, requirements, Function(T::call))
}
