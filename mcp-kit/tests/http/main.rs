//! HTTP in process, through the tower service and the testing kit's client: the protocol as a
//! client notices it, on a clock that the tests turn. What needs bytes or sockets is in
//! `tests/chaos-server`.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

mod changes;
mod client;
mod extensions;
mod gate;
mod hidden;
mod kit;
mod limits;
mod log_messages;
mod message_layers;
mod modern;
mod progress;
mod prompts;
#[cfg(feature = "sse")]
mod questions;
mod registry;
mod resources;
mod rounds;
mod scopes;
mod sessions;
#[cfg(feature = "sse")]
mod sse;
mod tasks;
mod url_elicitation;
