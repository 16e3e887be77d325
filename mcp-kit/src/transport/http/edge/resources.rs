//! The documents from which OAuth clients learn where to get a token for this server
//! (RFC 9728).
//!
//! | path below `/.well-known/oauth-protected-resource` | whose document |
//! |---|---|
//! | that of the endpoint, such as `/mcp` | the endpoint's |
//! | none | the endpoint's, for clients that request only the root |
//! | `/sse` | the older transport's: clients compare its `resource` with the URL that they were given |

use crate::auth::ProtectedResource;
use crate::auth::WELL_KNOWN;
use crate::transport::http::edge::options::HttpOptions;
#[cfg(feature = "sse")]
use crate::transport::http::message::refusal::Refusal;

/// The path of the streams of 2024-11-05.
#[cfg(feature = "sse")]
pub(crate) const SSE_STREAM: &str = "/sse";

/// The path to which clients of 2024-11-05 send messages.
#[cfg(feature = "sse")]
pub(crate) const SSE_MESSAGES: &str = "/messages";

/// The published documents; none unless an authenticator accepts tokens.
#[derive(Default)]
pub(crate) struct Resources {
    endpoint: Option<Published>,
    #[cfg(feature = "sse")]
    sse: Option<Published>,
}

struct Published {
    resource: ProtectedResource,
    json: String,
}

impl Resources {
    pub(crate) fn of(options: &HttpOptions) -> Self {
        let Some(resource) = options.authenticators.protected_resource() else {
            return Self::default();
        };
        Self {
            #[cfg(feature = "sse")]
            sse: (options.has_sse.then_some(&resource))
                .and_then(|resource| resource.beside(&options.path, SSE_STREAM))
                .map(Published::new),
            endpoint: Some(Published::new(resource)),
        }
    }

    /// The document at this path.
    pub(crate) fn document(&self, path: &str) -> Option<&[u8]> {
        #[cfg(feature = "sse")]
        if let Some(published) = &self.sse
            && published.resource.path() == path
        {
            return Some(published.json.as_bytes());
        }
        let published = self.endpoint.as_ref()?;
        let is_there = path == WELL_KNOWN || path == published.resource.path();
        is_there.then_some(published.json.as_bytes())
    }

    /// The URL that tokens may name as their audience at this path, if it
    /// differs from the endpoint's.
    pub(crate) fn asked_at(&self, path: &str) -> Option<&str> {
        #[cfg(feature = "sse")]
        if matches!(path, SSE_STREAM | SSE_MESSAGES) {
            return self.sse.as_ref().map(|one| one.resource.resource());
        }
        let _ = path;
        None
    }

    /// Returns a refusal of the older transport with its own document in the
    /// challenges.
    #[cfg(feature = "sse")]
    pub(crate) fn of_sse(&self, refusal: Refusal) -> Refusal {
        match (&self.endpoint, &self.sse) {
            (Some(endpoint), Some(sse)) => refusal.with_metadata(
                endpoint.resource.metadata_url(),
                sse.resource.metadata_url(),
            ),
            _ => refusal,
        }
    }
}

impl Published {
    fn new(resource: ProtectedResource) -> Self {
        Self {
            json: resource.to_json(),
            resource,
        }
    }
}
