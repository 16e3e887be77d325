//! `health`: asks a running server whether it is ready, for container health
//! checks, in images that have no other client.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use super::build::Failure;

/// How long the server may take for each step.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks the server that listens on `address`.
pub(super) fn ask(address: &str) -> Result<(), Failure> {
    let answer = status(address)
        .map_err(|error| Failure(format!("no server answers on {address}: {error}")))?;
    match answer.as_str() {
        "200" => Ok(()),
        other => Err(Failure(format!(
            "the server on {address} is not ready: status {other}"
        ))),
    }
}

fn status(address: &str) -> std::io::Result<String> {
    let address = address
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| std::io::Error::other("the address names nothing"))?;
    let mut stream = TcpStream::connect_timeout(&reachable(address), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    // The status line is all that counts.
    let mut line = [0; 12];
    stream.read_exact(&mut line)?;
    Ok(String::from_utf8_lossy(&line[9..]).into_owned())
}

/// A server that listens everywhere is reached here.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
