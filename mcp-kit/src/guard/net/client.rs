//! [`HttpClient`], and one request of it without redirects.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use tokio::sync::{OnceCell, Semaphore};

use super::builder::{HttpClientBuilder, Limits, Proxy};
use super::error::HttpError;
use super::policy::Policy;
use super::request::HttpRequest;
use super::resolve::{Checked, Resolve};
use super::url::SafeUrl;
use crate::support::{lookup, tls};

/// An HTTP client that connects to public addresses only, within limits.
///
/// It is cheap to clone: clones share the limits. Make one for each purpose, with its
/// own lists, and hand it to tools as state. Each request has a connection of its own.
///
/// # What is refused
///
/// An address that IANA's registries do not list as public: loopback, private,
/// link-local, shared (CGNAT), multicast, documentation, benchmarking and reserved
/// addresses, the metadata services of clouds, and forms of IPv6 that hold an IPv4
/// address (mapped, compatible, 6to4, Teredo). An address of the NAT64 prefix
/// 64:ff9b::/96 counts as the IPv4 address in it.
///
/// If one of a name's addresses is refused, the name is refused. The connection goes to
/// an address that was checked; a name is not resolved a second time for it. TLS
/// verifies the name. Redirects are requests like the first: their URLs are checked, and
/// another origin gets neither credentials nor a body (see [`HttpRequest::header`]), and
/// only methods that are safe (RFC 9110, section 9.2.1).
///
/// Cookies are not stored, no `Referer` is sent, and proxies that the environment names
/// are not used.
///
/// # What it does not do
///
/// A public address can belong to your own network: hosts of a network with global IPv6
/// addresses, the server's own public address, and the addresses behind a NAT64 prefix
/// that your network chose itself (RFC 6052, section 2.2). IANA's registries do not list
/// them, so the client connects to them. Name them with
/// [`deny_networks`](HttpClientBuilder::deny_networks), or name the only hosts with
/// [`allow_hosts`](HttpClientBuilder::allow_hosts).
///
/// A service on the public internet that admits a client because of its address admits
/// this client for every caller of the tool.
///
/// ```no_run
/// use mcp_kit::guard::{HttpClient, HttpError, SafeUrl};
///
/// # async fn fetch() -> Result<(), Box<dyn std::error::Error>> {
/// let client = HttpClient::builder()
///     .allow_hosts(["example.com", "*.example.com"])
///     .body_bytes(1 << 20)
///     .build()?;
/// let url = SafeUrl::parse("https://example.com/")?;
/// let page = client.get(&url).send().await?.error_for_status()?.text().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HttpClient(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) policy: Arc<Policy>,
    pub(super) limits: Limits,
    pub(super) user_agent: HeaderValue,
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) roots: Vec<CertificateDer<'static>>,
    pub(super) proxy: Option<Proxy>,
    pub(super) permits: Arc<Semaphore>,
    /// For connections without TLS, which need no certificates.
    pub(super) plain: OnceCell<reqwest::Client>,
    pub(super) encrypted: OnceCell<reqwest::Client>,
}

/// The most headers of an answer. hyper reads at most some 400 KiB of them.
const MOST_HEADERS: usize = 100;

/// How long the system's certificates may take to load.
const LOADING_TIME: Duration = Duration::from_secs(10);

impl HttpClient {
    /// Returns the builder of a client with the default limits, which reaches
    /// every public host.
    pub fn builder() -> HttpClientBuilder {
        HttpClientBuilder::new()
    }

    /// Creates a `GET` request. Nothing is sent yet.
    pub fn get(&self, url: &SafeUrl) -> HttpRequest {
        self.request(Method::GET, url)
    }

    /// Creates a `POST` request. Nothing is sent yet.
    pub fn post(&self, url: &SafeUrl) -> HttpRequest {
        self.request(Method::POST, url)
    }

    /// Creates a request with any method but `CONNECT` and `TRACE`. Nothing is
    /// sent yet.
    pub fn request(&self, method: Method, url: &SafeUrl) -> HttpRequest {
        HttpRequest::new(self.clone(), method, url.clone())
    }
}

impl Inner {
    /// Sends one request, after its URL was checked.
    pub(super) async fn exchange(
        &self,
        method: &Method,
        url: &SafeUrl,
        headers: &HeaderMap,
        body: Option<&Bytes>,
    ) -> Result<reqwest::Response, HttpError> {
        self.policy.check_url(url).map_err(HttpError::new)?;
        let to_proxy = self.proxy.as_ref().is_some_and(|proxy| proxy.is_encrypted);
        let client = match url.is_encrypted() || to_proxy {
            true => self.encrypted.get_or_try_init(|| self.trusting()).await?,
            false => {
                let plain = async || self.connector(RootCertStore::empty());
                self.plain.get_or_try_init(plain).await?
            }
        };
        let mut request = client
            .request(method.clone(), url.as_url().clone())
            .headers(headers.clone());
        if let Some(body) = body {
            request = request.body(body.clone());
        }
        let answer = request.send().await;
        answer.map_err(|error| HttpError::of_reqwest(error, self.limits.connect_time))
    }

    /// Returns the client that makes connections with TLS. Certificates are
    /// files, so they are read on a thread for that, and not before there is a
    /// request: a server's start does not wait for it.
    async fn trusting(&self) -> Result<reqwest::Client, HttpError> {
        let roots = self.roots.clone();
        let load = move || {
            let mut trusted = tls::trusted_roots();
            trusted.add_parsable_certificates(roots);
            trusted
        };
        let trusted = lookup::FILES.run(LOADING_TIME, load).await;
        match trusted.map_err(HttpError::internal)? {
            // Not kept: the next request finds the certificates that are installed by then.
            trusted if trusted.is_empty() => Err(HttpError::internal(tls::NO_ROOTS)),
            trusted => self.connector(trusted),
        }
    }

    /// Creates the client that makes connections, and trusts `roots`.
    fn connector(&self, roots: RootCertStore) -> Result<reqwest::Client, HttpError> {
        let resolver = Checked {
            policy: Arc::clone(&self.policy),
            resolver: Arc::clone(&self.resolver),
            is_for_proxy: self.proxy.is_some(),
        };
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(roots).map_err(HttpError::internal)?)
            .http1_only()
            .http1_max_headers(MOST_HEADERS)
            .dns_resolver(resolver)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .user_agent(self.user_agent.clone())
            .connect_timeout(self.limits.connect_time)
            // No connection is kept: each request resolves and checks anew, and none is
            // sent into a connection that the server is about to close.
            .pool_max_idle_per_host(0);
        let client = match &self.proxy {
            Some(proxy) => client.proxy(proxy.to.clone()),
            None => client,
        };
        client.build().map_err(HttpError::internal)
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("policy", &self.0.policy)
            .field("limits", &self.0.limits)
            .finish_non_exhaustive()
    }
}
