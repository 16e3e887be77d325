//! Authentication over HTTP: API keys, OAuth, or an [`Authenticator`] of your
//! own.
//!
//! An authenticator reads a request's [`Credentials`] and returns the
//! [`Principal`](crate::Principal) that they belong to. Handlers, the log, the
//! limits and sessions see the principal; none of them sees the key or token.
//! Several authenticators are tried in order.
//!
//! The guide explains [keys, scopes and OAuth](crate::guide::keys).

mod api_keys;
mod authenticator;
mod chain;
mod credentials;
#[cfg(feature = "oauth")]
mod oauth;
mod resource;

pub use api_keys::{ApiKeys, ApiKeysBuilder, ApiKeysError, KeyDigest, KeyEntry, KeyStore};
pub use authenticator::{AuthError, Authenticator};
pub use credentials::Credentials;
#[cfg(feature = "oauth")]
pub use oauth::{Algorithm, OAuth, OAuthBuilder, OAuthError};
pub use resource::{ProtectedResource, ProtectedResourceError};

pub(crate) use chain::Authenticators;
pub(crate) use resource::{WELL_KNOWN, is_loopback};

/// The target of the log lines of authentication.
const TARGET: &str = "mcp_kit::auth";
