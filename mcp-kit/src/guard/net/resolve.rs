//! From a host's name to addresses, all of which were checked.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolving};

use super::error::HttpErrorKind;
use super::policy::Policy;
use crate::support::lookup;
use crate::support::lookup::Unfinished;

/// Finds the addresses of a host.
///
/// [`HttpClient`](super::HttpClient) asks the operating system unless it is built with
/// another resolver: one that asks a fixed name server, or a test's own. The client
/// checks every answer, so a resolver needs no checks.
///
/// ```
/// use std::{io, net::{IpAddr, Ipv4Addr}};
/// use mcp_kit::guard::{HttpClient, Resolve};
///
/// struct Fixed;
///
/// #[mcp_kit::async_trait]
/// impl Resolve for Fixed {
///     async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
///         match host {
///             "example.com" => Ok(vec![Ipv4Addr::new(93, 184, 215, 14).into()]),
///             _ => Err(io::ErrorKind::NotFound.into()),
///         }
///     }
/// }
///
/// let client = HttpClient::builder().resolver(Fixed).build()?;
/// # Ok::<(), mcp_kit::guard::HttpClientError>(())
/// ```
#[async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of `host`, the best first. It is called for each request and each
    /// redirect. The client limits its time.
    ///
    /// # Errors
    ///
    /// An error, like an empty list, means that the host was not found. Its text goes
    /// to the log.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system, on threads that no tool can fill.
#[derive(Debug)]
pub(super) struct System;

#[async_trait]
impl Resolve for System {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = lookup::addresses_for_client(host).await?;
        Ok(found.into_iter().map(|address| address.ip()).collect())
    }
}

/// What reqwest connects to: the addresses that were checked, and no others.
pub(super) struct Checked {
    pub(super) policy: Arc<Policy>,
    pub(super) resolver: Arc<dyn Resolve>,
    /// Whether every connection goes to the proxy that the operator chose. No other
    /// name is asked for then.
    pub(super) is_for_proxy: bool,
}

/// As many addresses of one host are tried. A host may have thousands.
const MOST_TRIED: usize = 16;

impl reqwest::dns::Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, resolver) = (Arc::clone(&self.policy), Arc::clone(&self.resolver));
        let is_for_proxy = self.is_for_proxy;
        Box::pin(async move {
            let mut found = match resolver.resolve(name.as_str()).await {
                Ok(found) if !found.is_empty() => found,
                Ok(_) => return Err(Refused::NotFound(None).into()),
                Err(error) => return Err(Refused::NotFound(Some(error)).into()),
            };
            // One forbidden address refuses the host. A host with addresses of both
            // kinds is a way to get from the one to the other.
            if !is_for_proxy && !found.iter().all(|address| policy.allows(*address)) {
                return Err(Refused::Forbidden.into());
            }
            found.truncate(MOST_TRIED);
            // Port 0 means the URL's.
            let found = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(found) as Addrs)
        })
    }
}

/// Why a name leads nowhere. It travels within reqwest's error. The addresses are not
/// in it.
#[derive(Debug)]
pub(super) enum Refused {
    NotFound(Option<io::Error>),
    Forbidden,
}

impl Refused {
    pub(super) fn kind(&self) -> HttpErrorKind {
        match self {
            Self::Forbidden => HttpErrorKind::AddressRefused,
            Self::NotFound(error) => match error.as_ref().and_then(unfinished) {
                Some(Unfinished::Full) => HttpErrorKind::Busy,
                Some(_) => HttpErrorKind::Internal,
                None => HttpErrorKind::HostNotFound,
            },
        }
    }
}

/// Why the lookup did not begin or end, if the reason is our own.
fn unfinished(error: &io::Error) -> Option<&Unfinished> {
    error.get_ref()?.downcast_ref()
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound(Some(_)) => "the name was not resolved",
            Self::NotFound(None) => "the name has no addresses",
            Self::Forbidden => "the name has an address that is not public",
        })
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NotFound(Some(error)) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lookup_that_did_not_begin_is_no_missing_host() {
        let ours = |unfinished| Refused::NotFound(Some(io::Error::other(unfinished))).kind();
        assert_eq!(ours(Unfinished::Full), HttpErrorKind::Busy);
        assert_eq!(ours(Unfinished::Failed), HttpErrorKind::Internal);
        let theirs = Refused::NotFound(Some(io::ErrorKind::NotFound.into()));
        assert_eq!(theirs.kind(), HttpErrorKind::HostNotFound);
    }
}
