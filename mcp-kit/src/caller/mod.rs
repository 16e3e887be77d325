//! The sender of a request: the [`Principal`] that an authenticator found, and
//! its identity in limits.

mod principal;

pub use principal::Principal;
#[cfg(feature = "http")]
pub(crate) use principal::{Credential, Extensions, Host};
