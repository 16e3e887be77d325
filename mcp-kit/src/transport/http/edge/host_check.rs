//! Checks which hosts and origins a request may name.
//!
//! A page in a browser can send requests to any address, also to this machine.
//! `Origin` names the page's site, and `Host` the name under which the browser
//! reached the server. A foreign name that points here gets such requests past
//! the browser's own checks (DNS rebinding).

use std::net::{IpAddr, SocketAddr};

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, StatusCode, Uri};

use crate::transport::http::message::refusal::{Reason, Refusal};

use crate::auth::is_loopback;

/// The accepted hosts and origins.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostCheck {
    hosts: Vec<Named>,
    any_host: bool,
    origins: Vec<Origin>,
    /// Hosts and origins of this machine are refused.
    no_loopback: bool,
}

/// A host in lower case, and its port if that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    host: String,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    text: String,
    /// Whether its pages may read the answers.
    cors: bool,
}

/// Why the host or the origin of a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    NoHost,
    Host,
    Origin,
}

impl From<Denied> for Refusal {
    fn from(why: Denied) -> Self {
        match why {
            Denied::NoHost => Self::new(
                StatusCode::BAD_REQUEST,
                Reason::Host,
                "Bad request: the Host header is missing",
            ),
            Denied::Host => Self::new(
                StatusCode::FORBIDDEN,
                Reason::Host,
                "Forbidden: this server is not known under the name in the Host header. Its operator can add the name with public_url(…) or allow_host(…).",
            ),
            Denied::Origin => Self::new(
                StatusCode::FORBIDDEN,
                Reason::Origin,
                "Forbidden: pages of this Origin may not call this server. Its operator can allow it with allow_origin(…).",
            ),
        }
    }
}

impl HostCheck {
    /// Accepts the host and the origin of `url`.
    pub(crate) fn allow_url(&mut self, url: &str) -> Result<(), String> {
        let problem = || {
            format!(
                "http: the public URL {url:?} must be one such as \"https://mcp.example.com/mcp\""
            )
        };
        let uri: Uri = url.parse().map_err(|_| problem())?;
        let (Some(scheme @ ("http" | "https")), Some(authority)) =
            (uri.scheme_str(), uri.authority())
        else {
            return Err(problem());
        };
        if authority.as_str().contains('@') {
            return Err(problem());
        }
        // A browser omits the scheme's default port, and a proxy may add it.
        let standard = if scheme == "https" { 443 } else { 80 };
        let host = authority.host().to_ascii_lowercase();
        let port = authority.port_u16().filter(|port| *port != standard);
        match port {
            Some(port) => self.add_host(host.clone(), Some(port)),
            None => self.add_host(host.clone(), None),
        }
        let text = match port {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        };
        self.add_origin(Origin { text, cors: false });
        Ok(())
    }

    pub(crate) fn allow_host(&mut self, host: &str) -> Result<(), String> {
        if host.trim() == "*" {
            return Err(
                "http: `allow_host` takes one host; `allow_any_host()` accepts every host".into(),
            );
        }
        match named(host.trim()) {
            Some(Named { host, port }) => {
                self.add_host(host, port);
                Ok(())
            }
            None => Err(format!(
                "http: {host:?} is not a valid host; write a name or an address, with a port if only that one is meant: \"mcp.internal:8080\""
            )),
        }
    }

    pub(crate) fn allow_any_host(&mut self) {
        self.any_host = true;
    }

    pub(crate) fn allow_origin(&mut self, origin: &str, cors: bool) -> Result<(), String> {
        let text = origin.trim().trim_end_matches('/').to_ascii_lowercase();
        let is_origin = text
            .split_once("://")
            .is_some_and(|(scheme, rest)| !scheme.is_empty() && named(rest).is_some());
        if !is_origin {
            return Err(format!(
                "http: {origin:?} is not a valid origin; write a scheme and a host, such as \"https://app.example.com\""
            ));
        }
        self.add_origin(Origin { text, cors });
        Ok(())
    }

    /// Whether any name other than this machine's own is accepted.
    pub(crate) fn names_hosts(&self) -> bool {
        self.any_host || !self.hosts.is_empty()
    }

    /// Removes this machine's own names, for a socket that other machines can
    /// reach.
    pub(crate) fn without_loopback(mut self) -> Self {
        self.no_loopback = true;
        self
    }

    /// Checks a request's host and origin.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Denied> {
        self.check_host(uri, headers)?;
        let mut origins = headers.get_all(ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => Ok(()),
            (Some(origin), None) if self.takes_origin(origin) => Ok(()),
            _ => Err(Denied::Origin),
        }
    }

    /// The origin whose pages may read the answer, if the request has one.
    pub(crate) fn cors<'a>(&self, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
        if !self.origins.iter().any(|origin| origin.cors) {
            return None;
        }
        headers.get(ORIGIN).filter(|origin| {
            let text = origin.to_str().unwrap_or_default();
            (self.origins.iter()).any(|known| known.cors && known.text.eq_ignore_ascii_case(text))
        })
    }

    /// Whether pages of any origin may read the answers.
    pub(crate) fn has_cors(&self) -> bool {
        self.origins.iter().any(|origin| origin.cors)
    }

    fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Denied> {
        let mut hosts = headers.get_all(HOST).iter();
        let (header, second) = (hosts.next(), hosts.next());
        if second.is_some() {
            return Err(Denied::Host);
        }
        // HTTP/2 has it in the target. If HTTP/1.1 also has one there, both
        // must be accepted.
        if header.is_none() && uri.authority().is_none() {
            return Err(Denied::NoHost);
        }
        if self.any_host {
            return Ok(());
        }
        let in_header =
            header.is_none_or(|host| host.to_str().is_ok_and(|host| self.takes_host(host)));
        let in_target = uri
            .authority()
            .is_none_or(|authority| self.takes_host(authority.as_str()));
        if in_header && in_target {
            Ok(())
        } else {
            Err(Denied::Host)
        }
    }

    fn takes_host(&self, text: &str) -> bool {
        let Some((host, port)) = host_and_port(text) else {
            return false;
        };
        (!self.no_loopback && is_loopback(host))
            || self.hosts.iter().any(|known| {
                known.host.eq_ignore_ascii_case(host)
                    && (known.port.is_none() || known.port == port)
            })
    }

    fn takes_origin(&self, origin: &HeaderValue) -> bool {
        let Ok(text) = origin.to_str() else {
            return false;
        };
        let is_known = (self.origins.iter()).any(|known| known.text.eq_ignore_ascii_case(text));
        is_known
            || !self.no_loopback
                && text
                    .split_once("://")
                    .filter(|(scheme, _)| matches!(*scheme, "http" | "https"))
                    .and_then(|(_, rest)| host_and_port(rest))
                    .is_some_and(|(host, _)| is_loopback(host))
    }

    fn add_host(&mut self, host: String, port: Option<u16>) {
        let named = Named { host, port };
        if !self.hosts.contains(&named) {
            self.hosts.push(named);
        }
    }

    fn add_origin(&mut self, origin: Origin) {
        match self
            .origins
            .iter_mut()
            .find(|known| known.text == origin.text)
        {
            Some(known) => known.cors |= origin.cors,
            None => self.origins.push(origin),
        }
    }
}

/// Splits `host`, `host:80`, `[::1]` or `[::1]:80`. Returns `None` for anything
/// else, such as user information or a path.
fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(bracketed) => text.split_at(bracketed.find(']')? + 2),
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    if host.is_empty() || host.contains(['@', '/', '?', '#', ' ']) {
        return None;
    }
    let port = match rest.strip_prefix(':') {
        None if rest.is_empty() => None,
        Some("") => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().ok()?)
        }
        _ => return None,
    };
    Some((host, port))
}

/// Parses a host in the form that a person writes.
fn named(text: &str) -> Option<Named> {
    // IPv6 addresses are in brackets only if a port may follow.
    if let Ok(IpAddr::V6(address)) = text.parse::<IpAddr>() {
        return Some(Named {
            host: format!("[{address}]"),
            port: None,
        });
    }
    if let Ok(SocketAddr::V6(address)) = text.parse::<SocketAddr>() {
        return Some(Named {
            host: format!("[{}]", address.ip()),
            port: Some(address.port()),
        });
    }
    let authority: Authority = text.parse().ok()?;
    let is_plain = !authority.host().is_empty() && !authority.as_str().contains('@');
    is_plain.then(|| Named {
        host: authority.host().to_ascii_lowercase(),
        port: authority.port_u16(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hosts: &HostCheck, host: &str, origin: Option<&str>) -> Result<(), Denied> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        hosts.check(&"/mcp".parse().unwrap(), &headers)
    }

    #[test]
    fn star_is_not_a_host() {
        let mut hosts = HostCheck::default();
        for star in ["*", " * "] {
            let problem = hosts.allow_host(star).unwrap_err();
            assert!(problem.contains("allow_any_host()"), "{problem}");
        }
        assert!(check(&hosts, "evil.example", None).is_err());
        hosts.allow_any_host();
        assert!(check(&hosts, "evil.example", None).is_ok());
    }

    #[test]
    fn without_options_only_this_machine_is_let_in() {
        let hosts = HostCheck::default();
        for host in [
            "localhost",
            "LOCALHOST:80",
            "127.0.0.1:8080",
            "[::1]:1",
            "127.8.8.8",
        ] {
            assert_eq!(check(&hosts, host, None), Ok(()), "{host}");
        }
        for host in [
            "example.com",
            "localhost.example.com",
            "10.0.0.1",
            "127.0.0.1.example.com",
            "127.0.0.1@example.com",
            "example.com@127.0.0.1",
            "0.0.0.0",
            "localhost:x",
            "",
        ] {
            assert_eq!(check(&hosts, host, None), Err(Denied::Host), "{host}");
        }
        for origin in [
            "http://localhost:3000",
            "https://127.0.0.1",
            "http://[::1]:5173",
        ] {
            assert_eq!(check(&hosts, "localhost", Some(origin)), Ok(()), "{origin}");
        }
        for origin in [
            "null",
            "",
            "https://example.com",
            "http://localhost.example.com",
            "http://localhost@example.com",
            "file://localhost",
            "http://localhost/path",
        ] {
            let refused = check(&hosts, "localhost", Some(origin));
            assert_eq!(refused, Err(Denied::Origin), "{origin}");
        }
    }

    #[test]
    fn a_public_url_opens_its_host_and_origin() {
        let mut hosts = HostCheck::default();
        hosts.allow_url("https://MCP.example.com/mcp").unwrap();
        let hosts = hosts.without_loopback();
        assert_eq!(check(&hosts, "mcp.example.com", None), Ok(()));
        assert_eq!(check(&hosts, "mcp.example.com:443", None), Ok(()));
        let own = Some("https://mcp.example.com");
        assert_eq!(check(&hosts, "mcp.example.com", own), Ok(()));
        let plain = Some("http://mcp.example.com");
        assert_eq!(check(&hosts, "mcp.example.com", plain), Err(Denied::Origin));
        assert_eq!(check(&hosts, "localhost", None), Err(Denied::Host));
    }

    #[test]
    fn invalid_hosts_origins_and_urls_are_reported() {
        let mut hosts = HostCheck::default();
        for url in ["mcp.example.com", "ftp://x", "https://u:p@x/", "https://"] {
            let problem = hosts.allow_url(url).unwrap_err();
            assert!(problem.contains("https://mcp.example.com/mcp"), "{problem}");
        }
        for host in ["", "a b", "https://x", "x/y", "u@x"] {
            assert!(hosts.allow_host(host).is_err(), "{host}");
        }
        for origin in ["", "example.com", "https://", "https://x/path", "null"] {
            assert!(hosts.allow_origin(origin, false).is_err(), "{origin}");
        }
        for host in [
            "mcp.internal",
            "mcp.internal:8080",
            "::1",
            "[::1]:80",
            "10.1.2.3",
        ] {
            hosts.allow_host(host).unwrap();
        }
    }

    #[test]
    fn two_hosts_or_none_are_refused() {
        let hosts = HostCheck::default();
        let mut headers = HeaderMap::new();
        let target: Uri = "/mcp".parse().unwrap();
        assert_eq!(hosts.check(&target, &headers), Err(Denied::NoHost));
        headers.append(HOST, "localhost".parse().unwrap());
        headers.append(HOST, "localhost".parse().unwrap());
        assert_eq!(hosts.check(&target, &headers), Err(Denied::Host));
        headers.remove(HOST);
        headers.append(HOST, "localhost".parse().unwrap());
        let absolute = "http://example.com/mcp".parse().unwrap();
        assert_eq!(hosts.check(&absolute, &headers), Err(Denied::Host));
    }
}
