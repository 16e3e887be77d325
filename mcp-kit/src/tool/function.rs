//! Tools made from functions: the server side of the expansion of `#[tool]`.
//! Types are erased at this boundary, so that little code is compiled in the
//! crate that uses the macro.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};

use super::{IntoToolResult, ToolDefinition};
use crate::args::{ArgsSpec, CompiledArgs, ToolArgs};
use crate::call::{Call, Error, Handler, NextFuture, Reply};
use crate::extract::{FromCall, Requirements};
use crate::limits::Rate;
use crate::primitive::WarningCode;
use crate::schema::RunTime;
use crate::support::panics::{Discarded, contain_in, discard};
use sealed::{ViaArgs, ViaCall};

/// The future of a handler.
pub type HandlerFuture = NextFuture<'static>;

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

/// What a parameter of a `#[tool]` function may be: one struct of arguments
/// ([`ToolArgs`]) and any number of things from the context
/// ([`FromCall`]). `M` distinguishes the two and is always inferred.
///
/// Implement `FromCall` for a type of your own; this trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a tool",
    label = "neither an argument struct nor something from the context",
    note = "an argument struct derives `Deserialize`, `JsonSchema`, `Validate` and `ToolArgs`; from the context come `State<T>` (`T: Clone + Send + Sync + 'static`), `Extension<T>`, `Principal`, `RequestInfo`, `Progress`, `Cancellation`, `Server` and your own types that implement `FromCall`"
)]
pub trait Parameter<M: sealed::Via>: Sized {
    #[doc(hidden)]
    const IS_ARGS: bool;
    #[doc(hidden)]
    fn describe(spec: &mut ToolSpec);
    #[doc(hidden)]
    fn from_call(call: &mut Call) -> impl Future<Output = Result<Self, Error>> + Send;
}

mod sealed {
    /// The conversion of a parameter. Other crates cannot name either of the
    /// two, so they cannot implement `Parameter`.
    pub trait Via {}

    #[derive(Debug)]
    pub struct ViaArgs;

    #[derive(Debug)]
    pub struct ViaCall;

    impl Via for ViaArgs {}
    impl Via for ViaCall {}
}

impl<T: ToolArgs> Parameter<ViaArgs> for T {
    const IS_ARGS: bool = true;

    fn describe(spec: &mut ToolSpec) {
        spec.arguments(T::__spec());
    }

    async fn from_call(call: &mut Call) -> Result<Self, Error> {
        call.take_arguments()
    }
}

impl<T: FromCall> Parameter<ViaCall> for T {
    const IS_ARGS: bool = false;

    fn describe(spec: &mut ToolSpec) {
        T::requires(&mut spec.requirements);
    }

    fn from_call(call: &mut Call) -> impl Future<Output = Result<Self, Error>> + Send {
        <T as FromCall>::from_call(call)
    }
}

/// The data that the macro records about a function.
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
            Ok(arguments) => self.definition.arguments = Arc::new(arguments),
            Err(problems) => self.definition.problems.extend(problems),
        }
    }

    /// Makes the function run on the blocking pool.
    pub fn blocking(&mut self) {
        self.definition.blocking = true;
    }

    /// Sets the function that returns the schema of the return type. The
    /// expansion names it by a qualified path, here and where it makes the
    /// result: the compiler then reports a wrong return type once, not twice.
    pub fn output(&mut self, schema: fn(&mut SchemaGenerator) -> Option<Schema>) {
        let mut generator = SchemaSettings::draft2020_12()
            .for_serialize()
            .with(|settings| settings.inline_subschemas = true) // unless recursive
            .into_generator();
        if let Some(schema) = schema(&mut generator) {
            let published = crate::schema::typed_output(schema);
            self.definition.output = Some(Arc::new(RunTime::of_output(&published)));
            self.definition.publish_output(published);
        }
    }
}

/// Converts the return value of a function into the reply of its handler.
pub fn reply(result: impl IntoToolResult) -> Result<Reply, Error> {
    result.into_tool_result().map(Reply::Tool)
}

/// The parameters of a blocking function, which moves to another thread.
#[diagnostic::on_unimplemented(
    message = "the arguments of a blocking tool move between threads, and `{Self}` cannot",
    label = "not `Send`",
    note = "use `Arc` in place of `Rc`, and `Mutex` in place of `RefCell`"
)]
pub trait MovesBetweenThreads: Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Send + 'static> MovesBetweenThreads for T {}

/// Runs a blocking function on the blocking pool, with its extracted
/// parameters.
///
/// The call, and with it every permit, moves into the closure: a caller that
/// gave up does not free what the closure still uses.
pub async fn run_blocking<T: MovesBetweenThreads>(
    call: Call,
    extracted: T,
    run: fn(T) -> Result<Reply, Error>,
) -> Result<Reply, Error> {
    let span = tracing::Span::current();
    let extracted = Discarded::new(extracted);
    let running = tokio::task::spawn_blocking(move || {
        // The pool may have had no free thread until the caller was answered.
        let outcome = match extracted.take() {
            Some(extracted) if !call.context().is_cancelled() => {
                contain_in(&span, || run(extracted)).unwrap_or_else(|panic| Err(panic.into()))
            }
            extracted => {
                let _ = discard(extracted);
                Err(Error::internal("the call ended before it began"))
            }
        };
        // The values that middlewares attached are dropped with the call.
        let dropped = contain_in(&span, || drop(call));
        let _ = discard(span);
        // The outcome of a call that was already answered is dropped.
        Discarded::new(match dropped {
            Ok(()) => outcome,
            Err(panic) => match discard(outcome) {
                Ok(()) => Err(panic.into()),
                Err(other) => Err(other.into()),
            },
        })
    });
    match running.await {
        Ok(outcome) => outcome
            .take()
            .unwrap_or_else(|| Err(Error::internal("the outcome was taken already"))),
        Err(error) => Err(Error::internal(error)),
    }
}

/// Returns the requirements of a `#[tool]` function, and its definition.
pub(crate) fn describe<T: ToolFn>() -> (ToolDefinition, Requirements, impl Handler) {
    let mut spec = ToolSpec::new();
    T::describe(&mut spec);
    (spec.definition, spec.requirements, Function(T::call))
}

/// A `#[tool]` function, as the innermost part of its chain.
struct Function(fn(Call) -> HandlerFuture);

impl Handler for Function {
    fn run(&self, call: Call) -> NextFuture<'_> {
        (self.0)(call)
    }
}
