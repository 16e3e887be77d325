//! What callers and operators notice of API keys: who gets in, what is said of
//! entries that cannot be used, and that no key shows anywhere.
#![cfg(feature = "http")]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

mod entries;
mod file;
mod hostile;
mod log;
mod store;
mod support;
