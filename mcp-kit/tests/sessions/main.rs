//! Sessions of the older revisions, in process through the tower service: what
//! a client notices of them, on a clock that the tests turn.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

mod batches;
mod calls;
mod client;
mod drain;
mod gate;
mod hosts;
mod idle;
mod life;
#[cfg(target_os = "linux")]
mod memory;
mod mounted;
mod replay;
mod requests;
mod resume;
mod room;
mod tools;
