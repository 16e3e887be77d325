//! Tools made of functions: what `#[tool]` expands to meets the server here.
//! Types are erased at this boundary, so that little is compiled in the
//! crate that uses the macro.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};

use super::{Tool, ToolDefinition, ToolError, ToolResult};
use crate::args::{ArgsSpec, CompiledArgs, ToolArgs};
use crate::call::Call;
use crate::extract::{FromContext, Requirements};
use crate::limits::Rate;
use crate::primitive::WarningCode;
use crate::schema::RunTime;
use crate::support::panics::{Discarded, contain_in, discard};

/// The future of a call.
pub type ToolFuture = Pin<Box<dyn Future<Output = Result<ToolResult, ToolError>> + Send + 'static>>;

/// A function with `#[tool]`, as a type.
///
/// The macro implements it for a struct of the function's name, which is what
/// [`ServerBuilder::tool`](crate::server::ServerBuilder::tool) takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no tool",
    label = "not a function with `#[tool]`",
    note = "write `#[tool]` above the function and name it here: `.tool::<my_function>()`"
)]
pub trait ToolFn: 'static {
    #[doc(hidden)]
    fn describe(spec: &mut ToolSpec);
    #[doc(hidden)]
    fn call(call: Call) -> ToolFuture;
}

/// What a parameter of a `#[tool]` function may be: one struct of arguments
/// ([`ToolArgs`]) and any number of things from the context
/// ([`FromContext`]). `M` distinguishes the two and is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a tool",
    label = "neither an argument struct nor something from the context",
    note = "an argument struct derives `Deserialize`, `JsonSchema`, `Validate` and `ToolArgs`; from the context come `State<T>` (`T: Clone + Send + Sync + 'static`), `Extension<T>`, `Principal`, `RequestInfo`, `Progress`, `Cancellation`, `Server` and your own types that implement `FromContext`"
)]
pub trait FromToolCall<M>: Sized {
    #[doc(hidden)]
    const IS_ARGS: bool;
    #[doc(hidden)]
    fn describe(spec: &mut ToolSpec);
    #[doc(hidden)]
    fn from_tool_call(call: &mut Call) -> Result<Self, ToolError>;
}

#[doc(hidden)]
#[derive(Debug)]
pub struct ViaArgs;

#[doc(hidden)]
#[derive(Debug)]
pub struct ViaContext;

impl<T: ToolArgs> FromToolCall<ViaArgs> for T {
    const IS_ARGS: bool = true;

    fn describe(spec: &mut ToolSpec) {
        spec.arguments(T::__spec());
    }

    fn from_tool_call(call: &mut Call) -> Result<Self, ToolError> {
        call.take_arguments()
    }
}

impl<T: FromContext> FromToolCall<ViaContext> for T {
    const IS_ARGS: bool = false;

    fn describe(spec: &mut ToolSpec) {
        T::requires(&mut spec.requirements);
    }

    fn from_tool_call(call: &mut Call) -> Result<Self, ToolError> {
        T::from_context(call)
    }
}

/// What the macro writes down of a function.
#[derive(Debug)]
pub struct ToolSpec {
    definition: ToolDefinition,
    requirements: Requirements,
}

#[allow(missing_docs)]
impl ToolSpec {
    fn new() -> Self {
        Self {
            definition: ToolDefinition::new("", ""),
            requirements: Requirements::default(),
        }
    }

    pub fn name(&mut self, name: &'static str) {
        self.definition.name = Cow::Borrowed(name);
    }

    pub fn title(&mut self, title: &'static str) {
        self.definition.title = Some(Cow::Borrowed(title));
    }

    pub fn description(&mut self, description: &'static str) {
        self.definition.description = Cow::Borrowed(description);
    }

    pub fn read_only(&mut self, hint: bool) {
        self.definition.annotations.read_only = Some(hint);
    }

    pub fn destructive(&mut self, hint: bool) {
        self.definition.annotations.destructive = Some(hint);
    }

    pub fn idempotent(&mut self, hint: bool) {
        self.definition.annotations.idempotent = Some(hint);
    }

    pub fn open_world(&mut self, hint: bool) {
        self.definition.annotations.open_world = Some(hint);
    }

    pub fn timeout(&mut self, timeout: Duration) {
        self.definition.timeout = Some(timeout);
    }

    pub fn rate(&mut self, rate: Rate) {
        self.definition.rate = Some(rate);
    }

    pub fn concurrency(&mut self, calls: usize) {
        self.definition.concurrency = Some(calls);
    }

    pub fn result_bytes(&mut self, bytes: usize) {
        self.definition.result_bytes = Some(bytes);
    }

    pub fn accept_warning(&mut self, code: WarningCode) {
        self.definition.accepted_warnings.push(code);
    }

    pub fn scope(&mut self, scope: &'static str) {
        self.definition.scope = Some(Cow::Borrowed(scope));
    }

    fn arguments(&mut self, spec: ArgsSpec) {
        match CompiledArgs::of(&spec) {
            Ok(arguments) => self.definition.arguments = arguments,
            Err(problems) => self.definition.problems.extend(problems),
        }
    }

    /// The function runs on the blocking pool.
    pub fn blocking(&mut self) {
        self.definition.blocking = true;
    }

    /// `schema` is `output_schema` of the return type. The expansion names it by
    /// a qualified path, here as where it makes the result: the compiler then
    /// tells a wrong return type once, not twice.
    pub fn output(&mut self, schema: fn(&mut SchemaGenerator) -> Option<Schema>) {
        let mut generator = SchemaSettings::draft2020_12()
            .for_serialize()
            .with(|settings| settings.inline_subschemas = true) // unless recursive
            .into_generator();
        if let Some(schema) = schema(&mut generator) {
            let published = crate::schema::typed_output(schema);
            self.definition.output = Some(RunTime::of_output(&published));
            self.definition.publish_output(published);
        }
    }
}

/// Runs a blocking function on the blocking pool.
///
/// The call, and with it every permit, moves into the closure: a caller that
/// gave up does not free what the closure still uses.
pub fn run_blocking(
    mut call: Call,
    run: fn(&mut Call) -> Result<ToolResult, ToolError>,
) -> ToolFuture {
    Box::pin(async move {
        let span = tracing::Span::current();
        let running = tokio::task::spawn_blocking(move || {
            // The pool may have had no thread until the caller was answered.
            let outcome = if call.context().is_cancelled() {
                Err(ToolError::internal("the call ended before it began"))
            } else {
                contain_in(&span, || run(&mut call)).unwrap_or_else(Err)
            };
            // What middlewares attached is dropped with the call.
            let dropped = contain_in(&span, || drop(call));
            let _ = discard(span);
            // The outcome of a call that was answered before is dropped.
            Discarded::new(match dropped {
                Ok(()) => outcome,
                Err(panic) => discard(outcome).and(Err(panic)),
            })
        });
        match running.await {
            Ok(outcome) => outcome
                .take()
                .unwrap_or_else(|| Err(ToolError::internal("the outcome was taken already"))),
            Err(error) => Err(ToolError::internal(error)),
        }
    })
}

/// A `#[tool]` function as the server holds it.
pub(crate) struct FnTool {
    definition: ToolDefinition,
    call: fn(Call) -> ToolFuture,
}

impl FnTool {
    pub(crate) fn new(
        describe: fn(&mut ToolSpec),
        call: fn(Call) -> ToolFuture,
    ) -> (Self, Requirements) {
        let mut spec = ToolSpec::new();
        describe(&mut spec);
        let tool = Self {
            definition: spec.definition,
            call,
        };
        (tool, spec.requirements)
    }
}

// Written out where `#[async_trait]` could stand: the function's own box is
// handed on as it is, which saves one per call.
impl Tool for FnTool {
    fn definition(&self) -> &ToolDefinition {
        &self.definition
    }

    fn call<'life, 'async_trait>(
        &'life self,
        call: Call,
    ) -> Pin<Box<dyn Future<Output = Result<ToolResult, ToolError>> + Send + 'async_trait>>
    where
        'life: 'async_trait,
        Self: 'async_trait,
    {
        (self.call)(call)
    }
}
