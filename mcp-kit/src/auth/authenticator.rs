//! The trait that every way of authenticating implements, and its error.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use async_trait::async_trait;

use super::{Credentials, ProtectedResource};
use crate::caller::Principal;

/// Identifies the caller of a request.
///
/// It reads the request's headers, its address, and the values that the
/// application has attached to it ([`Credentials::extensions`]). Anything that
/// it finds besides a name and scopes, such as a user's id, reaches the
/// handlers with [`Principal::with_extension`].
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
    /// Returns the caller that `credentials` belong to.
    ///
    /// `Ok(None)` means that there are no credentials, or that this
    /// authenticator does not know them: the next authenticator decides, and the
    /// answer is 401 if no authenticator knows the caller.
    ///
    /// Two callers must never share a name: limits, sessions and logs
    /// distinguish them by it. Names of API keys consist of letters, digits and
    /// `._@-`; another authenticator avoids collisions with a prefix such as
    /// `proxy:`.
    ///
    /// # Errors
    ///
    /// [`AuthError::invalid`] refuses the request at once, without the other
    /// authenticators. [`AuthError::unavailable`] means that the credentials
    /// cannot be checked at the moment; the other authenticators still decide,
    /// and the request is refused with 503 if none of them knows the caller.
    async fn authenticate(
        &self,
        credentials: &Credentials<'_>,
    ) -> Result<Option<Principal>, AuthError>;

    /// Returns the value of `WWW-Authenticate` in a 401 for this authenticator
    /// (RFC 9110, section 11.6.1), such as `Bearer realm="mcp"`. The reason of
    /// [`AuthError::invalid`] is added to a `Bearer` challenge.
    ///
    /// The default is `None`: a server whose authenticators all return `None`
    /// sends no `WWW-Authenticate`, since MCP clients would take any scheme as
    /// a request for such credentials. RFC 9110 requires a challenge in each
    /// 401; a scheme of your own, such as `Session realm="app"`, does no harm.
    fn challenge(&self) -> Option<String> {
        None
    }

    /// Returns what a caller must send, in words that end the sentence `send …`
    /// in the text of a 401: `the session cookie of https://app.example.com`.
    /// It is shown to callers without credentials.
    ///
    /// The default is `None`: the text then only states that the request has no
    /// credentials that the server accepts.
    fn expects(&self) -> Option<Cow<'static, str>> {
        None
    }

    /// Returns this server's metadata for OAuth clients, which the HTTP service
    /// publishes. `None` unless this authenticator accepts tokens.
    fn protected_resource(&self) -> Option<&ProtectedResource> {
        None
    }
}

/// Credentials that were refused, or that could not be checked.
///
/// Neither variant can carry the credentials themselves: a reason is a text of
/// the program, and a source goes to the log only.
pub struct AuthError(AuthErrorKind);

enum AuthErrorKind {
    Invalid(&'static str),
    Unavailable(Box<dyn Error + Send + Sync>),
}

impl AuthError {
    /// Creates an error for refused credentials: HTTP 401 with
    /// `error="invalid_token"` and `reason`, which the caller reads. Describe
    /// what is wrong in a few plain words: `the token has expired`.
    #[must_use]
    pub fn invalid(reason: &'static str) -> Self {
        Self(AuthErrorKind::Invalid(reason))
    }

    /// Creates an error for credentials that cannot be checked, since a
    /// database or an issuer does not answer: HTTP 503, and `source` is logged.
    /// The request is refused.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(AuthErrorKind::Unavailable(source.into()))
    }

    /// Whether the error is [`unavailable`](Self::unavailable).
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self.0, AuthErrorKind::Unavailable(_))
    }

    /// Returns why the credentials were refused, in words that the caller may
    /// read; `None` if they could not be checked.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match self.0 {
            AuthErrorKind::Invalid(reason) => Some(reason),
            AuthErrorKind::Unavailable(_) => None,
        }
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            AuthErrorKind::Invalid(reason) => write!(f, "the credentials were refused: {reason}"),
            AuthErrorKind::Unavailable(_) => {
                f.write_str("the credentials cannot be checked at the moment")
            }
        }
    }
}

impl fmt::Debug for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            AuthErrorKind::Invalid(reason) => f.debug_tuple("Invalid").field(reason).finish(),
            AuthErrorKind::Unavailable(source) => {
                f.debug_tuple("Unavailable").field(source).finish()
            }
        }
    }
}

impl Error for AuthError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            AuthErrorKind::Invalid(_) => None,
            AuthErrorKind::Unavailable(source) => Some(&**source),
        }
    }
}
