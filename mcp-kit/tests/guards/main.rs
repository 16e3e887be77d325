//! Guards as a client and an operator notice them.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

#[path = "../calls/log.rs"]
#[expect(dead_code, reason = "the tests of calls use all of it")]
mod log;
mod sensitive;
mod text;
