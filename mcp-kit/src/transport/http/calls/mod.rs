//! Calls over HTTP: each runs in a task of its own, and a response carries what
//! it produces.
//!
//! A [`Call`](call::Call) is the task, its deadline and its permit. An
//! [`Exchange`](response::Exchange) is the response that the call writes to: it
//! begins as nothing, and becomes one answer or, with the first notification, a
//! stream of events. [`Mcp`](mcp::Mcp) is what all calls of a service share. It counts the calls and the requests
//! [in flight](in_flight), so that a drain can wait for them, and a
//! [ticker](crate::call::Ticker) looks after each call until it ends.

pub(super) mod call;
pub(super) mod in_flight;
pub(super) mod mcp;
pub(super) mod place;
pub(super) mod response;
pub(super) mod sink;
pub(super) mod subscriptions;
