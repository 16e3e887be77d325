//! What a collector receives of a server, and what the server does where there
//! is none.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

mod collector;
mod failures;
mod http;
mod parents;
mod server;
mod spans;
