//! The MCP endpoint: one path for every revision.
//!
//! [`mcp`] reads a request and decides by its headers and its `_meta` which
//! revision it belongs to. A message of 2026-07-28 is dispatched here, and its
//! headers must agree with its body ([`param_headers`] are the arguments that a
//! client repeats there). A message of an older revision belongs to a session
//! and continues in [`sessions`](super::sessions).

pub(super) mod mcp;
pub(super) mod param_headers;
