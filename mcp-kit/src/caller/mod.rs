//! The sender of a request: the [`Principal`] that an authenticator found, and
//! its identity in limits.

#[cfg(feature = "http")]
mod host;
mod principal;

#[cfg(feature = "http")]
pub(crate) use host::Host;
pub use principal::Principal;
#[cfg(feature = "http")]
pub(crate) use principal::{Credential, Extensions};
