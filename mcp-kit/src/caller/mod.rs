//! The sender of a request: the [`Principal`] that an authenticator found, and
//! its identity in limits.

mod extensions;
#[cfg(feature = "http")]
mod host;
mod principal;

pub(crate) use extensions::Extensions;
#[cfg(feature = "http")]
pub(crate) use host::Host;
#[cfg(feature = "http")]
pub(crate) use principal::Credential;
pub use principal::Principal;
