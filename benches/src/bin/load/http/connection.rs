//! One keep-alive connection with at most one request under way.
//!
//! The socket blocks. It is read when there is something to read, and written to
//! when the server waits for it, so that nothing is gained by more.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use super::response::Response;

/// Room for most answers; it grows.
const ROOM: usize = 4096;

pub(super) struct Connection {
    stream: TcpStream,
    /// What has come of the answer to the last request.
    incoming: Vec<u8>,
    held: usize,
}

impl Connection {
    pub(super) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Connection {
            stream,
            incoming: vec![0; ROOM],
            held: 0,
        })
    }

    /// Sends a request. The last one has had its answer.
    pub(super) fn send(&mut self, request: &[u8]) -> Result<(), String> {
        self.held = 0;
        self.stream
            .write_all(request)
            .map_err(|error| broken(&error))
    }

    /// Waits for bytes and gives the answer if they complete it.
    pub(super) fn receive(&mut self) -> Result<Option<Response<'_>>, String> {
        if self.held == self.incoming.len() {
            self.incoming.resize(self.held * 2, 0);
        }
        match self.stream.read(&mut self.incoming[self.held..]) {
            Ok(0) => Err(closed()),
            Ok(count) => {
                self.held += count;
                Response::read(&self.incoming[..self.held])
            }
            Err(error) => Err(broken(&error)),
        }
    }

    /// Sends a request and waits for its answer.
    pub(super) fn ask(&mut self, request: &[u8]) -> Result<Response<'_>, String> {
        self.send(request)?;
        while self.receive()?.is_none() {}
        Response::read(&self.incoming[..self.held])?.ok_or_else(closed)
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn closed() -> String {
    "the server closed a connection before it had answered".to_owned()
}

fn broken(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => closed(),
        _ => format!("a connection broke: {error}"),
    }
}
