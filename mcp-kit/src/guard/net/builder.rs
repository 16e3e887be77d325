//! [`HttpClientBuilder`]: limits, lists and exceptions of a client.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use ipnet::IpNet;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::sync::{OnceCell, Semaphore};

use super::client::{HttpClient, Inner};
use super::error::HttpClientError;
use super::policy::{HostPattern, Policy};
use super::resolve::{Resolve, System};
use crate::limits;

/// Configures an [`HttpClient`]. Each relaxation of what is safe is a method here.
#[must_use = "nothing is made until `build` is called"]
pub struct HttpClientBuilder {
    policy: Policy,
    limits: Limits,
    concurrency: usize,
    user_agent: HeaderValue,
    resolver: Arc<dyn Resolve>,
    roots: Vec<CertificateDer<'static>>,
    proxy: Option<Proxy>,
    error: Option<HttpClientError>,
}

/// The proxy that every connection goes to.
pub(super) struct Proxy {
    pub(super) to: reqwest::Proxy,
    /// Whether the connection to the proxy itself is encrypted.
    pub(super) is_encrypted: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) time: Duration,
    pub(super) connect_time: Duration,
    pub(super) body_bytes: usize,
    pub(super) redirects: usize,
    pub(super) insecure_redirects: bool,
}

impl HttpClientBuilder {
    pub(super) fn new() -> Self {
        Self {
            policy: Policy::default(),
            limits: Limits {
                time: Duration::from_secs(20),
                connect_time: Duration::from_secs(5),
                body_bytes: 4 << 20,
                redirects: 5,
                insecure_redirects: false,
            },
            concurrency: 64,
            user_agent: HeaderValue::from_static(concat!("mcp-kit/", env!("CARGO_PKG_VERSION"))),
            resolver: Arc::new(System),
            roots: Vec::new(),
            proxy: None,
            error: None,
        }
    }

    /// Restricts the client to these hosts. `example.com` is this host alone,
    /// `*.example.com` every host below it at any depth, and not `example.com`
    /// itself. An IP address is one host, with or without the brackets of a
    /// URL. Further calls add to the list.
    ///
    /// The hosts' addresses must still be public; see
    /// [`allow_private_networks`](Self::allow_private_networks).
    pub fn allow_hosts<'a>(mut self, hosts: impl IntoIterator<Item = &'a str>) -> Self {
        let hosts = self.hosts(hosts);
        self.policy
            .allowed_hosts
            .get_or_insert_default()
            .extend(hosts);
        self
    }

    /// Never reaches hosts by these names, whatever else allows them. Another name of the
    /// same host, and its address, are entries of their own;
    /// [`deny_networks`](Self::deny_networks) refuses an address under every name. Entries
    /// are written as for [`allow_hosts`](Self::allow_hosts).
    pub fn deny_hosts<'a>(mut self, hosts: impl IntoIterator<Item = &'a str>) -> Self {
        let hosts = self.hosts(hosts);
        self.policy.denied_hosts.extend(hosts);
        self
    }

    /// Never connects to addresses of these networks (CIDR, `198.51.100.0/24`), whatever
    /// else allows them and whatever name leads to them. Name the public addresses of your
    /// own network here.
    pub fn deny_networks<'a>(mut self, networks: impl IntoIterator<Item = &'a str>) -> Self {
        let networks = self.networks(networks);
        self.policy.denied_networks.extend(networks);
        self
    }

    /// Also connects to addresses of these networks (CIDR, `10.1.0.0/16`), which are
    /// refused otherwise. Any port of them can then be reached, through any name that
    /// resolves to them: use it with [`allow_hosts`](Self::allow_hosts).
    pub fn allow_private_networks<'a>(
        mut self,
        networks: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let networks = self.networks(networks);
        self.policy.private_networks.extend(networks);
        self
    }

    /// Also connects to this address with this port, if the URL itself has it in place
    /// of a name. Names that resolve to it, and its other ports, are refused as before. The
    /// address needs no entry in [`allow_hosts`](Self::allow_hosts);
    /// [`deny_hosts`](Self::deny_hosts) and [`deny_networks`](Self::deny_networks) refuse it.
    pub fn allow_private_address(mut self, address: SocketAddr) -> Self {
        self.policy.private_addresses.push(address);
        self
    }

    /// Refuses URLs, and redirects to URLs, that start with `http://`.
    pub fn https_only(mut self) -> Self {
        self.policy.https_only = true;
        self
    }

    /// Follows redirects from `https://` to `http://`, which are refused otherwise.
    pub fn allow_insecure_redirects(mut self) -> Self {
        self.limits.insecure_redirects = true;
        self
    }

    /// Limits the time of a request, from [`send`](super::HttpRequest::send) to
    /// the end of the body: waiting, name lookup, redirects and reading
    /// included. Default: 20 s, so that the answer comes before a call's own
    /// limit of 30 s. A longer time than 365 days counts as 365 days.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.limits.time = time.min(limits::Limits::LONGEST_TIME);
        self
    }

    /// Limits the time of one connection, name lookup and TLS included.
    /// Default: 5 s. A longer time than 365 days counts as 365 days.
    pub fn connect_timeout(mut self, time: Duration) -> Self {
        self.limits.connect_time = time.min(limits::Limits::LONGEST_TIME);
        self
    }

    /// Limits the body that is read, in bytes after decompression. Default: 4
    /// MiB.
    pub fn body_bytes(mut self, most: usize) -> Self {
        self.limits.body_bytes = most;
        self
    }

    /// Limits how many redirects of one request are followed. One more is an
    /// error, so with 0 every redirect is. An answer with status 3xx and no
    /// `Location` is not a redirect: the caller reads it. Default: 5.
    pub fn redirects(mut self, most: usize) -> Self {
        self.limits.redirects = most;
        self
    }

    /// Limits how many requests run at the same time, until their responses are
    /// dropped. Further requests wait, within their time. Default: 64.
    pub fn concurrency(mut self, most: usize) -> Self {
        self.concurrency = most.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// Sets the `User-Agent`. Default: `mcp-kit/` and its version.
    pub fn user_agent(mut self, text: &str) -> Self {
        match HeaderValue::from_str(text) {
            Ok(value) => self.user_agent = value,
            Err(_) => self.fail(HttpClientError::UserAgent(text.to_owned())),
        }
        self
    }

    /// Finds addresses with `resolver` in place of the operating system.
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// Also trusts these certificate authorities (PEM), beside those that the operating
    /// system trusts.
    pub fn root_certificates(mut self, pem: &[u8]) -> Self {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        match found {
            Ok(found) if !found.is_empty() => self.roots.extend(found),
            Ok(_) => self.fail(HttpClientError::Certificates("there is none".into())),
            Err(error) => {
                self.fail(HttpClientError::Certificates(error.to_string().into()));
            }
        }
        self
    }

    /// Sends every request through this HTTP proxy (`http://proxy.example:3128`), whose
    /// own address may be private. Proxies that the environment names are not used.
    ///
    /// The proxy resolves the names then, so that it must refuse private addresses. The
    /// lists of hosts, and addresses in URLs and redirects, are checked as before.
    pub fn proxy(mut self, url: &str) -> Self {
        let is_encrypted = url.starts_with("https://");
        match reqwest::Proxy::all(url) {
            Ok(to) if is_encrypted || url.starts_with("http://") => {
                self.proxy = Some(Proxy { to, is_encrypted });
            }
            _ => self.fail(HttpClientError::Proxy),
        }
        self
    }

    /// Creates the client. Certificates are loaded with the first request that
    /// requires them.
    ///
    /// # Errors
    ///
    /// Returns the first entry that cannot be used.
    pub fn build(self) -> Result<HttpClient, HttpClientError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        Ok(HttpClient(Arc::new(Inner {
            policy: Arc::new(self.policy),
            limits: self.limits,
            user_agent: self.user_agent,
            resolver: self.resolver,
            roots: self.roots,
            proxy: self.proxy,
            permits: Arc::new(Semaphore::new(self.concurrency)),
            plain: OnceCell::new(),
            encrypted: OnceCell::new(),
        })))
    }

    fn hosts<'a>(&mut self, hosts: impl IntoIterator<Item = &'a str>) -> Vec<HostPattern> {
        self.parsed(hosts, HostPattern::parse, HttpClientError::Host)
    }

    fn networks<'a>(&mut self, networks: impl IntoIterator<Item = &'a str>) -> Vec<IpNet> {
        let parse = |text: &str| text.parse().ok();
        self.parsed(networks, parse, HttpClientError::Network)
    }

    fn parsed<'a, T>(
        &mut self,
        texts: impl IntoIterator<Item = &'a str>,
        parse: impl Fn(&str) -> Option<T>,
        error: impl Fn(String) -> HttpClientError,
    ) -> Vec<T> {
        let mut parsed = Vec::new();
        for text in texts {
            match parse(text) {
                Some(value) => parsed.push(value),
                None => self.fail(error(text.to_owned())),
            }
        }
        parsed
    }

    fn fail(&mut self, error: HttpClientError) {
        self.error.get_or_insert(error);
    }
}

impl fmt::Debug for HttpClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClientBuilder")
            .field("policy", &self.policy)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
