//! The settings of a tool's calls.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::call::{Chains, Middleware};
use crate::primitive::{Annotations, ToolDefinition};
use crate::registry::Entry;

/// The settings of one tool's calls: the author's, the server's and the
/// registration's merged. It does not change when the registry changes.
#[derive(Clone)]
pub struct ToolPolicy {
    definition: Arc<ToolDefinition>,
    entry: Arc<Entry>,
}

impl Entry {
    /// Returns the definition, if it is a tool's.
    pub(crate) fn tool(&self) -> Option<Arc<ToolDefinition>> {
        let definition: Arc<dyn Any + Send + Sync> = Arc::clone(&self.definition) as _;
        definition.downcast().ok()
    }
}

impl ToolPolicy {
    /// Creates the policy of an entry, if it is a tool's.
    pub(crate) fn of(entry: &Arc<Entry>) -> Option<Self> {
        Some(Self {
            definition: entry.tool()?,
            entry: Arc::clone(entry),
        })
    }

    /// Returns the tool.
    #[must_use]
    pub fn definition(&self) -> &ToolDefinition {
        &self.definition
    }

    /// Returns the time limit of a call, waiting included.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.entry.target.timeout
    }

    /// Returns the tool's hints, with those of
    /// [`ServerBuilder::default_hints`](crate::server::ServerBuilder::default_hints)
    /// for hints that it does not set.
    #[must_use]
    pub fn annotations(&self) -> &Annotations {
        self.entry.target.info.annotations()
    }

    /// Returns the scopes that a caller must hold: the tool's own, and those of
    /// its routers.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.entry.target.info.scopes()
    }

    /// Returns the size of the largest result, in bytes of JSON.
    #[must_use]
    pub fn result_bytes(&self) -> usize {
        self.entry.target.result_bytes
    }

    /// Returns the names of the middlewares that a call passes, outermost
    /// first; see [`Middleware::name`](crate::call::Middleware::name).
    pub fn layers(&self) -> impl Iterator<Item = Cow<'static, str>> + use<> {
        self.names(|chains| &chains.local)
    }

    /// Returns the names of the middlewares that a call over HTTP passes, which
    /// has a default rate.
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
