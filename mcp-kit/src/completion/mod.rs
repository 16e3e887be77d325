//! Completion: suggestions for the arguments of prompts and the variables of
//! resource templates, while a person types. (Specification: "Completion".)
//!
//! An argument whose schema is an enum, or a boolean, has its values as
//! suggestions. For any other one the server adds a function:
//!
//! ```
//! use garde::Validate;
//! use mcp_kit::completion::CompletionRequest;
//! use mcp_kit::prelude::*;
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//!
//! #[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
//! struct Ticket {
//!     /// The project.
//!     #[garde(skip)]
//!     project: String,
//!     /// The ticket's key.
//!     #[garde(skip)]
//!     key: String,
//! }
//!
//! /// Summarises a ticket.
//! #[prompt]
//! async fn summarise(ticket: Ticket) -> String {
//!     format!("Summarise {} of {}.", ticket.key, ticket.project)
//! }
//!
//! /// Suggests the keys of the project that was chosen before.
//! async fn keys(request: CompletionRequest) -> Vec<String> {
//!     let project = request.argument("project").unwrap_or("MCP");
//!     let keys = (1..=3).map(|number| format!("{project}-{number}"));
//!     keys.filter(|key| key.starts_with(request.value())).collect()
//! }
//!
//! let server = Server::builder("tickets", "1.0.0")
//!     .prompt_with::<summarise>(|prompt| prompt.complete("key", keys))
//!     .build()?;
//! # Ok::<(), mcp_kit::server::BuildError>(())
//! ```
//!
//! A completion is a call of the kind [`Kind::Completion`]: it has the scopes of
//! its prompt or template, a rate of its own, the server's time limit and
//! middlewares, and a line in the log.
//!
//! [`Kind::Completion`]: crate::primitive::Kind::Completion

mod completer;
mod request;
mod row;
mod source;

pub use crate::call::CompletionRequest;
pub use crate::content::Completions;
pub(crate) use completer::erase;
pub use completer::{Completer, IntoCompletions};
pub(crate) use row::{OF_PROMPTS, OF_TEMPLATES};
