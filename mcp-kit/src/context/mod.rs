//! What a handler may ask for besides its arguments.

mod cancellation;
mod extension;
#[cfg(feature = "http")]
mod host;
mod principal;
mod progress;
mod request;
mod state;

pub use cancellation::Cancellation;
pub(crate) use cancellation::Cancelled;
pub use extension::Extension;
pub(crate) use extension::Extensions;
#[cfg(feature = "http")]
pub(crate) use host::Host;
#[cfg(feature = "http")]
pub(crate) use principal::Credential;
pub use principal::Principal;
pub use progress::Progress;
pub(crate) use progress::Reported;
pub use request::RequestInfo;
pub(crate) use request::RequestSource;
pub(crate) use state::StateMap;
pub use state::{Requirements, State};

use crate::tool::{ToolCall, ToolError};

/// Something that a `#[tool]` function takes from the call or the server.
///
/// Implement it for types of your own, such as a tenant that a middleware
/// found out:
///
/// ```
/// use mcp_kit::context::{FromContext, Principal};
/// use mcp_kit::tool::ToolCall;
/// use mcp_kit::{ToolError, tool};
///
/// struct Tenant(String);
///
/// impl FromContext for Tenant {
///     fn from_context(call: &ToolCall) -> Result<Self, ToolError> {
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
    fn from_context(call: &ToolCall) -> Result<Self, ToolError>;

    /// Says what the server must have, so that `build()` can tell what is
    /// missing before the first call.
    fn requires(requirements: &mut Requirements) {
        let _ = requirements;
    }
}
