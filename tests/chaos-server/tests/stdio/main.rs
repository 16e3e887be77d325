//! Integration tests of stdio: the chaos server runs as a process and the
//! tests speak raw JSON lines to it, as any client in any language would.
//!
//! One binary with a module for each area, since every further test binary
//! costs a link.

#![cfg(unix)]
// A test fails by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod batches;
mod calls;
mod cancellation;
mod descriptors;
mod eras;
mod extension;
mod fetch;
mod files;
mod framing;
mod fuzz;
mod hostile;
mod ids;
mod listen;
mod listing;
mod load;
mod logs;
mod printing;
mod process;
mod prompts;
mod questions;
mod resources;
mod shutdown;
mod structured;
#[path = "../support/mod.rs"]
mod support;
mod tasks;

pub(crate) use support::rpc;
