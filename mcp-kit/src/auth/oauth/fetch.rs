//! Fetches an issuer's documents, within limits of time and size.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HOST, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::support::{lookup, tls};

/// How long a fetch may take, name lookup and handshake included.
const PATIENCE: Duration = Duration::from_secs(5);

/// The largest document, in bytes: several hundred keys.
const LARGEST: usize = 512 << 10;

/// A client that fetches one document at a time. It follows no redirects: an
/// issuer's documents have fixed addresses.
pub(super) struct Fetcher {
    tls: TlsConnector,
}

/// Why a document was not read; it contains nothing of the answer.
#[derive(Debug)]
pub(super) enum FetchError {
    Network(std::io::Error),
    Http(hyper::Error),
    Status(StatusCode),
    Body,
    Slow,
    Url,
}

impl Fetcher {
    /// Creates a client that trusts the authorities of the operating system, of
    /// which there must be one if it `needs_tls`.
    pub(super) fn new(needs_tls: bool) -> Result<Self, &'static str> {
        let roots = tls::trusted_roots();
        if needs_tls && roots.is_empty() {
            return Err(tls::NO_ROOTS);
        }
        Ok(Self {
            tls: TlsConnector::from(Arc::new(tls::client_config(roots)?)),
        })
    }

    /// Returns the document at `url`.
    pub(super) async fn get(&self, url: &Uri) -> Result<Bytes, FetchError> {
        tokio::time::timeout(PATIENCE, self.get_in_time(url))
            .await
            .unwrap_or(Err(FetchError::Slow))
    }

    async fn get_in_time(&self, url: &Uri) -> Result<Bytes, FetchError> {
        let host = url.host().ok_or(FetchError::Url)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_tls = url.scheme_str() == Some("https");
        let port = url.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let addresses = lookup::addresses(host, port).await;
        let addresses = addresses.map_err(FetchError::Network)?;
        let stream = TcpStream::connect(&*addresses)
            .await
            .map_err(FetchError::Network)?;
        if !is_tls {
            return exchange(stream, url).await;
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| FetchError::Url)?;
        let stream = self
            .tls
            .connect(name, stream)
            .await
            .map_err(FetchError::Network)?;
        exchange(stream, url).await
    }
}

async fn exchange<S>(stream: S, url: &Uri) -> Result<Bytes, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(FetchError::Http)?;
    // Ends with this function, whatever the other side does.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let authority = url.authority().map_or("", |authority| authority.as_str());
    let request = Request::get(path)
        .header(HOST, authority)
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, "mcp-kit")
        .body(Empty::<Bytes>::new())
        .map_err(|_| FetchError::Url)?;
    let answer = sender
        .send_request(request)
        .await
        .map_err(FetchError::Http)?;
    if answer.status() != StatusCode::OK {
        return Err(FetchError::Status(answer.status()));
    }
    let body = Limited::new(answer.into_body(), LARGEST).collect().await;
    Ok(body.map_err(|_| FetchError::Body)?.to_bytes())
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(error) => write!(f, "no connection: {error}"),
            Self::Http(error) => write!(f, "no HTTP answer: {error}"),
            Self::Status(status) => write!(f, "the answer is {status}, where 200 was expected"),
            Self::Body => {
                write!(
                    f,
                    "the answer broke off, or is larger than {} KiB",
                    LARGEST >> 10
                )
            }
            Self::Slow => write!(f, "no whole answer within {} s", PATIENCE.as_secs()),
            Self::Url => f.write_str("the address cannot be used"),
        }
    }
}
