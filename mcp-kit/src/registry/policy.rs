//! The settings of a primitive's calls.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::call::{Chains, Middleware};
#[cfg(feature = "cli")]
use crate::primitive::TaskSupport;
use crate::primitive::{Annotations, Kind, PrimitiveInfo};
use crate::registry::Entry;

/// The settings of one primitive's calls: the author's, the server's and the
/// registration's merged. It does not change when the registry changes.
#[derive(Clone)]
pub struct CallPolicy(Arc<Entry>);

impl Entry {
    /// Returns the definition, if it is of this kind: a
    /// [`ToolDefinition`](crate::primitive::ToolDefinition), a
    /// [`PromptDefinition`](crate::primitive::PromptDefinition).
    pub(crate) fn definition<D: Any + Send + Sync>(&self) -> Option<Arc<D>> {
        let definition: Arc<dyn Any + Send + Sync> = Arc::clone(&self.definition) as _;
        definition.downcast().ok()
    }
}

impl CallPolicy {
    pub(crate) fn of(entry: &Arc<Entry>) -> Self {
        Self(Arc::clone(entry))
    }

    /// Returns the primitive's kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.info().kind()
    }

    /// Returns what clients know of the primitive: its name, description,
    /// scopes and hints.
    #[must_use]
    pub fn info(&self) -> &PrimitiveInfo {
        &self.0.target.info
    }

    /// Writes the primitive for people.
    #[cfg(feature = "cli")]
    pub(crate) fn describe(&self, text: &mut String) {
        self.0.definition.describe(self.info(), text);
    }

    /// Returns which calls become tasks.
    #[cfg(feature = "cli")]
    pub(crate) fn task(&self) -> Option<TaskSupport> {
        self.0.definition.task().map(|task| task.support)
    }

    /// Whether it is a provider of resources.
    #[cfg(feature = "cli")]
    pub(crate) fn is_provider(&self) -> bool {
        self.0.is_provider()
    }

    /// Returns the arguments for which there are suggestions.
    #[cfg(feature = "cli")]
    pub(crate) fn completed(&self) -> &[String] {
        &self.0.completed
    }

    /// Returns the time limit of a call, waiting included.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.0.target.timeout
    }

    /// Returns the hints of a tool, with those of
    /// [`ServerBuilder::default_hints`](crate::server::ServerBuilder::default_hints)
    /// for hints that it does not set. Other primitives have none.
    #[must_use]
    pub fn annotations(&self) -> &Annotations {
        self.info().annotations()
    }

    /// Returns the scopes that a caller must hold: the primitive's own, and
    /// those of its routers.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.info().scopes()
    }

    /// Returns the size of the largest result, in bytes of JSON.
    #[must_use]
    pub fn result_bytes(&self) -> usize {
        self.0.target.result_bytes
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
        let layers = chain(&self.0.target.chains).iter();
        layers
            .map(|layer| layer.name())
            .collect::<Vec<_>>()
            .into_iter()
    }
}

impl fmt::Debug for CallPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallPolicy")
            .field("kind", &self.kind())
            .field("name", &self.info().name())
            .field("timeout", &self.timeout())
            .field("result_bytes", &self.result_bytes())
            .field("layers", &self.layers().collect::<Vec<_>>())
            .finish()
    }
}
