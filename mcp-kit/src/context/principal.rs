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

// Without the feature, nobody asks how the caller was authenticated.
#[cfg_attr(not(feature = "http"), allow(dead_code))]
#[derive(Debug, PartialEq, Eq)]
struct Inner {
    name: String,
    scopes: Scopes,
    /// Whether an OAuth token named the caller, who can then ask for another
    /// one that has more scopes.
    is_oauth: bool,
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
        Self::with(name.into(), Scopes::of(scopes), false)
    }

    /// A caller that holds every scope.
    pub fn with_every_scope(name: impl Into<String>) -> Self {
        Self::with(name.into(), Scopes::Every, false)
    }

    /// A caller that an OAuth token names.
    #[cfg(feature = "oauth")]
    pub(crate) fn oauth<S: Into<String>>(
        name: impl Into<String>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::with(name.into(), Scopes::of(scopes), true)
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

    /// Whether an OAuth token named the caller.
    #[cfg(feature = "http")]
    pub(crate) fn is_oauth(&self) -> bool {
        self.0.is_oauth
    }

    /// The scopes by name, in order; none for a caller that holds every scope.
    #[cfg(feature = "http")]
    pub(crate) fn named_scopes(&self) -> impl Iterator<Item = &str> {
        let scopes = match &self.0.scopes {
            Scopes::Every => None,
            Scopes::These(scopes) => Some(scopes),
        };
        scopes.into_iter().flatten().map(String::as_str)
    }

    fn with(name: String, scopes: Scopes, is_oauth: bool) -> Self {
        Self(Arc::new(Inner {
            name,
            scopes,
            is_oauth,
        }))
    }
}

impl Scopes {
    fn of<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Self {
        Self::These(scopes.into_iter().map(Into::into).collect())
    }
}

impl FromContext for Principal {
    fn from_context(call: &ToolCall) -> Result<Self, ToolError> {
        Ok(call.principal().clone())
    }
}
