//! Decides where a client may connect to: the lists of hosts, and the
//! addresses.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use url::Host;

use super::address::{behind_nat64, is_public};
use super::error::HttpErrorKind;
use super::url::{SafeUrl, is_host_name};

#[derive(Debug, Default)]
pub(super) struct Policy {
    /// Only these hosts, if there is a list.
    pub(super) allowed_hosts: Option<Vec<HostPattern>>,
    pub(super) denied_hosts: Vec<HostPattern>,
    pub(super) denied_networks: Vec<IpNet>,
    /// Reached although they are not public.
    pub(super) private_networks: Vec<IpNet>,
    /// Reached if the URL itself has exactly this address and port.
    pub(super) private_addresses: Vec<SocketAddr>,
    pub(super) https_only: bool,
}

impl Policy {
    /// Refuses a URL for what it shows: its scheme, its host, and its address
    /// if it has one in place of a name. No resolver sees such an address.
    pub(super) fn check_url(&self, url: &SafeUrl) -> Result<(), HttpErrorKind> {
        if self.https_only && !url.is_encrypted() {
            return Err(HttpErrorKind::NotEncrypted);
        }
        let url = url.as_url();
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::from(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::from(address)),
            Some(Host::Domain(_)) | None => None,
        };
        let host = url.host_str().unwrap_or_default();
        let is_in = |list: &[HostPattern]| list.iter().any(|pattern| pattern.matches(host));
        if is_in(&self.denied_hosts) {
            return Err(HttpErrorKind::HostRefused);
        }
        if let Some(address) = address
            && let Some(port) = url.port_or_known_default()
            && self.private_addresses.contains(&(address, port).into())
        {
            return match self.is_denied(address) {
                true => Err(HttpErrorKind::AddressRefused),
                false => Ok(()),
            };
        }
        if self
            .allowed_hosts
            .as_deref()
            .is_some_and(|list| !is_in(list))
        {
            return Err(HttpErrorKind::HostRefused);
        }
        match address {
            Some(address) if !self.allows(address) => Err(HttpErrorKind::AddressRefused),
            _ => Ok(()),
        }
    }

    /// Whether a host at this address may be reached.
    pub(super) fn allows(&self, address: IpAddr) -> bool {
        let is_listed = |net: &IpNet| net.contains(&address);
        !self.is_denied(address)
            && (is_public(address) || self.private_networks.iter().any(is_listed))
    }

    fn is_denied(&self, address: IpAddr) -> bool {
        let behind = match address {
            IpAddr::V6(address) => behind_nat64(address).map(IpAddr::from),
            IpAddr::V4(_) => None,
        };
        let is_listed = |net: &IpNet| {
            net.contains(&address) || behind.is_some_and(|address| net.contains(&address))
        };
        self.denied_networks.iter().any(is_listed)
    }
}

/// `example.com`: this host. `*.example.com`: every host below it, and not itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HostPattern {
    Exactly(String),
    /// With the dot in front.
    Below(String),
}

impl HostPattern {
    pub(super) fn parse(text: &str) -> Option<Self> {
        // In the letters of a URL's host, which has an IPv6 address in brackets.
        match text.parse() {
            Ok(IpAddr::V4(address)) => return Some(Self::Exactly(address.to_string())),
            Ok(IpAddr::V6(address)) => return Some(Self::Exactly(format!("[{address}]"))),
            Err(_) => {}
        }
        let (name, is_below) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        // As a URL's host is read, so that both are in the same letters.
        let host = Host::parse(name).ok()?;
        match host {
            Host::Domain(name) if is_host_name(&name) => {
                let name = without_dot(&name).to_owned();
                Some(match is_below {
                    true => Self::Below(format!(".{name}")),
                    false => Self::Exactly(name),
                })
            }
            Host::Ipv4(_) | Host::Ipv6(_) if !is_below => Some(Self::Exactly(host.to_string())),
            _ => None,
        }
    }

    fn matches(&self, host: &str) -> bool {
        let host = without_dot(host);
        match self {
            Self::Exactly(name) => host == name,
            Self::Below(suffix) => host.ends_with(suffix.as_str()),
        }
    }
}

/// `example.com.` is the same host as `example.com`.
fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}
