//! A framework for MCP servers in production.
//!
//! A tool is an ordinary function with [`#[tool]`](macro@tool), and a struct
//! for its arguments. mcp-kit makes the JSON Schema and the checks from the
//! same rules, and wraps each call in what a production server needs: a log,
//! error sanitising, panic containment, authorization, limits and a timeout. A
//! server is safe with no configuration; every relaxation is an explicit call.
//! Prompts ([`#[prompt]`](macro@prompt)) and resources
//! ([`#[resource]`](macro@resource)) are written in the same way.
//!
//! ```
//! use garde::Validate;
//! use mcp_kit::prelude::*;
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
//! #[serde(rename_all = "camelCase")]
//! struct SearchArgs {
//!     /// What to search for.
//!     #[garde(length(chars, min = 1, max = 400))]
//!     query: String,
//!     /// How many results to return.
//!     #[serde(default = "five")]
//!     #[garde(range(min = 1, max = 10))]
//!     max_results: u8,
//! }
//!
//! fn five() -> u8 {
//!     5
//! }
//!
//! #[derive(Serialize, JsonSchema)]
//! struct Titles {
//!     titles: Vec<String>,
//! }
//!
//! #[derive(Clone)]
//! struct Library(Vec<&'static str>);
//!
//! /// Search the library for books by title.
//! #[tool(title = "Book search", read_only, timeout = "5s")]
//! async fn search_books(
//!     args: SearchArgs,
//!     State(library): State<Library>,
//! ) -> Result<Json<Titles>, ToolError> {
//!     let found = library.0.iter().filter(|title| title.contains(&args.query));
//!     let titles: Vec<_> = found.take(args.max_results.into()).map(ToString::to_string).collect();
//!     if titles.is_empty() {
//!         return Err(ToolError::user("No title has this text. Search for one word of it."));
//!     }
//!     Ok(Json(Titles { titles }))
//! }
//!
//! let server = Server::builder("library", env!("CARGO_PKG_VERSION"))
//!     .state(Library(vec!["Middlemarch", "Emma"]))
//!     .tool::<search_books>()
//!     .build()?;
//! # Ok::<(), mcp_kit::server::BuildError>(())
//! ```
//!
//! Serve it with [`cli::run`], which adds a command line, the log, the runtime
//! and the signals, or with [`Server::serve_stdio`] or [`Server::serve_http`]
//! in a runtime of your own.
//!
//! # Where to find what
//!
//! The [`guide`] explains one subject on each page, with examples.
//!
//! | to … | see |
//! |---|---|
//! | write a tool | [`macro@tool`], [`tool::IntoToolResult`] for what it may return |
//! | offer a resource | [`macro@resource`], [`resource::IntoResourceResult`] for what it may return |
//! | describe arguments | [`derive@ToolArgs`] |
//! | ask the client's user | [`extract::Client`], [`derive@ElicitForm`] |
//! | take state, the caller, progress | [`extract`] |
//! | fail | [`ToolError`], [`ResultExt`], [`user_error!`] |
//! | register tools, prompts and resources, set limits | [`server::ServerBuilder`], [`server::Limits`], [`registry::Registration`] |
//! | group them with their policy | [`Router`] |
//! | change what a running server offers | [`registry::Registry`], [`server::ResourceUpdates`] |
//! | let calls go on as tasks | [`extract::Task`], [`server::TaskStore`] |
//! | wrap calls | [`middleware`] |
//! | add methods to the protocol | [`extension`] |
//! | see how each call ended | [`call::Observer`] |
//! | write a prompt | [`macro@prompt`], [`prompt::IntoPromptResult`] for what it may return |
//! | serve Agent Skills | [`skills`] |
//! | make them at run time | [`tool::from_fn`], [`prompt::from_fn`], [`resource::from_fn`], [`resource::ResourceProvider`] |
//! | test a server | [`testing`] |
//! | read or filter the log | [`logging`] |
//! | serve over HTTP | [`transport::http`], [`server::ServerBuilder::http`] |
//! | authenticate callers | [`auth`] |
//! | handle secrets and other dangerous inputs | [`guard`] |
//! | count calls, trace them | [`observe`] |
//! | use the command line | [`cli`] |
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `stdio` | yes | serving over stdin and stdout |
//! | `logging` | yes | JSON log lines on stderr |
//! | `cli` | no | the command line that every server gets; turns on the two above |
//! | `http` | no | serving over HTTP, with keys and limits |
//! | `sse` | no | the HTTP transport of 2024-11-05 beside it; turns on `http` |
//! | `oauth` | no | OAuth 2.1 tokens; turns on `http` |
//! | `metrics` | no | Prometheus metrics |
//! | `metrics-registry` | no | metrics of the program's own, in the types of `prometheus_client`, whose versions are 0.x; turns on `metrics` |
//! | `otel` | no | traces over OTLP; turns on `logging` |
//! | `redis` | no | limits and legacy sessions that replicas share through Redis or Valkey; turns on `http` |
//! | `fs` | no | folders that no path leads out of ([`guard`]) |
//! | `net` | no | [`guard::HttpClient`]: outgoing HTTP to public hosts only |
//! | `process` | no | programs that run without a shell and end with their call ([`guard`]) |
//! | `skills` | no | [`skills`]: folders of instructions for models, as resources (SEP-2640) |
//! | `testing` | no | [`testing`]: helpers for the tests of servers, for the `[dev-dependencies]` |
//! | `regex` | no | the schema keyword `pattern`, and garde's `pattern` rule |
//! | `json-schema` | no | all of JSON Schema 2020-12 for tools that are known only at run time |
//! | `chrono`, `jiff` | no | dates, times and durations of these crates in arguments |
//! | `uuid`, `url`, `rust_decimal` | no | `Uuid`, `Url` and `Decimal` in arguments |
//!
//! # How to depend on it
//!
//! By path or git. The crates `mcp-kit` and `mcp-kit-macros` on the public
//! registry belong to another project: do not use `cargo add mcp-kit`.
#![cfg_attr(
    not(feature = "cli"),
    doc = "",
    doc = "[`cli`]: #features",
    doc = "[`cli::run`]: #features"
)]
#![cfg_attr(not(feature = "logging"), doc = "", doc = "[`logging`]: #features")]
#![cfg_attr(
    not(feature = "net"),
    doc = "",
    doc = "[`guard::HttpClient`]: #features"
)]
#![cfg_attr(not(feature = "skills"), doc = "", doc = "[`skills`]: #features")]
#![cfg_attr(not(feature = "testing"), doc = "", doc = "[`testing`]: #features")]
#![cfg_attr(
    not(feature = "stdio"),
    doc = "",
    doc = "[`Server::serve_stdio`]: #features"
)]
#![cfg_attr(
    not(feature = "http"),
    doc = "",
    doc = "[`Server::serve_http`]: #features",
    doc = "[`transport::http`]: #features",
    doc = "[`server::ServerBuilder::http`]: #features",
    doc = "[`auth`]: #features"
)]

#[doc(hidden)]
pub mod __private;
#[cfg(any(feature = "cli", feature = "testing"))]
mod answers;
pub mod args;
#[cfg(feature = "http")]
pub mod auth;
pub mod call;
pub mod caller;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(any(feature = "cli", feature = "testing"))]
mod client;
pub mod completion;
pub mod content;
pub mod elicit;
pub mod extension;
pub mod extract;
pub mod guard;
#[cfg(any(doc, doctest))]
pub mod guide;
mod handler;
pub mod limits;
#[cfg(feature = "logging")]
pub mod logging;
pub mod middleware;
mod missing_derive;
pub mod observe;
pub mod prelude;
pub mod primitive;
pub mod prompt;
pub mod protocol;
pub mod registry;
pub mod resource;
mod schema;
pub mod server;
#[cfg(feature = "skills")]
pub mod skills;
mod support;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tool;
pub mod transport;

pub use async_trait::async_trait;
/// The crate whose request, response and header types this crate uses in its
/// API.
#[cfg(any(feature = "http", feature = "net"))]
pub use http;

pub use args::ToolArgs;
pub use call::{Error, RequestInfo, ResultExt};
pub use caller::Principal;
pub use elicit::ElicitForm;
pub use extract::{Cancellation, Client, Elicited, Extension, Progress, State};
// `ToolArgs` and `ElicitForm` are both the traits and their derives.
pub use mcp_kit_macros::{ElicitForm, ToolArgs, prompt, resource, tool};
pub use registry::Router;
pub use server::Server;
pub use tool::{Json, ToolError};

/// The README's examples, as tests.
#[cfg(all(doctest, feature = "cli", feature = "testing"))]
#[doc = include_str!("../README.md")]
mod readme {}
