//! What a handler may ask for besides its arguments.

mod cancellation;
mod extension;
mod progress;
mod state;

pub use crate::call::RequestInfo;
pub use cancellation::Cancellation;
pub use extension::Extension;
pub use progress::Progress;
pub use state::{Requirements, State};

use crate::call::{Call, ToolError};
use crate::caller::Principal;

/// Something that a `#[tool]` function takes from the call or the server.
///
/// Implement it for types of your own, such as a tenant that a middleware
/// found out:
///
/// ```
/// use mcp_kit::call::Call;
/// use mcp_kit::extract::FromContext;
/// use mcp_kit::{ToolError, tool};
///
/// struct Tenant(String);
///
/// impl FromContext for Tenant {
///     fn from_context(call: &Call) -> Result<Self, ToolError> {
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
pub trait FromContext: Sized {
    /// Takes the value.
    ///
    /// # Errors
    ///
    /// The call ends with the error; the handler does not run.
    fn from_context(call: &Call) -> Result<Self, ToolError>;

    /// Says what the server must have, so that `build()` can tell what is
    /// missing before the first call.
    fn requires(requirements: &mut Requirements) {
        let _ = requirements;
    }
}

impl FromContext for Principal {
    fn from_context(call: &Call) -> Result<Self, ToolError> {
        Ok(call.principal().clone())
    }
}

impl FromContext for RequestInfo {
    fn from_context(call: &Call) -> Result<Self, ToolError> {
        Ok(call.request().clone())
    }
}
