//! Asks the client for its roots.

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::{Asking, Client, unreadable};
use crate::protocol::ClientCapability;

/// A folder or file that the client's user works with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Root {
    /// Where it is: so far always a `file://` URI on the client's machine.
    pub uri: String,
    /// A name for people.
    #[serde(default)]
    pub name: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    roots: Vec<Root>,
}

impl Client {
    /// Asks the client for the folders and files that its user works with, and
    /// waits for the answer.
    ///
    /// They are a hint of the client and no permission: check every path
    /// against the server's own rules ([`guard`](crate::guard)). Roots are
    /// deprecated since 2026-07-28; prefer arguments or configuration.
    ///
    /// # Errors
    ///
    /// Returns an error if the client has not declared the capability `roots`
    /// (see [`has_roots`](Self::has_roots)), if it refuses the request, if its
    /// answer has another form, or if the question's time is up.
    ///
    /// ```
    /// use mcp_kit::prelude::*;
    ///
    /// /// Lists the folders of the client.
    /// #[tool(read_only)]
    /// async fn folders(client: Client) -> Result<String, ToolError> {
    ///     let roots = client.roots().await?;
    ///     let uris: Vec<_> = roots.into_iter().map(|root| root.uri).collect();
    ///     Ok(uris.join("\n"))
    /// }
    /// ```
    ///
    /// Specification: [roots](https://modelcontextprotocol.io/specification/2026-07-28/client/roots).
    pub fn roots(&self) -> Asking<Vec<Root>> {
        let read = |answer: &RawValue| {
            let text = answer.get();
            let is_object = text.starts_with('{');
            let read = is_object.then(|| serde_json::from_str::<Answer>(text).ok());
            let answer = read.flatten().ok_or_else(|| unreadable("roots/list"))?;
            Ok(answer.roots)
        };
        self.asking("roots/list", ClientCapability::Roots, &json!({}), read)
    }
}
