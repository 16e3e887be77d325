//! The macros of [mcp-kit](../mcp_kit/index.html). Use them through that crate.
