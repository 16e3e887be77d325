//! Who calls.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::FromContext;
use crate::tool::{ToolCall, ToolError};

/// The caller: a name and the scopes it holds.
///
/// Over stdio the caller is `local`, which holds every scope unless the server
/// is built with [`local_scopes`](crate::server::ServerBuilder::local_scopes).
/// Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal(Arc<Inner>);

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    name: String,
    scopes: Scopes,
}

#[derive(Debug, PartialEq, Eq)]
enum Scopes {
    Every,
    These(BTreeSet<String>),
}

impl Principal {
    /// A caller with exactly these scopes.
    pub fn new<S: Into<String>>(
        name: impl Into<String>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::with(
            name.into(),
            Scopes::These(scopes.into_iter().map(Into::into).collect()),
        )
    }

    /// A caller that holds every scope.
    pub fn with_every_scope(name: impl Into<String>) -> Self {
        Self::with(name.into(), Scopes::Every)
    }

    /// The caller's name, as logs and limits have it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether the caller holds `scope`.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        match &self.0.scopes {
            Scopes::Every => true,
            Scopes::These(scopes) => scopes.contains(scope),
        }
    }

    fn with(name: String, scopes: Scopes) -> Self {
        Self(Arc::new(Inner { name, scopes }))
    }
}

impl FromContext for Principal {
    fn from_context(call: &ToolCall) -> Result<Self, ToolError> {
        Ok(call.principal().clone())
    }
}
