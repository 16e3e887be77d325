//! Resolves host names.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use tokio::sync::watch;

use crate::support::lock::Lock;
use crate::support::lookup::{Lane, Unfinished};

/// For hosts that the operator configured: issuers, Redis.
#[cfg(any(feature = "oauth", feature = "redis", test))]
static NAMES: Lane = Lane::new("mcp-names", 16);

/// For hosts that clients name, some of which may be slow on purpose.
#[cfg(feature = "net")]
static NAMES_OF_CLIENTS: Lane = Lane::new("mcp-fetch", 64);

/// The result of a lookup. `io::Error` cannot be shared.
type Found = Result<Arc<[SocketAddr]>, (io::ErrorKind, String)>;

/// The lookups in progress. A name is looked up once at a time, however often
/// it is requested: a name server that hangs takes one thread for it.
static ASKED: Lock<BTreeMap<String, watch::Receiver<Option<Found>>>> = Lock::new(BTreeMap::new());

/// Returns the addresses of `host`, which may itself be an address, with
/// `port`. The caller limits how long it waits.
#[cfg(any(feature = "oauth", feature = "redis", test))]
pub(crate) async fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    addresses_on(&NAMES, host, port).await
}

/// Returns the addresses of a `host` that a client named, with port 0. Its
/// lookup uses no thread of those for the operator's hosts.
#[cfg(feature = "net")]
pub(crate) async fn addresses_for_client(host: &str) -> io::Result<Vec<SocketAddr>> {
    addresses_on(&NAMES_OF_CLIENTS, host, 0).await
}

async fn addresses_on(lane: &'static Lane, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let mut found = ask(lane, host).map_err(io::Error::other)?;
    let found = found.wait_for(Option::is_some).await;
    match found.as_deref() {
        Ok(Some(Ok(addresses))) => {
            let with_port = addresses.iter().map(|address| {
                let mut address = *address;
                address.set_port(port);
                address
            });
            Ok(with_port.collect())
        }
        Ok(Some(Err((kind, text)))) => Err(io::Error::new(*kind, text.clone())),
        Ok(None) | Err(_) => Err(io::Error::other(Unfinished::Failed)),
    }
}

/// Returns a receiver of the result of a lookup, which is in progress or starts
/// now.
fn ask(lane: &'static Lane, host: &str) -> Result<watch::Receiver<Option<Found>>, Unfinished> {
    let mut asked = ASKED.lock();
    if let Some(found) = asked.get(host) {
        return Ok(found.clone());
    }
    let (tell, found) = watch::channel(None);
    let asking = Asking(host.to_owned());
    asked.insert(host.to_owned(), found.clone());
    // A lookup that is refused removes its name from the list.
    drop(asked);
    lane.start(move || {
        let outcome = look_up(&asking.0);
        drop(asking);
        let _ = tell.send(Some(outcome));
    })?;
    Ok(found)
}

/// A name in the list, until its lookup ends.
struct Asking(String);

impl Drop for Asking {
    fn drop(&mut self) {
        ASKED.lock().remove(&self.0);
    }
}

fn look_up(host: &str) -> Found {
    let of_error = |error: io::Error| (error.kind(), error.to_string());
    let addresses: Arc<[_]> = (host, 0).to_socket_addrs().map_err(of_error)?.collect();
    if addresses.is_empty() {
        return Err((
            io::ErrorKind::NotFound,
            "the name has no address".to_owned(),
        ));
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_and_addresses_are_found() {
        for host in ["127.0.0.1", "localhost"] {
            let found = addresses(host, 80).await.unwrap();
            let is_here = |address: &SocketAddr| address.ip().is_loopback();
            assert!(found.iter().all(is_here) && found[0].port() == 80, "{host}");
        }
        assert_eq!(addresses("::1", 1).await.unwrap()[0].port(), 1);
        addresses("no\0name", 80).await.unwrap_err();
    }

    /// Blocking tools wait in the same pool of threads, for any length of time.
    #[test]
    fn a_name_is_found_while_every_blocking_thread_is_taken() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        let (release, gate) = std::sync::mpsc::channel::<()>();
        runtime.block_on(async {
            tokio::task::spawn_blocking(move || gate.recv());
            assert!(!addresses("localhost", 80).await.unwrap().is_empty());
        });
        drop(release);
    }
}
