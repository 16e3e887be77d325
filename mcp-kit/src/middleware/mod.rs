//! Middleware: code that runs around every call.
//!
//! The chain, outermost first: *the call itself* (contains panics, keeps internal
//! errors from the client, limits the result; always there) → `Measure` (feature
//! `metrics`) → `Log` → [`Authorize`] → [`RateLimit`] → [`Timeout`] →
//! [`ConcurrencyLimit`] → [`ValidateOutput`] → your middlewares → [`Validate`] →
//! your middlewares that asked to run after validation → the handler. A built-in
//! that has nothing to do for a tool is left out of its chain.
//!
//! The guide explains [middlewares and their order](crate::guide::middleware).

mod authorize;
mod concurrency;
mod from_fn;
mod rate_limit;
mod timeout;
mod validate;

pub use crate::call::{Middleware, Next, NextFuture};
pub use authorize::Authorize;
pub use concurrency::ConcurrencyLimit;
pub use from_fn::{FromFn, from_fn};
pub use rate_limit::RateLimit;
pub use timeout::Timeout;
#[cfg(feature = "cli")]
pub(crate) use timeout::readable;
pub use validate::{Validate, ValidateOutput};
