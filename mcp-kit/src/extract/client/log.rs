//! Sends log messages to the client.

use serde::Serialize;
use serde_json::json;

use super::Client;
use crate::protocol::LogLevel;

/// A larger message is not sent.
const LARGEST: usize = 64 * 1024;

impl Client {
    /// Sends a log message to the client, which may show it to its user: a text,
    /// or any value that serialises to JSON.
    ///
    /// The message is sent if its level is at least the one that the client has
    /// asked for: with the request in the modern era (without it, nothing is
    /// sent), with `logging/setLevel` before that (`info`, unless it was
    /// called). It is dropped if the client does not read, if it is larger than
    /// 64 KiB, or if the call has ended. The name of the primitive is its `logger`.
    ///
    /// The client's user reads it: it must not contain secrets, nor anything that
    /// [`ToolError`](crate::ToolError) would keep from a client. The server's own log
    /// is what `tracing` writes. Logging to the client is deprecated since
    /// 2026-07-28.
    ///
    /// ```
    /// use mcp_kit::extract::LogLevel;
    /// use mcp_kit::prelude::*;
    ///
    /// /// Builds the index.
    /// #[tool]
    /// async fn build_index(client: Client) -> &'static str {
    ///     client.log(LogLevel::Notice, "two pages have no title");
    ///     client.log(LogLevel::Info, serde_json::json!({"pages": 120}));
    ///     "The index is built."
    /// }
    /// ```
    ///
    /// Specification: [logging](https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/logging).
    pub fn log(&self, level: LogLevel, data: impl Serialize) {
        let Some(call) = self.call.upgrade() else {
            return;
        };
        let (Some(outbound), Some(from)) = (&call.outbound, call.log_level) else {
            return;
        };
        if level < from || call.is_cancelled() {
            return;
        }
        // A value without a JSON form has nothing to show.
        let Ok(data) = serde_json::to_value(data) else {
            return;
        };
        let params = json!({
            "level": level.as_str(),
            "logger": call.target.info.name(),
            "data": data,
        });
        if params.to_string().len() <= LARGEST {
            outbound.notify(&call, "notifications/message", &params);
        }
    }
}
