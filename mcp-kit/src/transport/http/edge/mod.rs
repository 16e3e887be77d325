//! The edge: what a request passes before the protocol's endpoint reads it, and
//! the paths that are not the protocol's.
//!
//! ```text
//! request → form → host and origin → this machine only? → open requests
//!         → rate of the address → authentication → rate of the principal → endpoint
//! ```
//!
//! [`HttpOptions`](options::HttpOptions) and
//! [`HttpLimits`](crate::transport::http::HttpLimits) configure the checks. The probes and the OAuth documents pass fewer of them.

pub(super) mod admission;
pub(super) mod cors;
pub(super) mod forwarded;
pub(super) mod host_check;
pub(super) mod options;
pub(super) mod probes;
pub(super) mod resources;
