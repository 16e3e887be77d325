//! The server over HTTP: one endpoint for both eras, which refuses every
//! host and origin that is not allowed by name.
//!
//! ```no_run
//! # use mcp_kit::{Server, tool};
//! # /// Says hello.
//! # #[tool] async fn hello() -> &'static str { "Hello!" }
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::builder("greeter", "1.0.0").tool::<hello>().build()?;
//! server.serve_http("127.0.0.1:8080").await?;
//! # Ok(()) }
//! ```
//!
//! | path | what it answers |
//! |---|---|
//! | `/mcp` | the protocol: `POST`; for clients of the older revisions `GET` and `DELETE` as well |
//! | `/sse`, `/messages` | the transport of 2024-11-05, with `HttpOptions::sse` (feature `sse`) |
//! | `/livez` | 200 as long as the process answers |
//! | `/readyz` | 200 while calls are taken, 503 otherwise |
//! | `/health` | 200, with `{"status":"ok"}` |
//!
//! The probes need no key, and no host that is known: those who probe call by
//! address.
//!
//! The guide explains [serving over HTTP](crate::guide::http) and [going live](crate::guide::going_live).

mod calls;
mod connection;
mod edge;
mod endpoint;
mod message;
mod serve;
mod service;
mod sessions;
#[cfg(feature = "sse")]
mod sse;

pub use edge::limits::HttpLimits;
pub use edge::options::HttpOptions;
pub(crate) use endpoint::param_headers::problems as param_header_problems;
pub use message::body::HttpBody;
pub use service::{HttpService, PeerAddr};
