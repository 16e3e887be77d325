//! Extractors: the parameters of a handler other than its arguments.

mod cancellation;
mod client;
mod extension;
mod progress;
mod state;
mod task;

pub use crate::call::RequestInfo;
pub use crate::protocol::LogLevel;
pub use cancellation::Cancellation;
pub use client::{Asking, Client, Elicited, Root, SampleRequest, Sampled, UrlElicitation};
pub use extension::Extension;
pub use progress::Progress;
pub use state::{Requirements, State};
pub use task::Task;

use std::future::Future;

use crate::call::{Call, CompletionRequest, Error, ResourceUri};
use crate::caller::Principal;

/// A parameter that a handler extracts from the call or the server.
///
/// Implement it for types of your own, such as a tenant that is looked up for the
/// caller. It can wait; the call's time limit holds. In a `blocking` tool extractors
/// run before the function is moved to its thread.
///
/// ```
/// use mcp_kit::call::{Call, Error};
/// use mcp_kit::extract::FromCall;
/// use mcp_kit::tool;
///
/// struct Tenant(String);
///
/// impl FromCall for Tenant {
///     async fn from_call(call: &mut Call) -> Result<Self, Error> {
///         Ok(Self(call.principal().name().to_owned()))
///     }
/// }
///
/// /// Names the caller's tenant.
/// #[tool]
/// async fn tenant(Tenant(name): Tenant) -> String {
///     name
/// }
/// ```
pub trait FromCall: Sized + Send + 'static {
    /// Extracts the value.
    ///
    /// # Errors
    ///
    /// The call ends with the returned error; the handler does not run.
    fn from_call(call: &mut Call) -> impl Future<Output = Result<Self, Error>> + Send;

    /// Whether it is of no use to a function that cannot wait: a `blocking` handler
    /// that takes it does not compile.
    #[doc(hidden)]
    const WAITS: bool = false;

    /// Declares what the server must have, so that `build()` can report what is
    /// missing before the first call.
    ///
    /// An implementation calls `requires` of each extractor that it uses itself.
    /// A [`Client`] that is not declared so cannot ask. Without an implementation
    /// the extractor may use every extractor but `State`.
    fn requires(requirements: &mut Requirements) {
        requirements.client();
    }
}

/// Something that a handler may take as `Option<T>`: `None` if it is absent. A value
/// that is present but cannot be taken is still an error.
///
/// ```
/// use mcp_kit::tool;
/// use mcp_kit::extract::Extension;
///
/// #[derive(Clone)]
/// struct Plan(&'static str);
///
/// /// Names the caller's plan, if a middleware found one.
/// #[tool]
/// async fn plan(plan: Option<Extension<Plan>>) -> &'static str {
///     plan.map_or("none", |Extension(Plan(name))| name)
/// }
/// ```
pub trait OptionalFromCall: Sized + Send + 'static {
    /// Extracts the value, if it is there.
    ///
    /// # Errors
    ///
    /// The call ends with the returned error; the handler does not run.
    fn from_call(call: &mut Call) -> impl Future<Output = Result<Option<Self>, Error>> + Send;

    /// Declares what it uses; see [`FromCall::requires`].
    fn requires(requirements: &mut Requirements) {
        requirements.client();
    }
}

impl<T: OptionalFromCall> FromCall for Option<T> {
    fn from_call(call: &mut Call) -> impl Future<Output = Result<Self, Error>> + Send {
        T::from_call(call)
    }

    fn requires(requirements: &mut Requirements) {
        T::requires(requirements);
    }
}

impl FromCall for Principal {
    async fn from_call(call: &mut Call) -> Result<Self, Error> {
        Ok(call.principal().clone())
    }

    fn requires(requirements: &mut Requirements) {
        requirements.caller();
    }
}

impl FromCall for RequestInfo {
    async fn from_call(call: &mut Call) -> Result<Self, Error> {
        Ok(call.request().clone())
    }

    fn requires(requirements: &mut Requirements) {
        requirements.caller();
    }
}

/// Extracts the argument that is completed, in a completing function.
impl FromCall for CompletionRequest {
    async fn from_call(call: &mut Call) -> Result<Self, Error> {
        let request = call.completion().cloned();
        request.ok_or_else(|| Error::internal("the call completes no argument"))
    }

    fn requires(_: &mut Requirements) {}
}

/// Extracts the URI that is read, in a resource.
impl FromCall for ResourceUri {
    async fn from_call(call: &mut Call) -> Result<Self, Error> {
        let uri = call.uri().cloned();
        uri.ok_or_else(|| Error::internal("the call reads no resource, so it has no URI"))
    }

    fn requires(_: &mut Requirements) {}
}
