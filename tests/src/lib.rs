//! Tests of mcp-kit as its users see it; all of them are in `tests/`.
