//! Integration tests of HTTP: the chaos server runs as a process and the tests
//! speak raw bytes to it over real sockets, as any client in any language
//! would, and as no well-behaved one does.
//!
//! One binary with a module for each area, since every further test binary
//! costs a link.

#![cfg(unix)]
// A test fails by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod arguments;
mod client;
mod containment;
mod disconnect;
mod doors;
mod events;
mod framing;
mod fuzz;
mod http2;
mod ids;
mod keys;
mod limits;
mod listen;
mod load;
mod logs;
mod probes;
mod progress;
mod request;
mod resources;
mod server;
mod shutdown;
mod slow;
mod sse;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "the tests of stdio use it too")]
mod support;
mod tasks;
mod unread;
mod wire;

pub(crate) use support::rpc;
