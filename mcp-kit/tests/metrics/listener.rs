//! The address of its own, over real sockets.

use std::net::SocketAddr;

use mcp_kit::observe::metrics::Metrics;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

async fn listen() -> (SocketAddr, JoinHandle<()>) {
    let listener = Metrics::new().bind(([127, 0, 0, 1], 0).into()).await;
    let listener = listener.unwrap();
    let address = listener.local_addr().unwrap();
    (address, tokio::spawn(listener.serve()))
}

/// The whole answer to a request that is sent as it is.
async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn request(line: &str, host: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

#[tokio::test]
async fn metrics_are_read_with_get() {
    let (address, _) = listen().await;
    for host in ["127.0.0.1:9090", "localhost", "[::1]:1"] {
        let answer = exchange(address, &request("GET /metrics", host)).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        let kind = format!("content-type: {}\r\n", Metrics::CONTENT_TYPE);
        assert!(answer.contains(&kind), "{answer}");
        assert!(
            answer.contains(r#"mcp_http_requests_refused_total{reason="origin"} 0"#)
                && answer.contains("mcp_sessions_open 0")
                && answer.ends_with("# EOF\n"),
            "{answer}"
        );
    }
    let head = exchange(address, &request("HEAD /metrics", "localhost")).await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"));
}

#[tokio::test]
async fn everything_else_is_refused() {
    let (address, _) = listen().await;
    for (line, host, status) in [
        ("GET /metrics", "evil.example", 403),
        ("GET /metrics", "127.0.0.1.evil.example", 403),
        ("GET http://evil.example/metrics", "localhost", 403),
        ("GET /", "localhost", 404),
        ("GET /metrics/", "localhost", 404),
        ("POST /metrics", "localhost", 405),
        ("DELETE /metrics", "localhost", 405),
    ] {
        let answer = exchange(address, &request(line, host)).await;
        let expected = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&expected), "{line} {host}: {answer}");
        assert!(!answer.contains("mcp_"), "{answer}");
    }
    let without_host = exchange(address, "GET /metrics HTTP/1.0\r\n\r\n").await;
    assert!(without_host.contains(" 403 "), "{without_host}");
    let long = format!("GET /{} HTTP/1.1\r\n", "x".repeat(64 * 1024));
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may hang up before it has read everything.
    let _ = stream.write_all(long.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_cut_and_delays_no_other() {
    let (address, _) = listen().await;
    let mut silent = Vec::new();
    for _ in 0..16 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    // Served once the silent ones' time for headers is over.
    let answer = exchange(address, &request("GET /metrics", "localhost")).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[tokio::test]
async fn it_ends_when_it_is_stopped() {
    let listener = Metrics::new().bind(([127, 0, 0, 1], 0).into()).await;
    let listener = listener.unwrap();
    let address = listener.local_addr().unwrap();
    listener.serve_until(std::future::ready(())).await;
    TcpStream::connect(address).await.unwrap_err();
}
