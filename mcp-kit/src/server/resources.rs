//! Finds what a request calls: the primitive, and of a resource also its URI and
//! the values in it.

use std::sync::Arc;

use crate::support::json::to_text;

use super::ServerInner;
use super::dispatch::text;
use crate::call::{ListRequest, ResourceUri, Subject, Target};
use crate::caller::Principal;
use crate::primitive::{Kind, UriProblem};
use crate::protocol::params::Params;
use crate::protocol::{Era, RpcError};
use crate::registry::Entry;

/// What a request calls.
pub(super) struct Found {
    pub(super) target: Arc<Target>,
    pub(super) subject: Option<Box<Subject>>,
    /// The arguments, if they are not those of the request: the values in a URI, as
    /// a JSON object.
    pub(super) arguments: Option<String>,
}

impl Found {
    /// Returns a page of a provider's resources.
    pub(super) fn list(provider: &Entry, request: ListRequest) -> Self {
        Self {
            target: Arc::clone(&provider.target),
            subject: Some(Box::new(Subject::List(request))),
            arguments: None,
        }
    }

    /// Returns the URI that is read.
    pub(super) fn uri(&self) -> Option<&str> {
        match self.subject.as_deref()? {
            Subject::Read(uri) => Some(uri.as_str()),
            Subject::List(_) | Subject::Complete(_) => None,
        }
    }

    /// Refuses a caller that may not read the URI, as if it did not exist.
    pub(super) fn check_readable(&self, principal: &Principal, era: Era) -> Result<(), RpcError> {
        match self.subject.as_deref() {
            Some(Subject::Read(uri)) if !self.target.allows(principal, uri) => {
                Err(RpcError::unknown_resource(era, uri.as_str()))
            }
            _ => Ok(()),
        }
    }
}

impl From<Arc<Target>> for Found {
    fn from(target: Arc<Target>) -> Self {
        Self {
            target,
            subject: None,
            arguments: None,
        }
    }
}

impl ServerInner {
    /// Finds the resource, template or provider of the parameter `uri`.
    pub(super) fn find_resource(&self, params: &Params<'_>, era: Era) -> Result<Found, RpcError> {
        let uri = text(params.uri, "uri")?;
        let found = self.find_uri(&uri).map_err(|problem| {
            RpcError::invalid_params(format!("Invalid params: \"uri\": {problem}"))
        })?;
        found.ok_or_else(|| RpcError::unknown_resource(era, &uri))
    }

    /// Finds the resource, template or provider of a URI; `None` if there is none.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the URI.
    pub(super) fn find_uri(&self, uri: &str) -> Result<Option<Found>, UriProblem> {
        let resolved = self.registry.current().resolve(uri)?;
        let Some(resolved) = resolved.filter(|resolved| !resolved.entry.is_hidden()) else {
            return Ok(None);
        };
        let target = Arc::clone(&resolved.entry.target);
        let takes_values =
            target.info.kind() == Kind::ResourceTemplate && !resolved.entry.is_provider();
        Ok(Some(Found {
            target,
            arguments: takes_values.then(|| arguments_of(&resolved.uri)),
            subject: Some(Box::new(Subject::Read(resolved.uri))),
        }))
    }
}

/// Writes the values as an object of texts. A parameter that a query has twice is
/// an argument that appears twice.
fn arguments_of(uri: &ResourceUri) -> String {
    let members = uri.values();
    let members = members
        .map(|(name, value)| format!("{}:{}", to_text(&name.into()), to_text(&value.into())));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}
