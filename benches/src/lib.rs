//! What mcp-kit's benchmarks share.
//!
//! The load program is `src/bin/load`, the servers that it is pointed at are the
//! packages `floor` and `one-tool`. `README.md` says how to run everything.

pub mod allocations;
