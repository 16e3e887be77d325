//! Programs as a tool's author uses them: real processes, seen through /proc.
#![cfg(target_os = "linux")]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

mod arguments;
mod ends;
mod scripts;
