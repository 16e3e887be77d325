//! HTTP messages: the parts of a request that are read, and the parts of a
//! response.
//!
//! Every other folder of the transport uses these types: the protocol's
//! headers, a request's body with its limits, the body of a response (one
//! answer, a stream of events, or nothing), and [`Refusal`](refusal::Refusal),
//! a status with a JSON-RPC error in place of the requested answer.

pub(super) mod body;
pub(super) mod events;
pub(super) mod headers;
pub(super) mod open_requests;
pub(super) mod refusal;
pub(super) mod request_body;
