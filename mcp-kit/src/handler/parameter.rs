//! The parameters of a handler: one argument struct, and extractors.

use std::future::Future;

use super::FunctionSpec;
use crate::args::ToolArgs;
use crate::call::{Call, Error};
use crate::extract::FromCall;
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
