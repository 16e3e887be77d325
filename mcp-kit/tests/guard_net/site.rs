//! A server on a loopback address that answers as a test says, and a resolver that does.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use mcp_kit::guard::{HttpClient, HttpClientBuilder, HttpError, HttpErrorKind, Resolve, SafeUrl};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A certificate for `localhost`. With it, https needs no certificates of the system.
pub use crate::tls_site::CERTIFICATE;

/// What the server does with a request.
pub enum Answer {
    /// Writes this and closes the connection.
    Whole(Vec<u8>),
    /// Writes this and waits for the client to leave.
    Held(Vec<u8>),
    /// Writes the first, then the second for as long as the client takes it.
    Endless(Vec<u8>, Vec<u8>),
}

/// A request as it arrived.
#[derive(Debug)]
pub struct Seen {
    pub head: String,
    pub body: Vec<u8>,
}

impl Seen {
    /// The request line's path.
    pub fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    pub fn method(&self) -> &str {
        self.head.split(' ').next().unwrap()
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

pub struct Site {
    pub address: SocketAddr,
    requests: mpsc::UnboundedReceiver<Seen>,
    /// One for each connection that ended.
    ended: mpsc::UnboundedReceiver<()>,
}

impl Site {
    pub async fn start(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), answer).await
    }

    pub async fn at(
        address: SocketAddr,
        answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(answer);
        let (tell, requests) = mpsc::unbounded_channel();
        let (end, ended) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, tell, end) = (Arc::clone(&answer), tell.clone(), end.clone());
                tokio::spawn(async move {
                    let _ = converse(stream, &*answer, &tell).await;
                    let _ = end.send(());
                });
            }
        });
        Self {
            address,
            requests,
            ended,
        }
    }

    /// Answers 200 with this body.
    pub async fn with_body(body: &'static str) -> Self {
        Self::start(|_| ok(body)).await
    }

    /// `path` on a host that resolves to this server.
    pub fn on(&self, host: &str, path: &str) -> SafeUrl {
        url(&format!("http://{host}:{}{path}", self.address.port()))
    }

    /// The next request.
    pub async fn next(&mut self) -> Seen {
        self.requests.recv().await.unwrap()
    }

    /// Whether a request arrived that no test has taken yet.
    pub fn is_quiet(&mut self) -> bool {
        self.requests.try_recv().is_err()
    }

    /// Waits until a connection has ended.
    pub async fn end_of_connection(&mut self) {
        self.ended.recv().await.unwrap();
    }
}

async fn converse(
    mut stream: TcpStream,
    answer: &(dyn Fn(&Seen) -> Answer + Send + Sync),
    tell: &mpsc::UnboundedSender<Seen>,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let mut seen = Seen {
        head: String::from_utf8(head).unwrap(),
        body: Vec::new(),
    };
    if let Some(length) = seen.header("content-length") {
        seen.body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut seen.body).await?;
    }
    let answer = answer(&seen);
    let _ = tell.send(seen);
    match answer {
        Answer::Whole(bytes) => stream.write_all(&bytes).await?,
        Answer::Held(bytes) => {
            stream.write_all(&bytes).await?;
            while stream.read(&mut [0; 64]).await? > 0 {}
        }
        Answer::Endless(first, then) => {
            stream.write_all(&first).await?;
            loop {
                stream.write_all(&then).await?;
            }
        }
    }
    stream.shutdown().await
}

/// An answer with a status line, headers, a body, and the body's length.
pub fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Answer {
    let body = body.as_ref();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n"
    );
    Answer::Whole([head.as_bytes(), body].concat())
}

pub fn ok(body: &str) -> Answer {
    answer("200 OK", "", body)
}

pub fn redirect(status: &str, location: &str) -> Answer {
    answer(status, &format!("location: {location}\r\n"), "moved")
}

/// Resolves names to lists of addresses, one list after the other; the last one stays.
#[derive(Clone, Default)]
pub struct Names {
    lists: Arc<Mutex<HashMap<String, Vec<Vec<IpAddr>>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Names {
    /// Adds a name with its next list of addresses.
    pub fn with(self, name: &str, addresses: &[&str]) -> Self {
        let list = addresses.iter().map(|text| text.parse().unwrap()).collect();
        let mut lists = self.lists.lock().unwrap();
        lists.entry(name.to_owned()).or_default().push(list);
        drop(lists);
        self
    }

    /// What was asked for so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[mcp_kit::async_trait]
impl Resolve for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(host.to_owned());
        match self.lists.lock().unwrap().get_mut(host) {
            Some(lists) if lists.len() > 1 => Ok(lists.remove(0)),
            Some(lists) => Ok(lists[0].clone()),
            None => Err(io::Error::other("NXDOMAIN from 10.0.0.53")),
        }
    }
}

/// Names that lead to the tests' servers.
pub fn here(names: &[&str]) -> Names {
    let add = |all: Names, name: &&str| all.with(name, &["127.0.0.1"]);
    names.iter().fold(Names::default(), add)
}

/// A client to which 127.0.0.1 is as good as a public address.
pub fn builder(names: Names) -> HttpClientBuilder {
    HttpClient::builder()
        .resolver(names)
        .allow_private_networks(["127.0.0.1/32"])
}

pub fn client(names: Names) -> HttpClient {
    builder(names).build().unwrap()
}

pub fn url(text: &str) -> SafeUrl {
    SafeUrl::parse(text).unwrap()
}

/// Why a `GET` of this URL fails.
pub async fn refusal(client: &HttpClient, url: &SafeUrl) -> HttpError {
    client.get(url).send().await.unwrap_err()
}

pub async fn kind(client: &HttpClient, url: &SafeUrl) -> HttpErrorKind {
    refusal(client, url).await.kind()
}
