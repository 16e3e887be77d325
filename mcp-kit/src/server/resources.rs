//! Finds what a request calls: the primitive, and of a resource also its URI and
//! the values in it; and what a request for completions completes.

use std::sync::Arc;

use super::ServerInner;
use super::dispatch::text;
use crate::call::{ListRequest, Subject, Target};
use crate::caller::Principal;
use crate::primitive::UriProblem;
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
    /// Finds the completion of the parameter `ref`.
    pub(super) fn find_completion(&self, params: &Params<'_>, _: Era) -> Result<Found, RpcError> {
        let Some(completing) = self.registry.current().completing() else {
            return Err(RpcError::method_not_found("completion/complete"));
        };
        let (kind, key, request) = (completing.read)(params)?;
        let target = self.registry.completion(kind, &key);
        Ok(Found {
            target: target.ok_or_else(|| RpcError::unknown(&kind.to_string(), &key))?,
            subject: Some(Box::new(Subject::Complete(request))),
            arguments: None,
        })
    }

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
        let current = self.registry.current();
        let Some(code) = current.resource_code() else {
            return Ok(None);
        };
        let found = (code.find)(&current, uri)?;
        Ok(found.map(|found| Found {
            target: Arc::clone(&found.entry.target),
            subject: Some(Box::new(Subject::Read(found.uri))),
            arguments: found.arguments,
        }))
    }
}
