//! `health`: asks a running server whether it is ready, for container health
//! checks in images without another client.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use super::build::Failure;

/// How long the server may take for each step.
const PATIENCE: Duration = Duration::from_secs(3);

/// Sends a request to the server that listens on `address`.
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
    let mut stream = connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    // The status line is all that counts.
    let mut line = [0; 12];
    stream.read_exact(&mut line)?;
    Ok(String::from_utf8_lossy(&line[9..]).into_owned())
}

/// Connects to one of the addresses that a name has, since the server may
/// listen on only one.
fn connect(address: &str) -> std::io::Result<TcpStream> {
    let mut failure = std::io::Error::other("the address names nothing");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&reachable(address), PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Returns the loopback address for a server that listens on all addresses.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// `localhost` may resolve to `::1` first, where no server listens.
    #[test]
    fn every_address_of_a_name_is_tried() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0; 16]).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        });
        assert!(ask(&format!("localhost:{port}")).is_ok());
        server.join().unwrap();
        assert!(ask(&format!("localhost:{port}")).is_err());
    }
}
