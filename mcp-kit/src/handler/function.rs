//! A function with an attribute: the parameters that it may have, and what the
//! attribute records about it, whatever its kind.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::args::{ArgsSpec, CompiledArgs, ToolArgs};
use crate::call::{Call, Error};
use crate::extract::{FromCall, Requirements};
use crate::limits::Rate;
use crate::primitive::{CommonDefinition, Icon, WarningCode};
pub(crate) use sealed::Via;
use sealed::{ViaArgs, ViaCall};

/// What a parameter of a function with an attribute may be: one struct of
/// arguments ([`ToolArgs`]) and any number of things from the context
/// ([`FromCall`]). `M` distinguishes the two and is always inferred.
///
/// Implement `FromCall` for a type of your own; this trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a handler",
    label = "neither an argument struct nor something from the context",
    note = "an argument struct derives `Deserialize`, `JsonSchema`, `Validate` and `ToolArgs`; from the context come `State<T>` (`T: Clone + Send + Sync + 'static`), `Extension<T>`, `Principal`, `RequestInfo`, `Progress`, `Cancellation`, `Server` and your own types that implement `FromCall`"
)]
pub trait Parameter<M: sealed::Via>: Sized {
    #[doc(hidden)]
    const IS_ARGS: bool;
    #[doc(hidden)]
    const WAITS: bool;
    #[doc(hidden)]
    fn describe(spec: &mut FunctionSpec);
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
    const WAITS: bool = false;

    fn describe(spec: &mut FunctionSpec) {
        spec.arguments(T::__spec());
    }

    async fn from_call(call: &mut Call) -> Result<Self, Error> {
        call.take_arguments()
    }
}

impl<T: FromCall> Parameter<ViaCall> for T {
    const IS_ARGS: bool = false;
    const WAITS: bool = T::WAITS;

    fn describe(spec: &mut FunctionSpec) {
        T::requires(&mut spec.requirements);
    }

    fn from_call(call: &mut Call) -> impl Future<Output = Result<Self, Error>> + Send {
        <T as FromCall>::from_call(call)
    }
}

/// The data that an attribute records about a function. The kind's own spec
/// dereferences to it.
#[derive(Debug)]
pub struct FunctionSpec {
    pub(crate) common: CommonDefinition,
    pub(crate) requirements: Requirements,
}

#[allow(missing_docs)]
impl FunctionSpec {
    pub(crate) fn new() -> Self {
        Self {
            common: CommonDefinition::new(Cow::Borrowed(""), Cow::Borrowed("")),
            requirements: Requirements::default(),
        }
    }

    pub fn name(&mut self, name: &'static str) {
        self.common.name = Cow::Borrowed(name);
    }

    pub fn title(&mut self, title: &'static str) {
        self.common.title = Some(Cow::Borrowed(title));
    }

    pub fn description(&mut self, description: &'static str) {
        self.common.description = Cow::Borrowed(description);
    }

    pub fn icon(&mut self, icon: impl Into<Icon>) {
        self.common.icons.push(icon.into());
    }

    pub fn timeout(&mut self, timeout: Duration) {
        self.common.limits.timeout = Some(timeout);
    }

    pub fn rate(&mut self, rate: Rate) {
        self.common.limits.rate = Some(rate);
    }

    pub fn concurrency(&mut self, calls: usize) {
        self.common.limits.concurrency = Some(calls);
    }

    pub fn result_bytes(&mut self, bytes: usize) {
        self.common.limits.result_bytes = Some(bytes);
    }

    pub fn accept_warning(&mut self, code: WarningCode) {
        self.common.accepted_warnings.push(code);
    }

    pub fn scope(&mut self, scope: &'static str) {
        self.common.scope = Some(Cow::Borrowed(scope));
    }

    /// Makes the function run on the blocking pool.
    pub fn blocking(&mut self) {
        self.common.blocking = true;
    }

    fn arguments(&mut self, spec: ArgsSpec) {
        match CompiledArgs::of(&spec) {
            Ok(arguments) => self.common.arguments = Arc::new(arguments),
            Err(problems) => self.common.problems.extend(problems),
        }
    }
}
