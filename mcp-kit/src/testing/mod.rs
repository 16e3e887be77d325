//! Helpers for the tests of servers (feature `testing`).
//!
//! The feature belongs among the dev-dependencies, so that the server itself is built without it:
//!
//! ```toml
//! [dev-dependencies]
//! mcp-kit = { git = "…", features = ["testing"] }
//! ```
//!
//! The guide explains [how to test a server](crate::guide::testing).

mod agreement;
mod handlers;
mod portable;

#[cfg(feature = "http")]
pub use crate::client::http::{Event, HttpClient, HttpRefusal, HttpResponse};
pub use crate::client::{Call, CallResult, Client, ClientBuilder, Request, RequestError};
pub use agreement::assert_schema_agrees;
pub use handlers::{CancelHandle, ProgressReport, ProgressReports, cancellation, progress};
pub use portable::assert_portable;

/// Makes the server look after its calls on tokio's clock, for tests that pause it.
///
/// Calls whose time is up, responses that become streams and clients that have left
/// are noticed by a thread that looks every 20 ms, which a paused clock does not
/// move. With this a timer of tokio takes the thread's place. Call it before the
/// first call; it holds for everything that serves the server.
pub fn tick_on_timers(server: &crate::Server) {
    server.inner().ticker.use_timer();
}

/// The client's end of a connection within the process, as bare bytes: one JSON
/// message a line. For mcp-kit's own measurements, where a [`Client`]'s work
/// would be counted too; it may change with every release.
///
/// Needs a tokio runtime. Dropping the stream ends the connection.
#[doc(hidden)]
pub fn raw_stream(server: &crate::Server) -> tokio::io::DuplexStream {
    crate::transport::memory::connect(server, None).0
}
