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
//! | path | answer |
//! |---|---|
//! | `/mcp` | the protocol: `POST`; for older revisions also `GET`, `DELETE` |
//! | `/sse`, `/messages` | the transport of 2024-11-05, with `HttpOptions::sse` (feature `sse`) |
//! | `/livez` | 200 as long as the process answers |
//! | `/readyz` | 200 while calls are taken, 503 otherwise |
//! | `/health` | 200, with `{"status":"ok"}` |
//!
//! The probes require no key and no known host: orchestrators probe by address.
//!
//! The guide explains [serving over HTTP](crate::guide::http) and [going live](crate::guide::going_live).
//!
//! # The layers
//!
//! Each folder uses those below it and none above it.
//!
//! ```text
//! serve       binds a socket, accepts, drains
//! service     HttpService: admission, then the path
//! endpoint    /mcp: reads a message and decides which revision it belongs to
//! sse         /sse and /messages (2024-11-05)
//! sessions    the revisions up to 2025-11-25: ids, streams that resume, batches
//! calls       a call's task and the response that it writes to
//! edge        what a request passes first: hosts, callers, rates; the probes
//! message     headers, bodies and refusals
//! connection  a front server for hyper that knows nothing of MCP
//! ```

mod calls;
mod connection;
mod edge;
mod endpoint;
mod limits;
mod message;
mod serve;
mod service;
mod sessions;
#[cfg(feature = "sse")]
mod sse;

pub use edge::options::HttpOptions;
#[cfg(all(feature = "cli", feature = "metrics"))]
pub(crate) use edge::options::NO_METRICS;
pub use limits::HttpLimits;
pub use message::body::HttpBody;
pub use service::{HttpService, PeerAddr};
