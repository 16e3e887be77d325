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

pub use crate::client::TestTask;
#[cfg(feature = "http")]
pub use crate::client::http::{Event, HttpRefusal, HttpResponse, TestHttpClient};
pub use crate::client::{
    Answer, Answered, Asked, CallResult, GetPromptResult, ReadResourceResult, Request,
    RequestError, Subscription, SubscriptionFilter, TestCall, TestClient, TestClientBuilder,
};
pub use agreement::assert_schema_agrees;
pub use handlers::{CancelHandle, ProgressReport, ProgressReports, cancellation, progress};
pub use portable::assert_portable;

/// Makes the server check its calls on tokio's clock, for tests that pause it.
///
/// By default a thread checks every 20 ms for calls whose time is up, responses
/// that become streams and clients that have left; a paused clock does not move
/// it. With this function a tokio timer replaces the thread. Call it before the
/// first call; it applies to everything that serves the server.
pub fn tick_on_timers(server: &crate::Server) {
    server.inner().ticker.use_timer();
}

/// Returns the client's end of a connection within the process, as bare bytes:
/// one JSON message per line. For mcp-kit's own measurements, where a
/// [`TestClient`]'s work would be counted too; it may change with every release.
///
/// Needs a tokio runtime. Dropping the stream ends the connection.
#[doc(hidden)]
pub fn raw_stream(server: &crate::Server) -> tokio::io::DuplexStream {
    crate::transport::memory::connect(server, None).0
}
