//! The edge: what a request passes before the protocol's endpoint reads it, and
//! the paths that are not the protocol's.
//!
//! ```text
//! request → form → host and origin → this machine only? → open requests
//!         → rate of the address → authentication → rate of the principal → endpoint
//! ```
//!
//! [`HttpOptions`](options::HttpOptions) and
//! [`HttpLimits`](crate::transport::http::HttpLimits) configure the checks. The probes and the OAuth documents pass fewer of them.

pub(super) mod admission;
pub(super) mod cors;
pub(super) mod forwarded;
pub(super) mod host_check;
pub(super) mod options;
pub(super) mod probes;
pub(super) mod resources;

use std::sync::{Arc, Once};

use http::Response;

use self::host_check::HostCheck;
use self::options::HttpOptions;
use self::probes::Readiness;
use self::resources::Resources;
use crate::caller::Principal;
use crate::limits::EdgeLimits;
use crate::transport::http::message::body::HttpBody;
use crate::transport::http::message::open_requests::OpenRequests;

/// The checks of a service.
pub(crate) struct Edge {
    pub(crate) options: Arc<HttpOptions>,
    pub(crate) hosts: HostCheck,
    /// The documents about where clients get a token for this server.
    pub(crate) resources: Resources,
    pub(crate) requests: Arc<OpenRequests>,
    rates: EdgeLimits,
    /// The caller if no authentication is configured.
    anonymous: Principal,
    readiness: Arc<Readiness>,
    /// No authentication is configured, and callers without it are not allowed:
    /// only this machine is served.
    is_local: bool,
    /// The server is local, and the options name other hosts: no caller is
    /// served.
    is_locked: bool,
    logged_local: Once,
}

impl Edge {
    pub(crate) fn new(options: Arc<HttpOptions>, hosts: HostCheck, rates: EdgeLimits) -> Self {
        let is_local = !options.has_authentication() && !options.allow_unauthenticated;
        let is_locked = is_local && hosts.names_hosts();
        if is_locked {
            tracing::error!(
                target: "mcp_kit::http",
                "every request is refused: {}",
                admission::LOCKED
            );
        }
        let most = options.limits.connections.min(options.limits.requests);
        Self {
            resources: Resources::of(&options),
            requests: OpenRequests::new(most),
            rates,
            anonymous: Principal::new("anonymous", [""; 0]),
            readiness: Arc::default(),
            is_local,
            is_locked,
            logged_local: Once::new(),
            options,
            hosts,
        }
    }

    /// Answers `/readyz`.
    pub(crate) async fn readiness(&self, is_ending: bool) -> Response<HttpBody> {
        if is_ending {
            return probes::unready("draining", &[]);
        }
        let failing = self.readiness.failing(&self.options).await;
        if failing.is_empty() {
            probes::ok()
        } else {
            probes::unready("unready", &failing)
        }
    }
}
