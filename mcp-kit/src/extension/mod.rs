//! Extensions of the protocol: what a server adds to it, under an identifier that
//! clients know. (Specification 2026-07-28: "Extension Negotiation"; SEP-2133.)
//!
//! ```text
//!  ProtocolExtension ── settings ──────► capabilities.extensions["com.example/notes"]
//!                    ├─ methods ───────► primitives of the kind `Method`, by their names
//!                    ├─ notifications ─► from the client: a function; to it: `Client::notify`
//!                    ├─ router ────────► tools, prompts, resources
//!                    └─ layers ────────► around every message, whatever its method
//! ```
//!
//! ```
//! use garde::Validate;
//! use mcp_kit::extension::ProtocolExtension;
//! use mcp_kit::prelude::*;
//! use mcp_kit::testing::TestClient;
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//! use serde_json::json;
//!
//! #[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
//! struct Search {
//!     /// The text to search for.
//!     #[garde(length(chars, min = 1, max = 100))]
//!     text: String,
//! }
//!
//! #[derive(Serialize)]
//! struct Found {
//!     notes: Vec<String>,
//! }
//!
//! async fn search(search: Search) -> Json<Found> {
//!     let notes = ["buy milk", "call Ada"];
//!     let found = notes.into_iter().filter(|note| note.contains(&search.text));
//!     Json(Found { notes: found.map(str::to_owned).collect() })
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let notes = ProtocolExtension::new("com.example/notes")
//!     .settings(json!({"maxNotes": 100}))
//!     .method("notes/search", search);
//! let server = Server::builder("notes", "1.0.0").extension(notes).build()?;
//!
//! let client = TestClient::builder(&server)
//!     .version(mcp_kit::protocol::ProtocolVersion::V2026_07_28)
//!     .capabilities(json!({"extensions": {"com.example/notes": {}}}))
//!     .connect()
//!     .await;
//! let found = client.request("notes/search", json!({"text": "milk"})).await?;
//! assert_eq!(found["notes"], json!(["buy milk"]));
//! # Ok(())
//! # }
//! ```
//!
//! The guide explains [extensions](crate::guide::extensions).

mod declaration;
mod declared;
mod entered;
mod handler;
mod message;
mod method;
mod result;

pub use crate::content::MethodResult;
pub(crate) use declaration::ExtensionParts;
pub use declaration::ProtocolExtension;
pub(crate) use declared::{Declared, Extensions};
pub use entered::MessageNext;
pub(crate) use entered::{
    Entered, EnteredMessages, Left, MessageLayers, MessageOrigin, MessageParts, write_left,
};
pub use handler::MethodHandler;
pub use message::{Message, MessageMiddleware, MessageReply};
pub use method::ExtensionMethod;
pub use result::IntoMethodResult;
