//! `fetch`: nothing but public hosts and one loopback port is reached, whatever a URL,
//! a redirect or the environment says, and an answer costs bounded memory and time.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::process::{Chaos, PATIENCE, setup};

/// What a site does with a path.
enum Reply {
    /// Writes this and closes the connection.
    Whole(Vec<u8>),
    /// Writes this, and waits for the server to leave.
    Held(Vec<u8>),
}

/// An HTTP server on a loopback port, on threads.
struct Site {
    port: u16,
    /// The paths that were asked for.
    paths: Receiver<String>,
    /// One for each connection that the other side has left.
    left: Receiver<()>,
}

impl Site {
    fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, paths) = channel();
        let (leave, left) = channel();
        let reply = Arc::new(reply);
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let (reply, tell, leave) = (Arc::clone(&reply), tell.clone(), leave.clone());
                thread::spawn(move || {
                    let _ = converse(stream, &*reply, |path| drop(tell.send(path.to_owned())));
                    let _ = leave.send(());
                });
            }
        });
        Self { port, paths, left }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// A server that may reach this site.
    fn chaos(&self) -> Chaos {
        setup()
            .env("CHAOS_ALLOW_LOOPBACK_PORT", self.port.to_string())
            .legacy()
    }
}

fn converse(
    mut stream: TcpStream,
    reply: &dyn Fn(&str) -> Reply,
    seen: impl FnOnce(&str),
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or_default();
    seen(path);
    match reply(path) {
        Reply::Whole(bytes) => {
            stream.write_all(&bytes)?;
            stream.shutdown(Shutdown::Write)
        }
        Reply::Held(bytes) => {
            stream.write_all(&bytes)?;
            stream.read_to_end(&mut Vec::new()).map(drop)
        }
    }
}

fn ok(headers: &str, body: impl AsRef<[u8]>) -> Reply {
    let head = format!(
        "HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n",
        body.as_ref().len()
    );
    Reply::Whole([head.as_bytes(), body.as_ref()].concat())
}

fn redirect(location: &str) -> Reply {
    Reply::Whole(
        format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n").into(),
    )
}

/// A loopback port on which no connection may arrive.
struct Trap(TcpListener);

impl Trap {
    fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// Fails if there was a connection. The kernel completes them without our help.
    fn assert_untouched(&self) {
        let error = self.0.accept().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }
}

/// Fetches what must be refused in words that the client can use.
#[track_caller]
fn refusal(chaos: &mut Chaos, url: &str) -> String {
    let text = chaos.failure("fetch", json!({ "url": url }));
    assert!(!text.contains("reference"), "{url}: {text}");
    assert!(!text.contains("os error"), "{url}: {text}");
    text
}

#[test]
fn the_one_loopback_port_is_fetched_from() {
    let site = Site::start(|path| match path {
        "/page" => ok("", "the page ✓"),
        "/zipped" => ok("content-encoding: gzip\r\n", gzip(1_000)),
        "/moved" => redirect("/page"),
        _ => Reply::Whole(b"HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nnope!".to_vec()),
    });
    let mut chaos = site.chaos();
    for path in ["/page", "/moved", "/page#part"] {
        assert_eq!(
            chaos.text("fetch", json!({ "url": site.url(path) })),
            "the page ✓"
        );
    }
    let zipped = chaos.text("fetch", json!({ "url": site.url("/zipped") }));
    assert_eq!(zipped.len(), 1_000);
    let text = refusal(&mut chaos, &site.url("/missing"));
    assert_eq!(text, "The server answered with status 404 Not Found.");
}

#[test]
fn private_hosts_are_refused_in_every_notation() {
    let site = Site::start(|_| ok("", "reached"));
    let trap = Trap::set();
    let mut chaos = site.chaos();
    let hosts = [
        // Loopback, by name.
        "localhost",
        "LOCALHOST",
        "ip6-localhost",
        "ｌocalhost",
        "localhost.",
        // Loopback, in other notations than the exempt one.
        "127.1",
        "127.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "0177.0.0.1",
        "017700000001",
        "2130706433",
        "127.0.0.01",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
        "127。0。0。1",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b:1::127.0.0.1]",
        "[2002:7f00:1::]",
        "[2001::1]",
        "user@127.0.0.1",
        "user:password@127.0.0.1",
        // What is not exempt.
        "127.0.0.2",
        "0.0.0.0",
        "0",
        "[::]",
        "[::1]",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "2852039166",
        "172.16.0.1",
        "192.168.0.1",
        "192.0.0.192",
        "198.18.0.1",
        "203.0.113.1",
        "224.0.0.1",
        "255.255.255.255",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fe80::1%25lo]",
        "[fec0::1]",
        "[ff02::1]",
    ];
    for host in hosts {
        for scheme in ["http", "https"] {
            refusal(&mut chaos, &format!("{scheme}://{host}:{}/", site.port));
            refusal(&mut chaos, &format!("{scheme}://{host}:{}/", trap.port()));
        }
    }
    refusal(&mut chaos, &format!("http://127.0.0.1:{}/", trap.port()));
    refusal(
        &mut chaos,
        &format!("http://127.0.0.1:{}@127.0.0.1:{}/", site.port, trap.port()),
    );
    refusal(
        &mut chaos,
        &format!(
            "http://127.0.0.1:{}\\@127.0.0.1:{}/",
            site.port,
            trap.port()
        ),
    );
    for url in [
        "",
        "localhost",
        "//127.0.0.1/",
        "http:127.0.0.1",
        "http:///127.0.0.1/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "gopher://127.0.0.1/",
        "data:text/plain,x",
        "unix:/run/docker.sock",
    ] {
        let text = refusal(&mut chaos, url);
        assert!(text.starts_with("Invalid arguments: url: must "), "{text}");
    }
    trap.assert_untouched();
    assert!(site.paths.try_recv().is_err());
}

#[test]
fn without_an_exempt_port_loopback_is_refused() {
    let site = Site::start(|_| ok("", "reached"));
    let mut chaos = setup().legacy();
    let text = refusal(&mut chaos, &site.url("/"));
    assert!(text.contains("not on the public internet"), "{text}");
    assert!(site.paths.try_recv().is_err());
}

#[test]
fn redirects_to_forbidden_targets_are_refused() {
    let trap = Trap::set();
    let targets: Vec<String> = [
        "http://127.0.0.1:{trap}/",
        "http://127.1:{trap}/",
        "http://0x7f000001:{trap}/",
        "http://localhost:{trap}/",
        "http://ip6-localhost:{trap}/",
        "http://[::1]:{trap}/",
        "http://[::ffff:127.0.0.1]:{trap}/",
        "//127.0.0.1:{trap}/",
        "\\\\127.0.0.1:{trap}\\",
        "https://127.0.0.1:{trap}/",
        "http://0.0.0.0:{trap}/",
        "http://user:password@127.0.0.1:{trap}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://metadata.google.internal/",
        "file:///etc/passwd",
        "ftp://127.0.0.1:{trap}/",
        "data:text/plain,x",
        "http://",
    ]
    .map(|target| target.replace("{trap}", &trap.port().to_string()))
    .into();
    let count = targets.len();
    let site = Site::start(move |path| {
        let at: Option<usize> = path[1..].parse().ok();
        redirect(at.map_or("/loop", |at| &targets[at]))
    });
    let mut chaos = site.chaos();
    for at in 0..count {
        let text = refusal(&mut chaos, &site.url(&format!("/{at}")));
        assert!(
            !text.contains("127.0.0.1") && !text.contains("169.254"),
            "{text}"
        );
    }
    let text = refusal(&mut chaos, &site.url("/loop"));
    assert!(text.contains("redirects more than 5 times"), "{text}");
    trap.assert_untouched();
}

/// So many zeros.
fn gzip(bytes: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let block = [0; 1 << 16];
    let mut rest = bytes;
    while rest > 0 {
        let next = rest.min(block.len());
        encoder.write_all(&block[..next]).unwrap();
        rest -= next;
    }
    encoder.finish().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn bombs_and_huge_bodies_cost_bounded_memory() {
    let bomb = gzip(128 << 20);
    let site = Site::start(move |path| match path {
        "/warm" => ok("content-encoding: gzip\r\n", gzip(1_000)),
        "/bomb" => ok("content-encoding: gzip\r\n", &bomb),
        // No length is announced.
        _ => Reply::Whole([b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; 32 << 20]].concat()),
    });
    let mut chaos = site.chaos();
    chaos.text("fetch", json!({ "url": site.url("/warm") }));
    let before = chaos.peak_memory();
    for path in ["/bomb", "/huge"] {
        for _ in 0..4 {
            let text = refusal(&mut chaos, &site.url(path));
            assert!(text.contains("larger than 262144 bytes"), "{text}");
        }
    }
    let grown = chaos.peak_memory() - before;
    assert!(grown < 8 << 20, "{grown}");
}

#[test]
fn servers_that_are_silent_or_slow_time_out_and_others_are_served() {
    let site = Site::start(|path| {
        Reply::Held(match path {
            "/silent" => Vec::new(),
            "/half-head" => b"HTTP/1.1 200 OK\r\nx: ".to_vec(),
            _ => b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec(),
        })
    });
    let mut chaos = site.chaos();
    let paths = ["/silent", "/half-head", "/half-body"];
    for path in paths {
        chaos.send_call(path, "fetch", json!({ "url": site.url(path) }));
    }
    for _ in paths {
        site.paths.recv_timeout(PATIENCE).unwrap();
    }
    chaos.assert_alive();
    for path in paths {
        let answer = chaos.answer(path);
        let text = crate::rpc::text(crate::rpc::result(&answer));
        assert!(
            text.contains("timed out") && text.contains("within 5 s"),
            "{text}"
        );
        site.left.recv_timeout(PATIENCE).unwrap();
    }
}

#[test]
fn a_cancelled_call_leaves_the_server_that_it_fetches_from() {
    let site = Site::start(|_| Reply::Held(b"HTTP/1.1 200 OK\r\n\r\nhalf".to_vec()));
    let mut chaos = site.chaos();
    chaos.send_call(1, "fetch", json!({ "url": site.url("/") }));
    site.paths.recv_timeout(PATIENCE).unwrap();
    chaos.cancel(1);
    site.left.recv_timeout(PATIENCE).unwrap();
    chaos.expect_silence();
}

#[test]
fn proxies_of_the_environment_are_not_used() {
    let site = Site::start(|_| ok("", "direct"));
    let trap = Trap::set();
    let proxy = format!("http://127.0.0.1:{}", trap.port());
    let mut setup = setup().env("CHAOS_ALLOW_LOOPBACK_PORT", site.port.to_string());
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ] {
        setup = setup.env(name, &proxy);
    }
    let mut chaos = setup.env("NO_PROXY", "").env("no_proxy", "").legacy();
    assert_eq!(
        chaos.text("fetch", json!({ "url": site.url("/") })),
        "direct"
    );
    refusal(&mut chaos, "https://localhost/");
    trap.assert_untouched();
}

#[test]
fn no_url_header_or_body_is_logged_at_any_level() {
    let site = Site::start(|path| match path {
        "/moved?hunter2-query" => redirect("/page?hunter2-query"),
        "/json" => ok("x-secret: hunter2-header\r\n", b"hunter2-body \xff"),
        _ => ok("x-secret: hunter2-header\r\n", "hunter2-body"),
    });
    let mut chaos = setup()
        .env("CHAOS_ALLOW_LOOPBACK_PORT", site.port.to_string())
        .env("RUST_LOG", "trace")
        .legacy();
    let url = site.url("/moved?hunter2-query");
    assert_eq!(chaos.text("fetch", json!({ "url": url })), "hunter2-body");
    let text = refusal(&mut chaos, &site.url("/json"));
    assert!(text.contains("not UTF-8"), "{text}");
    refusal(&mut chaos, "http://10.0.0.1/?hunter2-query");
    refusal(&mut chaos, "http://localhost/?hunter2-query");
    chaos.finish();
    let log = chaos.log.text();
    assert!(log.contains("fetch") && !log.contains("hunter2"), "{log}");
}
