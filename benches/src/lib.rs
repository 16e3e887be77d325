//! What mcp-kit's benchmarks share.
//!
//! The load program is `src/bin/load`, the server to compare with is the package
//! `floor`. `README.md` says how to run everything.

pub mod allocations;
