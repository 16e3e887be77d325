//! The trait that every way of authenticating implements.

use std::borrow::Cow;

use async_trait::async_trait;

use super::{AuthError, Credentials, ProtectedResource};
use crate::caller::Principal;

/// Identifies the caller of a request.
///
/// It reads the request's headers, its address, and what the application has
/// attached to it ([`Credentials::extensions`]). What it has found out beside a name
/// and scopes, such as a user's id, goes to the handlers with
/// [`Principal::with_extension`].
///
/// ```
/// use mcp_kit::auth::{AuthError, Authenticator, Credentials};
/// use mcp_kit::{Principal, async_trait};
///
/// /// Trusts the name that the proxy in front has put into a header.
/// struct ProxyUser;
///
/// #[async_trait]
/// impl Authenticator for ProxyUser {
///     async fn authenticate(
///         &self,
///         credentials: &Credentials<'_>,
///     ) -> Result<Option<Principal>, AuthError> {
///         let Some(user) = credentials.headers().get("x-proxy-user") else {
///             return Ok(None);
///         };
///         let user = user.to_str().map_err(|_| AuthError::invalid("the user's name is not ASCII"))?;
///         Ok(Some(Principal::new(format!("proxy:{user}"), ["read"])))
///     }
/// }
/// ```
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// The caller behind `credentials`.
    ///
    /// `Ok(None)` says that there are none, or none that this authenticator
    /// knows: the next one is asked, and where no one knows the caller, the
    /// answer is 401.
    ///
    /// Two callers must never share a name: limits, sessions and logs
    /// distinguish them by it. Names of API keys consist of letters, digits and `._@-`;
    /// another authenticator's stay apart from them with a prefix such as
    /// `proxy:`.
    ///
    /// # Errors
    ///
    /// [`AuthError::invalid`] refuses the request at once, whatever the other
    /// authenticators would say. [`AuthError::unavailable`] says that no answer
    /// can be had at the moment; the others are still asked, and the request is
    /// refused with 503 where none of them knows the caller.
    async fn authenticate(
        &self,
        credentials: &Credentials<'_>,
    ) -> Result<Option<Principal>, AuthError>;

    /// What a 401 has in `WWW-Authenticate` for this authenticator (RFC 9110,
    /// section 11.6.1), such as `Bearer realm="mcp"`. The reason of
    /// [`AuthError::invalid`] is added to a `Bearer` challenge.
    ///
    /// The default is `None`: a server whose authenticators all have none sends
    /// no `WWW-Authenticate`, since MCP clients would take any scheme for an
    /// invitation to send such credentials. RFC 9110 asks for one in each 401; a
    /// scheme of your own, such as `Session realm="app"`, does no harm.
    fn challenge(&self) -> Option<String> {
        None
    }

    /// What a caller must send, in words that end the sentence `send …` in the
    /// text of a 401: `the session cookie of https://app.example.com`. It is shown
    /// to callers without credentials.
    ///
    /// The default is `None`: the text then says only that there are no
    /// credentials that the server accepts.
    fn expects(&self) -> Option<Cow<'static, str>> {
        None
    }

    /// What OAuth clients should read of this server; the HTTP service publishes
    /// it. None unless tokens are taken.
    fn protected_resource(&self) -> Option<&ProtectedResource> {
        None
    }
}
