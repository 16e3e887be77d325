//! Middleware: code that runs around every call.
//!
//! The chain, outermost first: *the call itself* (contains panics, keeps internal
//! errors from the client, limits the reply, notifies
//! the [observers](crate::call::Observer); cannot be removed or moved) →
//! [`Authorize`] → [`RateLimit`] → [`Timeout`] → [`ConcurrencyLimit`] →
//! [`ValidateOutput`] → your middlewares → [`Validate`] → your middlewares that
//! run after validation → the handler. A middleware that does not
//! [apply](Middleware::applies) to a primitive is not in its chain.
//!
//! Code that must see the end of *every* call, such as an audit, is an
//! [`Observer`](crate::call::Observer): a middleware does not see calls that are
//! refused before it runs.
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
pub use validate::{Validate, ValidateOutput};
