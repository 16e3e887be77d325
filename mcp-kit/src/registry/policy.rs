//! What holds for a tool's calls once the server is built.

use std::borrow::Cow;
use std::time::Duration;

use crate::primitive::{Annotations, ToolDefinition};
#[cfg(feature = "cli")]
use crate::protocol::Era;
use crate::registry::ToolEntry;
use crate::server::Server;

/// What holds for the calls of one tool: the macro's, the server's and the
/// registration's wishes merged.
#[derive(Clone, Copy)]
pub struct ToolPolicy<'a>(&'a ToolEntry);

impl Server {
    /// What holds for each tool's calls, in the order of the list.
    ///
    /// ```
    /// # use mcp_kit::{Server, tool};
    /// # /// A report.
    /// # #[tool(timeout = "15s")] async fn report() -> String { String::new() }
    /// let server = Server::builder("reports", "1.0.0")
    ///     .tool_with::<report>(|tool| tool.concurrency(2))
    ///     .build()?;
    /// for policy in server.policies() {
    ///     assert!(policy.timeout().as_secs() < 60);
    ///     let layers: Vec<_> = policy.layers().collect();
    ///     assert_eq!(layers, ["Timeout(15 s)", "ConcurrencyLimit(2)", "Validate"]);
    /// }
    /// # Ok::<(), mcp_kit::server::BuildError>(())
    /// ```
    pub fn policies(&self) -> impl Iterator<Item = ToolPolicy<'_>> {
        self.inner.tools.iter().map(|entry| ToolPolicy(entry))
    }
}

#[cfg(feature = "cli")]
impl Server {
    /// Every tool, as a client of today is told of it.
    pub(crate) fn listed_tools(&self) -> serde_json::Value {
        let tools: Vec<_> = self
            .inner
            .tools
            .iter()
            .map(|entry| serde_json::from_str(entry.listed(Era::Modern)).unwrap_or_default())
            .collect();
        serde_json::json!({ "tools": serde_json::Value::Array(tools) })
    }
}

impl<'a> ToolPolicy<'a> {
    /// The tool.
    #[must_use]
    pub fn definition(&self) -> &'a ToolDefinition {
        self.0.definition()
    }

    /// How long a call may take, waiting included.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.0.target.timeout
    }

    /// The tool's hints, and those of
    /// [`ServerBuilder::default_hints`](crate::server::ServerBuilder::default_hints) where
    /// it has none.
    #[must_use]
    pub fn annotations(&self) -> &'a Annotations {
        self.0.target.info.annotations()
    }

    /// The largest result, in bytes of JSON.
    #[must_use]
    pub fn result_bytes(&self) -> usize {
        self.0.target.result_bytes
    }

    /// The names of the middlewares that a call passes, outermost first; see
    /// [`Middleware::name`](crate::call::Middleware::name).
    pub fn layers(&self) -> impl Iterator<Item = Cow<'static, str>> + use<'a> {
        self.0.target.layers.iter().map(|layer| layer.name())
    }
}

impl std::fmt::Debug for ToolPolicy<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ToolPolicy")
            .field("tool", &self.definition().name())
            .field("timeout", &self.timeout())
            .field("result_bytes", &self.result_bytes())
            .field("layers", &self.layers().collect::<Vec<_>>())
            .finish()
    }
}
