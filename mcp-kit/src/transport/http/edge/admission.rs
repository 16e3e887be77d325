//! The admission checks: what a request must pass before the endpoint reads it,
//! from the form of its head to its caller and the rates.

use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use http::header::TRANSFER_ENCODING;
use http::request::Parts;
use http::{Response, StatusCode};

use crate::auth::{AuthError, Credentials};
use crate::caller::Principal;
use crate::support::error_text;
use crate::transport::http::connection::Client;
use crate::transport::http::edge::{Edge, cors};
use crate::transport::http::message::body::HttpBody;
use crate::transport::http::message::open_requests::OpenRequest;
use crate::transport::http::message::refusal::{Reason, Refusal, busy, limited};

/// Why the server refuses other machines.
const LOCAL: &str = "it comes from another machine, and no authentication is configured. Give API keys, in MCP_API_KEYS or a file, or with .authenticate(…); or allow every caller with .allow_unauthenticated()";

/// Why a mounted service refuses a request without an address.
const NO_PEER: &str = "no authentication is configured, and it is not known whether it comes from this machine. Give API keys, in MCP_API_KEYS or a file, or with .authenticate(…); or give each request its address, as the extension PeerAddr, to serve this machine alone; or allow every caller with .allow_unauthenticated()";

/// Why a service refuses every caller.
pub(crate) const LOCKED: &str = "a host, an origin or a public URL is named, and no authentication is configured. Give API keys, in MCP_API_KEYS or a file, or with .authenticate(…); or allow every caller with .allow_unauthenticated() (--allow-unauthenticated)";

/// A request that was admitted.
pub(crate) enum Admitted {
    /// Its caller, with the client's address, and its place among the open
    /// requests.
    Caller((Principal, Option<IpAddr>), OpenRequest),
    /// The answer to a browser's preflight request.
    Preflight(Box<Response<HttpBody>>),
}

impl Edge {
    /// Checks a request for one of the protocol's paths.
    pub(crate) async fn admit(&self, parts: &Parts, client: &Client) -> Result<Admitted, Refusal> {
        if let Some(response) = self.preflight(parts, client)? {
            return Ok(Admitted::Preflight(Box::new(response)));
        }
        let (caller, open) = self.enter(parts, client.address).await?;
        Ok(Admitted::Caller(caller, open))
    }

    /// Charges an endless stream to the rate of the caller, or of the address if
    /// no authentication is configured.
    #[cfg(feature = "sse")]
    pub(crate) async fn admit_stream(
        &self,
        caller: &Principal,
        client: &Client,
    ) -> Result<(), Refusal> {
        let (reason, whose) = if self.options.has_authentication() {
            (Reason::RatePrincipal, "this caller")
        } else {
            (Reason::RateAddress, "this address")
        };
        // Without an address, unauthenticated callers cannot be distinguished.
        if self.options.has_authentication() || client.address.is_some() {
            let taken = self.rates.stream(caller).await;
            taken.map_err(|refused| limited(refused, reason, whose))?;
        }
        Ok(())
    }

    /// The answer to a browser's preflight request, if it is one.
    pub(crate) fn preflight(
        &self,
        parts: &Parts,
        client: &Client,
    ) -> Result<Option<Response<HttpBody>>, Refusal> {
        if parts.method != http::Method::OPTIONS || !self.hosts.has_cors() {
            return Ok(None);
        }
        self.check_host(parts)?;
        self.check_machine(parts, client.address)?;
        Ok(Some(cors::preflight(&parts.headers)))
    }

    /// Runs the admission checks. Returns the caller and its address, and a
    /// place among the open requests.
    pub(crate) async fn enter(
        &self,
        parts: &Parts,
        peer: Option<IpAddr>,
    ) -> Result<((Principal, Option<IpAddr>), OpenRequest), Refusal> {
        self.check_host(parts)?;
        self.check_machine(parts, peer)?;
        let Some(open) = self.requests.open(self.options.limits.requests) else {
            return Err(busy());
        };
        let client = peer.map(|peer| self.options.proxies.client(peer, &parts.headers));
        let of_address = |refused| limited(refused, Reason::RateAddress, "this address");
        let arrival = client.map(|client| self.rates.arrival(client)).transpose();
        let arrival = arrival.map_err(of_address)?;
        let authenticated = self.authenticate(parts, client).await;
        match arrival {
            Some(arrival) if self.options.has_authentication() && authenticated.is_ok() => {
                arrival.of_known();
            }
            Some(arrival) => arrival.of_unknown().await.map_err(of_address)?,
            None => {}
        }
        let principal = authenticated?;
        let taken = self.rates.principal(&principal).await;
        taken.map_err(|refused| limited(refused, Reason::RatePrincipal, "this caller"))?;
        Ok(((principal, client), open))
    }

    fn check_host(&self, parts: &Parts) -> Result<(), Refusal> {
        Ok(self.hosts.check(&parts.uri, &parts.headers)?)
    }

    /// Serves only this machine if no authentication is configured. The headers
    /// of a request are ignored: its sender chooses them.
    fn check_machine(&self, parts: &Parts, peer: Option<IpAddr>) -> Result<(), Refusal> {
        if !self.is_local {
            return Ok(());
        }
        let is_here = |address: IpAddr| address.to_canonical().is_loopback();
        let comes_from_here = peer.is_some_and(|peer| {
            is_here(peer) && is_here(self.options.proxies.client(peer, &parts.headers))
        });
        if comes_from_here && !self.is_locked {
            return Ok(());
        }
        if !self.is_locked {
            self.logged_local.call_once(|| {
                let why = if peer.is_some() { LOCAL } else { NO_PEER };
                tracing::error!(target: "mcp_kit::http", "a request is refused: {why}");
            });
        }
        Err(Refusal::new(
            StatusCode::FORBIDDEN,
            Reason::Forbidden,
            "Forbidden: the server is set up for this machine only; its log lists what to configure",
        ))
    }

    async fn authenticate(
        &self,
        parts: &Parts,
        client: Option<IpAddr>,
    ) -> Result<Principal, Refusal> {
        let authenticators = &self.options.authenticators;
        if authenticators.is_empty() {
            let anonymous = self.anonymous.clone();
            return Ok(match client {
                Some(client) => anonymous.at(client),
                None => anonymous,
            });
        }
        let authenticated = async {
            let credentials = Credentials::from_parts(parts)?
                .at(client)
                .for_resource(self.resources.asked_at(parts.uri.path()));
            authenticators.authenticate(&credentials).await
        };
        let error = match in_time(authenticated).await {
            Ok(Some(principal)) => return Ok(principal),
            Ok(None) => None,
            Err(error) if error.is_unavailable() => {
                tracing::error!(
                    target: "mcp_kit::http",
                    error = error_text::of(&error),
                    "credentials cannot be checked"
                );
                return Err(Refusal::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    Reason::AuthUnavailable,
                    "Credentials cannot be checked at the moment. Try again in a few seconds.",
                )
                .retry_after(5));
            }
            Err(error) => Some(error),
        };
        let message = match error.as_ref().and_then(|error| error.reason()) {
            Some(reason) => format!("Unauthorized: {reason}"),
            None => format!("Unauthorized: {}", authenticators.what_to_send()),
        };
        Err(
            Refusal::new(StatusCode::UNAUTHORIZED, Reason::Unauthenticated, message)
                .challenges(authenticators.challenges(error.as_ref())),
        )
    }
}

/// Refuses what this server would read differently from a proxy before it:
/// transfer codings that are not decoded here, and targets of other protocols.
pub(crate) fn check_form(parts: &Parts) -> Result<(), Refusal> {
    let mut codings = parts.headers.get_all(TRANSFER_ENCODING).iter();
    let is_coded = match (codings.next(), codings.next()) {
        (None, _) => false,
        (Some(coding), None) => !coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => true,
    };
    if is_coded {
        return Err(Refusal::new(
            StatusCode::NOT_IMPLEMENTED,
            Reason::Malformed,
            "Not implemented: the only Transfer-Encoding that this server takes is chunked",
        )
        .closing());
    }
    match parts.uri.scheme_str() {
        None | Some("http" | "https") => Ok(()),
        Some(_) => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            Reason::Host,
            "Bad request: the target must be a path, or a URL of http or https",
        )),
    }
}

/// Returns the authenticators' decision, or an error after 5 s.
async fn in_time(
    asking: impl Future<Output = Result<Option<Principal>, AuthError>>,
) -> Result<Option<Principal>, AuthError> {
    const TIME: Duration = Duration::from_secs(5);
    let mut asking = pin!(asking);
    // Most decide at once, and need no timer.
    match poll_fn(|cx| Poll::Ready(asking.as_mut().poll(cx))).await {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => match tokio::time::timeout(TIME, asking).await {
            Ok(outcome) => outcome,
            Err(_) => Err(AuthError::unavailable("no answer within 5 s")),
        },
    }
}
