//! The transport of 2024-11-05, in process through the tower service: what a
//! client of it notices.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

mod calls;
mod client;
mod doors;
mod end;
#[path = "../sessions/gate.rs"]
mod gate;
mod handshake;
mod tools;
mod unread;
