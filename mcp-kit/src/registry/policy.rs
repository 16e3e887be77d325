//! What holds for a tool's calls.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::call::{Chains, Middleware};
use crate::primitive::{Annotations, ToolDefinition};
use crate::registry::Entry;

/// What holds for the calls of one tool: the author's, the server's and the
/// registration's settings merged. It stays as it is when the registry changes.
#[derive(Clone)]
pub struct ToolPolicy {
    definition: Arc<ToolDefinition>,
    entry: Arc<Entry>,
}

impl Entry {
    /// The definition, if it is a tool's.
    pub(crate) fn tool(&self) -> Option<Arc<ToolDefinition>> {
        let definition: Arc<dyn Any + Send + Sync> = Arc::clone(&self.definition) as _;
        definition.downcast().ok()
    }
}

impl ToolPolicy {
    /// Of an entry, if it is a tool's.
    pub(crate) fn of(entry: &Arc<Entry>) -> Option<Self> {
        Some(Self {
            definition: entry.tool()?,
            entry: Arc::clone(entry),
        })
    }

    /// The tool.
    #[must_use]
    pub fn definition(&self) -> &ToolDefinition {
        &self.definition
    }

    /// How long a call may take, waiting included.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.entry.target.timeout
    }

    /// The tool's hints, and those of
    /// [`ServerBuilder::default_hints`](crate::server::ServerBuilder::default_hints) if
    /// it has none.
    #[must_use]
    pub fn annotations(&self) -> &Annotations {
        self.entry.target.info.annotations()
    }

    /// The scopes that a caller must hold: the tool's own, and those of its routers.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.entry.target.info.scopes()
    }

    /// The largest result, in bytes of JSON.
    #[must_use]
    pub fn result_bytes(&self) -> usize {
        self.entry.target.result_bytes
    }

    /// The names of the middlewares that a call passes, outermost first; see
    /// [`Middleware::name`](crate::call::Middleware::name).
    pub fn layers(&self) -> impl Iterator<Item = Cow<'static, str>> + use<> {
        self.names(|chains| &chains.local)
    }

    /// The names of the middlewares that a call over HTTP passes, which has a rate by
    /// default.
    #[cfg(feature = "http")]
    pub fn http_layers(&self) -> impl Iterator<Item = Cow<'static, str>> + use<> {
        self.names(|chains| &chains.network)
    }

    fn names(
        &self,
        chain: fn(&Chains) -> &[Arc<dyn Middleware>],
    ) -> std::vec::IntoIter<Cow<'static, str>> {
        let layers = chain(&self.entry.target.chains).iter();
        layers
            .map(|layer| layer.name())
            .collect::<Vec<_>>()
            .into_iter()
    }
}

impl std::fmt::Debug for ToolPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ToolPolicy")
            .field("tool", &self.definition().name())
            .field("timeout", &self.timeout())
            .field("result_bytes", &self.result_bytes())
            .field("layers", &self.layers().collect::<Vec<_>>())
            .finish()
    }
}
