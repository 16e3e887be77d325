//! The metadata that a server publishes for OAuth clients (RFC 9728).

use std::error::Error;
use std::fmt;
use std::net::IpAddr;

use http::Uri;
use serde_json::json;

/// The well-known path of the metadata document (RFC 9728, section 3).
pub(crate) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// A server that OAuth tokens give access to: the contents and the address of
/// its metadata document.
///
/// `OAuth` (feature `oauth`) makes one. An
/// [`Authenticator`](super::Authenticator) of your own that accepts tokens
/// returns one from
/// [`protected_resource`](super::Authenticator::protected_resource), and the
/// HTTP service publishes it.
///
/// ```
/// use mcp_kit::auth::ProtectedResource;
///
/// let resource = ProtectedResource::new("https://mcp.example.com/mcp")?
///     .authorization_server("https://auth.example.com")
///     .scopes_supported(["files:read"]);
/// assert_eq!(resource.path(), "/.well-known/oauth-protected-resource/mcp");
/// # Ok::<(), mcp_kit::auth::ProtectedResourceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedResource {
    resource: String,
    metadata_url: String,
    authorization_servers: Vec<String>,
    scopes_supported: Vec<String>,
    initial_scopes: Vec<String>,
}

impl ProtectedResource {
    /// Creates the resource with the URL of the MCP endpoint, as clients reach
    /// it from outside: `https://mcp.example.com/mcp`.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL is not an absolute `https` one, or an `http`
    /// one of a loopback host, or if it has a query, a fragment or a user.
    pub fn new(resource: impl Into<String>) -> Result<Self, ProtectedResourceError> {
        let resource = resource.into();
        let uri = absolute(&resource).ok_or(ProtectedResourceError(()))?;
        Ok(Self {
            resource,
            metadata_url: metadata_url(&uri),
            authorization_servers: Vec::new(),
            scopes_supported: Vec::new(),
            initial_scopes: Vec::new(),
        })
    }

    /// Adds the issuer of an authorization server from which clients can get
    /// tokens.
    #[must_use]
    pub fn authorization_server(mut self, issuer: impl Into<String>) -> Self {
        add(&mut self.authorization_servers, issuer.into());
        self
    }

    /// Adds scopes that tools of this server require. Clients may read them as
    /// the list of scopes to request from their users.
    #[must_use]
    pub fn scopes_supported<S: Into<String>>(
        mut self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        for scope in scopes {
            add(&mut self.scopes_supported, scope.into());
        }
        self
    }

    /// Adds scopes that the 401 of a request without a token names: those that
    /// a client should request first. It requests more when a tool requires
    /// more.
    #[must_use]
    pub fn initial_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        for scope in scopes {
            add(&mut self.initial_scopes, scope.into());
        }
        self
    }

    /// Returns the URL that tokens must name as their audience.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Returns the absolute URL of the metadata document.
    #[must_use]
    pub fn metadata_url(&self) -> &str {
        &self.metadata_url
    }

    /// Returns the path of the metadata document: the well-known one, followed
    /// by the resource's own.
    #[must_use]
    pub fn path(&self) -> &str {
        self.metadata_url
            .find(WELL_KNOWN)
            .map_or(WELL_KNOWN, |start| &self.metadata_url[start..])
    }

    /// Returns the metadata document, as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut document = json!({
            "resource": self.resource,
            "authorization_servers": self.authorization_servers,
            "bearer_methods_supported": ["header"],
        });
        if !self.scopes_supported.is_empty() {
            document["scopes_supported"] = json!(self.scopes_supported);
        }
        document.to_string()
    }

    /// Returns the challenge of a 401 (RFC 9728, section 5.1).
    #[must_use]
    pub fn challenge(&self) -> String {
        let url = &self.metadata_url;
        let scopes = scope_list(self.initial_scopes.iter().map(String::as_str));
        match scopes.as_str() {
            "" => format!("Bearer resource_metadata=\"{url}\""),
            scopes => format!("Bearer resource_metadata=\"{url}\", scope=\"{scopes}\""),
        }
    }

    /// Returns the challenge of a 403 to a caller that holds `held` and lacks
    /// `missing` (RFC 6750, section 3.1). Clients request exactly the scopes
    /// that it names, so it also names those that they hold.
    pub(crate) fn insufficient_scope<'a>(
        &'a self,
        held: impl Iterator<Item = &'a str>,
        missing: &'a str,
    ) -> String {
        /// In bytes; clients and proxies limit the size of headers.
        const LONGEST: usize = 2048;
        let mut scopes = scope_list(held.filter(|scope| *scope != missing).chain([missing]));
        if scopes.len() > LONGEST {
            scopes = scope_list([missing].into_iter());
        }
        let url = &self.metadata_url;
        format!(
            "Bearer error=\"insufficient_scope\", scope=\"{scopes}\", resource_metadata=\"{url}\""
        )
    }

    /// Returns the same server at `path` in place of its `endpoint`, with the
    /// prefix of the endpoint's path that clients see.
    #[cfg(feature = "sse")]
    pub(crate) fn beside(&self, endpoint: &str, path: &str) -> Option<Self> {
        let uri = absolute(&self.resource)?;
        let own = uri.path().trim_end_matches('/');
        let prefix = own.strip_suffix(endpoint.trim_end_matches('/'));
        let host = &metadata_url(&uri);
        let host = &host[..host.find(WELL_KNOWN)?];
        let moved = Self::new(format!("{host}{}{path}", prefix.unwrap_or_default())).ok()?;
        Some(Self {
            resource: moved.resource,
            metadata_url: moved.metadata_url,
            ..self.clone()
        })
    }

    /// Adds the metadata of `other` for the same resource, so that a server may
    /// accept tokens of several issuers.
    pub(crate) fn merge(&mut self, other: &Self) {
        if self.resource == other.resource {
            let add_all = |to: &mut Vec<_>, from: &[String]| {
                for one in from {
                    add(to, one.clone());
                }
            };
            add_all(
                &mut self.authorization_servers,
                &other.authorization_servers,
            );
            add_all(&mut self.scopes_supported, &other.scopes_supported);
            add_all(&mut self.initial_scopes, &other.initial_scopes);
        }
    }
}

/// A URL that cannot be that of a protected resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProtectedResourceError(());

impl fmt::Display for ProtectedResourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the resource must be the https URL of the MCP endpoint, such as \
             https://mcp.example.com/mcp, without query, fragment and user; \
             http is for loopback hosts only",
        )
    }
}

impl Error for ProtectedResourceError {}

/// Parses an absolute URL over TLS, or without it on this machine, that has
/// only a host, a port and a path.
pub(super) fn absolute(url: &str) -> Option<Uri> {
    absolute_with_query(url).filter(|_| !url.contains('?'))
}

/// Parses such a URL with or without a query.
pub(super) fn absolute_with_query(url: &str) -> Option<Uri> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"#@\"\\<>^`{|}".contains(&byte);
    if !url.bytes().all(is_plain) {
        return None;
    }
    let uri: Uri = url.parse().ok()?;
    let host = uri.host().filter(|host| !host.is_empty())?;
    match uri.scheme_str()? {
        "https" => {}
        "http" if is_loopback(host) => {}
        _ => return None,
    }
    Some(uri)
}

/// Returns the URL of the metadata of the resource at `uri`.
fn metadata_url(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or_default();
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let path = uri.path().trim_end_matches('/');
    format!("{scheme}://{authority}{WELL_KNOWN}{path}")
}

/// Whether a URL's host is always this machine: `localhost`, or a loopback
/// address, including an IPv4 one that is written as IPv6
/// (`[::ffff:127.0.0.1]`).
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    match address.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// Returns the scopes as the text of one parameter, without those that could
/// end the quotes (RFC 6749, section 3.3).
fn scope_list<'a>(scopes: impl Iterator<Item = &'a str>) -> String {
    let is_scope = |scope: &&str| {
        let is_in_scopes = |byte: u8| byte.is_ascii_graphic() && !b"\"\\".contains(&byte);
        !scope.is_empty() && scope.bytes().all(is_in_scopes)
    };
    let scopes: Vec<_> = scopes.filter(is_scope).collect();
    scopes.join(" ")
}

fn add(to: &mut Vec<String>, one: String) {
    if !to.contains(&one) {
        to.push(one);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn loopback_hosts() {
        for host in [
            "localhost",
            "LOCALHOST",
            "127.0.0.1",
            "127.8.8.8",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "localhost.example",
            "0.0.0.0",
            "[::]",
            "[[::1]]",
            "[::1",
            "",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn the_document_is_where_clients_look_for_it() {
        for (resource, path) in [
            (
                "https://mcp.example.com/mcp",
                "/.well-known/oauth-protected-resource/mcp",
            ),
            (
                "https://mcp.example.com/a/b/",
                "/.well-known/oauth-protected-resource/a/b",
            ),
            (
                "https://mcp.example.com",
                "/.well-known/oauth-protected-resource",
            ),
            (
                "https://mcp.example.com/",
                "/.well-known/oauth-protected-resource",
            ),
            (
                "http://127.0.0.1:8080/mcp",
                "/.well-known/oauth-protected-resource/mcp",
            ),
            (
                "http://[::1]:8080/mcp",
                "/.well-known/oauth-protected-resource/mcp",
            ),
        ] {
            let resource = ProtectedResource::new(resource).unwrap();
            assert_eq!(resource.path(), path);
            assert!(
                resource.metadata_url().ends_with(path)
                    && resource.metadata_url().len() > path.len()
            );
        }
    }

    #[test]
    fn other_urls_are_refused() {
        for url in [
            "",
            "mcp.example.com",
            "/mcp",
            "http://mcp.example.com/mcp",
            "ftp://mcp.example.com",
            "https://mcp.example.com/mcp?a=b",
            "https://mcp.example.com/mcp#a",
            "https://a@b.example",
            "https://mcp.example.com/\"",
            "https:///mcp",
            "http://127.0.0.1.example.com/",
        ] {
            let error = ProtectedResource::new(url).unwrap_err();
            assert!(
                error.to_string().contains("https://mcp.example.com/mcp"),
                "{url}"
            );
        }
    }

    #[test]
    fn document_and_challenges_say_what_clients_need() {
        let mut resource = ProtectedResource::new("https://mcp.example.com/mcp")
            .unwrap()
            .authorization_server("https://auth.example.com")
            .scopes_supported(["read", "write"])
            .initial_scopes(["read", "bad\"scope"]);
        let other = ProtectedResource::new("https://mcp.example.com/mcp")
            .unwrap()
            .authorization_server("https://other.example.com")
            .scopes_supported(["read"]);
        resource.merge(&other);
        let document: Value = serde_json::from_str(&resource.to_json()).unwrap();
        assert_eq!(
            document,
            json!({
                "resource": "https://mcp.example.com/mcp",
                "authorization_servers": ["https://auth.example.com", "https://other.example.com"],
                "scopes_supported": ["read", "write"],
                "bearer_methods_supported": ["header"],
            })
        );
        let url = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";
        assert_eq!(
            resource.challenge(),
            format!("Bearer resource_metadata=\"{url}\", scope=\"read\"")
        );
        assert_eq!(
            resource.insufficient_scope(["read", "write"].into_iter(), "write"),
            format!(
                "Bearer error=\"insufficient_scope\", scope=\"read write\", resource_metadata=\"{url}\""
            )
        );
        let many = vec!["scope"; 1000];
        let challenge = resource.insufficient_scope(many.into_iter(), "write");
        assert!(challenge.contains("scope=\"write\""), "{challenge}");
    }
}
