//! HTTP/1.1 by hand: connections that write what a test wants, and read answers
//! as they arrive, whole or piece by piece.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::request::Request;
use crate::support::PATIENCE;

/// The first lines of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    /// The only header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self
            .headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} twice: {self:?}");
        value
    }

    /// The media type without its parameters.
    pub(crate) fn media_type(&self) -> &str {
        let value = self.header("content-type").unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim()
    }

    fn parse(text: &str) -> Self {
        let mut lines = text.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let status = first
            .strip_prefix("HTTP/1.1 ")
            .or_else(|| first.strip_prefix("HTTP/1.0 "))
            .and_then(|rest| rest.get(..3))
            .and_then(|code| code.parse().ok())
            .unwrap_or_else(|| panic!("not a status line: {first:?}"));
        let headers = lines
            .filter(|line| !line.is_empty())
            .map(|line| {
                let (name, value) = line
                    .split_once(':')
                    .unwrap_or_else(|| panic!("not a header: {line:?}"));
                (name.to_owned(), value.trim().to_owned())
            })
            .collect();
        Self { status, headers }
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn status(&self) -> u16 {
        self.head.status
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON. Fails unless it says that it is JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.head.media_type(), "application/json", "{self:?}");
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", self.text()))
    }
}

/// How the body of the answer that is being read is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    /// What is left of the chunk that is being read.
    Chunked(usize),
    UntilClose,
    Ended,
}

/// A connection. Reads and writes fail the test after [`PATIENCE`].
pub(crate) struct Conn {
    stream: TcpStream,
    address: SocketAddr,
    unread: Vec<u8>,
    framing: Framing,
    /// Whether the body ended as its framing says.
    pub(crate) complete: bool,
}

impl Conn {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream,
            address,
            unread: Vec::new(),
            framing: Framing::Ended,
            complete: true,
        }
    }

    // ---- writing ---------------------------------------------------------

    /// Writes bytes as they are.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.try_write(bytes).expect("the server reads");
    }

    /// Writes bytes to a server that may have closed the connection.
    pub(crate) fn try_write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Writes a request. A server may answer and close before it has read all.
    pub(crate) fn send(&mut self, request: &Request) {
        let _ = self.try_write(&request.bytes(self.address));
    }

    /// Writes as much as the server takes without an answer being read. A
    /// server that takes no more within a second will not.
    pub(crate) fn write_what_is_taken(&mut self, bytes: &[u8]) {
        let second = Duration::from_secs(1);
        self.stream.set_write_timeout(Some(second)).unwrap();
        let _ = self.stream.write_all(bytes);
        self.stream.set_write_timeout(Some(PATIENCE)).unwrap();
    }

    /// The same connection for a thread that writes while the test reads.
    pub(crate) fn writer(&self) -> Self {
        Self {
            stream: self.stream.try_clone().expect("a descriptor is free"),
            address: self.address,
            unread: Vec::new(),
            framing: Framing::Ended,
            complete: true,
        }
    }

    /// The system keeps little for this side, so that a server soon notices
    /// that the client does not read.
    pub(crate) fn receive_little(&self) {
        rustix::net::sockopt::set_socket_recv_buffer_size(&self.stream, 4096)
            .expect("a socket's option");
    }

    /// Nothing more is written.
    pub(crate) fn finish_writing(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("still open");
    }

    /// Nothing more is written, on a connection that may be gone.
    pub(crate) fn finish_writing_quietly(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Ends the connection with a reset in place of an orderly end.
    pub(crate) fn reset(self) {
        rustix::net::sockopt::set_socket_linger(&self.stream, Some(Duration::ZERO))
            .expect("a socket's option");
    }

    // ---- reading ---------------------------------------------------------

    /// Whether the server has closed it; nothing is read, and nothing waited for.
    pub(crate) fn is_closed(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        !matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    /// A request and its whole answer.
    #[track_caller]
    pub(crate) fn exchange(&mut self, request: &Request) -> Response {
        self.send(request);
        if request.method == "HEAD" {
            let head = self.head().expect("an answer");
            self.framing = Framing::Ended;
            return Response {
                head,
                body: Vec::new(),
            };
        }
        self.response()
    }

    /// The next whole answer.
    #[track_caller]
    pub(crate) fn response(&mut self) -> Response {
        self.try_response()
            .expect("the server closed the connection without an answer")
    }

    /// The next whole answer, or nothing where the server closed first.
    #[track_caller]
    pub(crate) fn try_response(&mut self) -> Option<Response> {
        let head = self.head()?;
        let mut body = Vec::new();
        while let Some(piece) = self.piece() {
            body.extend_from_slice(&piece);
        }
        assert!(self.complete, "the body was cut: {head:?} {}", body.len());
        Some(Response { head, body })
    }

    /// The head of the next answer, `100 Continue` passed over.
    #[track_caller]
    pub(crate) fn head(&mut self) -> Option<Head> {
        loop {
            let head = self.any_head()?;
            if head.status >= 200 {
                return Some(head);
            }
        }
    }

    /// The head of the next answer, whatever its status.
    #[track_caller]
    pub(crate) fn any_head(&mut self) -> Option<Head> {
        let end = loop {
            if let Some(end) = find(&self.unread, b"\r\n\r\n") {
                break end;
            }
            if !self.fill() {
                assert!(self.unread.is_empty(), "a head was cut: {:?}", self.unread);
                return None;
            }
        };
        let text = String::from_utf8(self.unread[..end].to_vec()).expect("a head is text");
        self.unread.drain(..end + 4);
        let head = Head::parse(&text);
        let length = head.header("content-length").map(|length| {
            length
                .parse()
                .unwrap_or_else(|_| panic!("not a length: {length}"))
        });
        self.complete = true;
        self.framing = match (head.status, length) {
            (100..=199 | 204 | 304, _) => Framing::Ended,
            _ if head.header("transfer-encoding") == Some("chunked") => Framing::Chunked(0),
            (_, Some(0)) => Framing::Ended,
            (_, Some(length)) => Framing::Length(length),
            _ => Framing::UntilClose,
        };
        Some(head)
    }

    /// The next bytes of the body; nothing at its end.
    pub(crate) fn piece(&mut self) -> Option<Vec<u8>> {
        match self.framing {
            Framing::Ended => None,
            Framing::Length(left) => {
                if self.unread.is_empty() && !self.fill() {
                    return self.cut();
                }
                let piece: Vec<u8> = self.unread.drain(..left.min(self.unread.len())).collect();
                self.framing = match left - piece.len() {
                    0 => Framing::Ended,
                    left => Framing::Length(left),
                };
                Some(piece)
            }
            Framing::UntilClose => {
                if self.unread.is_empty() && !self.fill() {
                    self.framing = Framing::Ended;
                    return None;
                }
                Some(std::mem::take(&mut self.unread))
            }
            Framing::Chunked(0) => {
                let end = loop {
                    if let Some(end) = find(&self.unread, b"\r\n") {
                        break end;
                    }
                    if !self.fill() {
                        return self.cut();
                    }
                };
                let line = String::from_utf8_lossy(&self.unread[..end]).into_owned();
                let size = usize::from_str_radix(line.trim(), 16)
                    .unwrap_or_else(|_| panic!("not a chunk's size: {line:?}"));
                self.unread.drain(..end + 2);
                if size == 0 {
                    while self.unread.len() < 2 && self.fill() {}
                    self.unread.drain(..2);
                    self.framing = Framing::Ended;
                    return None;
                }
                self.framing = Framing::Chunked(size);
                self.piece()
            }
            Framing::Chunked(left) => {
                if self.unread.is_empty() && !self.fill() {
                    return self.cut();
                }
                let piece: Vec<u8> = self.unread.drain(..left.min(self.unread.len())).collect();
                let left = left - piece.len();
                if left == 0 {
                    while self.unread.len() < 2 && self.fill() {}
                    self.unread.drain(..2.min(self.unread.len()));
                }
                self.framing = Framing::Chunked(left);
                Some(piece)
            }
        }
    }

    fn cut(&mut self) -> Option<Vec<u8>> {
        self.framing = Framing::Ended;
        self.complete = false;
        None
    }

    /// Waits until the server has closed. Fails where it sends anything first.
    #[track_caller]
    pub(crate) fn expect_close(&mut self) {
        while self.fill() {}
        assert!(
            self.unread.is_empty(),
            "unasked: {:?}",
            String::from_utf8_lossy(&self.unread)
        );
    }

    /// The next answer, be it whole or cut off; nothing where there is none.
    pub(crate) fn try_response_cut(&mut self) -> Option<Response> {
        let head = self.head()?;
        let mut body = Vec::new();
        while let Some(piece) = self.piece() {
            body.extend_from_slice(&piece);
        }
        Some(Response { head, body })
    }

    /// Whether the next byte begins a frame of HTTP/2 and no status line.
    pub(crate) fn speaks_http2(&mut self) -> bool {
        if self.unread.is_empty() {
            self.fill();
        }
        self.unread.first() == Some(&0)
    }

    /// Reads and drops whatever there is until the server closes.
    pub(crate) fn drain(&mut self) {
        while self.fill() {
            self.unread.clear();
        }
    }

    /// Whether the server sends something, or closes, within this time.
    pub(crate) fn reacts_within(&mut self, time: Duration) -> bool {
        if !self.unread.is_empty() {
            return true;
        }
        let time = time.max(Duration::from_millis(1));
        self.stream.set_read_timeout(Some(time)).unwrap();
        let mut byte = [0];
        let outcome = self.stream.peek(&mut byte);
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        !matches!(
            outcome.map_err(|error| error.kind()),
            Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)
        )
    }

    /// Reads what there is; false at the end.
    fn fill(&mut self) -> bool {
        let mut buffer = vec![0; 1 << 16];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(read) => {
                    self.unread.extend_from_slice(&buffer[..read]);
                    return true;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
                    ) =>
                {
                    return false;
                }
                Err(error) => panic!("nothing from the server within {PATIENCE:?}: {error}"),
            }
        }
    }
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes
        .windows(pattern.len())
        .position(|window| window == pattern)
}
