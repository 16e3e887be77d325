//! The stream to the server: a socket, TLS, and a limit on each message.
//!
//! tokio-postgres reads a row into memory before it hands it on, however large
//! it is, and a row can have a gigabyte. [`Limited`] reads the length that each
//! message begins with, and breaks the connection off before the rest arrives.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_postgres::config::{Config, Host, SslMode};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};

use crate::limits;

/// The request for TLS: its length and its code.
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// A stream of bytes, with TLS or without.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// One server: a host of the URL can have several addresses.
pub(super) enum Peer {
    #[cfg(unix)]
    Unix(std::path::PathBuf),
    Tcp {
        address: SocketAddr,
        /// The name that its certificate must have.
        name: String,
    },
}

/// Connects to the first server of the URL that answers.
pub(super) async fn open(
    config: &Config,
    tls: &Arc<ClientConfig>,
) -> io::Result<(Peer, Box<dyn Stream>)> {
    let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
    let ports = config.get_ports();
    let mut failure = io::Error::new(io::ErrorKind::InvalidInput, "the URL names no host");
    for at in 0..hosts.len().max(addresses.len()) {
        // One port is for all hosts, several are for one host each.
        let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
        let peers = match peers(hosts.get(at), addresses.get(at).copied(), port).await {
            Ok(peers) => peers,
            Err(error) => {
                failure = error;
                continue;
            }
        };
        for peer in peers {
            match peer.open(config, tls).await {
                Ok(stream) => return Ok((peer, stream)),
                Err(error) => failure = error,
            }
        }
    }
    Err(failure)
}

/// The servers of one host. `address` (`hostaddr` in the URL) replaces the look-up
/// of the host's name, which then only serves TLS.
async fn peers(host: Option<&Host>, address: Option<IpAddr>, port: u16) -> io::Result<Vec<Peer>> {
    let name = match host {
        #[cfg(unix)]
        Some(Host::Unix(folder)) if address.is_none() => {
            return Ok(vec![Peer::Unix(folder.join(format!(".s.PGSQL.{port}")))]);
        }
        Some(Host::Tcp(name)) => Some(name),
        _ => None,
    };
    let addresses: Vec<_> = match (address, name) {
        (Some(address), _) => vec![SocketAddr::new(address, port)],
        (None, Some(name)) => lookup_host((name.as_str(), port)).await?.collect(),
        (None, None) => Vec::new(),
    };
    let peers = addresses.into_iter().map(|address| Peer::Tcp {
        address,
        name: name.map_or_else(|| address.ip().to_string(), String::clone),
    });
    Ok(peers.collect())
}

impl Peer {
    /// Connects, within the URL's `connect_timeout` if it has one.
    pub(super) async fn open(
        &self,
        config: &Config,
        tls: &Arc<ClientConfig>,
    ) -> io::Result<Box<dyn Stream>> {
        let opened = self.open_untimed(config.get_ssl_mode(), tls);
        match config.get_connect_timeout() {
            Some(limit) => timeout(*limit, opened).await?,
            None => opened.await,
        }
    }

    async fn open_untimed(
        &self,
        mode: SslMode,
        tls: &Arc<ClientConfig>,
    ) -> io::Result<Box<dyn Stream>> {
        match self {
            #[cfg(unix)]
            Self::Unix(path) => Ok(Box::new(tokio::net::UnixStream::connect(path).await?)),
            Self::Tcp { address, name } => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                match mode {
                    SslMode::Disable => Ok(Box::new(stream)),
                    SslMode::Prefer if address.ip().is_loopback() => Ok(Box::new(stream)),
                    // No fallback: an attacker on the network could answer that there is no TLS.
                    _ => Ok(Box::new(encrypted(stream, name, tls).await?)),
                }
            }
        }
    }
}

async fn encrypted(
    mut stream: TcpStream,
    name: &str,
    tls: &Arc<ClientConfig>,
) -> io::Result<impl Stream + use<>> {
    stream.write_all(&TLS_REQUEST).await?;
    // One byte and no more: what follows belongs to TLS.
    if stream.read_u8().await? != b'S' {
        return Err(io::Error::other(
            "the server offers no TLS. Turn it on there, or add sslmode=disable to the URL if the network between is trusted",
        ));
    }
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::clone(tls))
        .connect(name, stream)
        .await
}

/// A stream that ends with an error before a message above
/// [`limits::ROW_BYTES`].
pub(super) struct Limited {
    stream: Box<dyn Stream>,
    /// The type and the length of the next message, as far as they have arrived.
    head: [u8; 5],
    arrived: usize,
    /// How many bytes of the current message are still to come.
    rest: usize,
    met_large_row: Arc<AtomicBool>,
}

impl Limited {
    pub(super) fn new(stream: Box<dyn Stream>, met_large_row: Arc<AtomicBool>) -> Self {
        Self {
            stream,
            head: [0; 5],
            arrived: 0,
            rest: 0,
            met_large_row,
        }
    }

    fn look_at(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while let Some((&byte, others)) = bytes.split_first() {
            if self.rest > 0 {
                let passed = self.rest.min(bytes.len());
                self.rest -= passed;
                bytes = &bytes[passed..];
                continue;
            }
            self.head[self.arrived] = byte;
            self.arrived += 1;
            bytes = others;
            if self.arrived == self.head.len() {
                let [_, length @ ..] = self.head;
                let length = u32::from_be_bytes(length) as usize;
                if length > limits::ROW_BYTES {
                    self.met_large_row.store(true, Ordering::Relaxed);
                    return Err(io::Error::other("a message of the server is too large"));
                }
                // The length counts itself.
                self.rest = length.saturating_sub(4);
                self.arrived = 0;
            }
        }
        Ok(())
    }
}

impl AsyncRead for Limited {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        Poll::Ready(self.look_at(&buffer.filled()[before..]))
    }
}

impl AsyncWrite for Limited {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_large_message_is_refused_at_its_head() {
        let (here, mut there) = tokio::io::duplex(64);
        let large_row = Arc::new(AtomicBool::new(false));
        let mut stream = Limited::new(Box::new(here), Arc::clone(&large_row));
        // A small message, in two parts, and the head of a large one.
        for part in [&b"Z\0\0"[..], b"\0\x06xy", b"D"] {
            there.write_all(part).await.expect("room");
            let mut read = vec![0; part.len()];
            stream
                .read_exact(&mut read)
                .await
                .expect("within the limit");
            assert_eq!(read, part);
        }
        there.write_all(&[1, 0, 0, 0, b'x']).await.expect("room");
        assert!(stream.read(&mut [0; 16]).await.is_err());
        assert!(large_row.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn a_server_without_tls_is_refused_if_tls_is_required() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let mut request = [0; 8];
            stream.read_exact(&mut request).await.expect("a request");
            stream.write_all(b"N").await.expect("an answer");
            // Nothing else may follow, least of all a password.
            stream.read_to_end(&mut Vec::new()).await.expect("the end")
        });
        let url = format!("postgres://u:p@127.0.0.1:{port}/d?sslmode=require");
        let link = super::super::connect::Link::new(&url.into(), limits::QUERY_TIME);
        let refused = link.expect("a link").open().await;
        let error = refused.err().expect("no TLS").to_string();
        assert!(error.contains("add sslmode=disable"), "{error}");
        assert_eq!(server.await.expect("the server ends"), 0);
    }
}
