//! A framework for MCP servers that people put in production.

pub mod args;
mod schema;
