//! HTTP/2 without TLS, by prior knowledge: the same server, many requests on
//! one connection.

use std::future::Future;

use bytes::Bytes;
use h2::client::{SendRequest, handshake};
use h2::{Reason, RecvStream};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::load::served_at_last;
use crate::rpc;
use crate::server::{Server, field, setup};
use crate::support::PATIENCE;
use crate::support::trace::Trace;

/// Runs a test's future; fails where it takes too long. Connections are on
/// another thread, so that the test may block.
fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(async { timeout(PATIENCE, future).await.expect("in time") })
}

async fn connect(server: &Server) -> SendRequest<Bytes> {
    let socket = TcpStream::connect(server.address)
        .await
        .expect("the server listens");
    let (client, connection) = handshake(socket).await.expect("HTTP/2");
    tokio::spawn(async move {
        // How a connection ends is seen by its requests.
        let _ = connection.await;
    });
    client.ready().await.expect("a connection")
}

/// A client that takes so many bytes of each answer, and what tells that its
/// connection is there.
async fn with_window(
    server: &Server,
    bytes: u32,
) -> (
    SendRequest<Bytes>,
    h2::PingPong,
    tokio::task::JoinHandle<Result<(), h2::Error>>,
) {
    let socket = TcpStream::connect(server.address)
        .await
        .expect("the server listens");
    let (client, mut connection) = h2::client::Builder::new()
        .initial_window_size(bytes)
        .handshake(socket)
        .await
        .expect("HTTP/2");
    let pings = connection.ping_pong().expect("pings");
    let ended = tokio::spawn(connection);
    (client.ready().await.expect("a connection"), pings, ended)
}

fn head(server: &Server, tool: &str) -> http::request::Builder {
    http::Request::post(format!("http://{}/mcp", server.address))
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", tool)
}

fn body(id: i64, tool: &str, arguments: Value) -> Bytes {
    json!({
        "jsonrpc": "2.0", "id": id, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments, "_meta": rpc::meta("2026-07-28") },
    })
    .to_string()
    .into()
}

async fn read(mut body: RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

async fn send(
    client: &SendRequest<Bytes>,
    request: http::Request<()>,
    body: Bytes,
) -> Result<(u16, Vec<u8>), h2::Error> {
    let mut client = client.clone().ready().await?;
    let (response, mut stream) = client.send_request(request, false)?;
    stream.send_data(body, true)?;
    let response = response.await?;
    let status = response.status().as_u16();
    Ok((status, read(response.into_body()).await?))
}

async fn call(
    server: &Server,
    client: &SendRequest<Bytes>,
    id: i64,
    tool: &str,
    arguments: Value,
) -> String {
    let request = head(server, tool).body(()).unwrap();
    let (status, bytes) = send(client, request, body(id, tool, arguments))
        .await
        .expect("an answer");
    let text = String::from_utf8(bytes).expect("text");
    assert_eq!(status, 200, "{text}");
    let answer = rpc::parse(&text);
    assert_eq!(answer["id"], id);
    rpc::text(rpc::result(&answer))
}

#[test]
fn calls_are_answered() {
    let server = setup().start();
    run(async {
        let client = connect(&server).await;
        for id in 0..20 {
            let text = call(&server, &client, id, "add", json!({ "a": id, "b": 1 })).await;
            assert_eq!(text, (id + 1).to_string());
        }
        let text = call(&server, &client, 1, "big", json!({ "bytes": 1_000_000 })).await;
        assert_eq!(text.len(), 1_000_000);
        let text = call(&server, &client, 1, "panic", json!({})).await;
        assert!(text.contains("internal error"), "{text}");
    });
}

/// The GOAWAY frame names which requests it may send again elsewhere.
#[test]
fn a_connection_that_makes_room_ends_with_a_word() {
    let server = setup().env("CHAOS_HTTP_LIMITS", "connections=1").start();
    run(async {
        let socket = TcpStream::connect(server.address).await.expect("a socket");
        let (client, connection) = handshake(socket).await.expect("HTTP/2");
        let connection = tokio::spawn(connection);
        let client = client.ready().await.expect("a connection");
        call(&server, &client, 1, "add", json!({ "a": 1, "b": 2 })).await;
        let another = server.modern().calling(1, "add", json!({ "a": 1, "b": 2 }));
        served_at_last(&server, &another);
        // GOAWAY, and no error.
        connection.await.expect("no panic").expect("a good end");
    });
}

#[test]
fn calls_run_side_by_side_on_one_connection() {
    let server = setup().start();
    run(async {
        let client = connect(&server).await;
        // With its answer the client knows how many streams it may open.
        call(&server, &client, 6, "slow", json!({ "ms": 0 })).await;
        let calls = (0..200_u64).map(|id| {
            let (server, client) = (&server, client.clone());
            async move {
                let ms = 100 - id % 100;
                // All under one id: nothing but the stream tells them apart.
                let text = call(server, &client, 7, "slow", json!({ "ms": ms })).await;
                assert_eq!(text, format!("slept {ms}"));
            }
        });
        join_all(calls.collect()).await;
    });
}

/// Polls all until all have ended.
async fn join_all<F: Future<Output = ()>>(futures: Vec<F>) {
    let mut open: Vec<_> = futures.into_iter().map(Box::pin).collect();
    std::future::poll_fn(move |cx| {
        open.retain_mut(|future| future.as_mut().poll(cx).is_pending());
        if open.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

#[test]
fn a_stream_that_is_reset_cancels_its_call_and_no_other() {
    let mut trace = Trace::new("http2-reset");
    let server = setup().env("CHAOS_TRACE", trace.path()).start();
    run(async {
        let mut client = connect(&server).await;
        let request = head(&server, "slow").body(()).unwrap();
        let (response, mut stream) = client.send_request(request, false).unwrap();
        stream
            .send_data(body(1, "slow", json!({ "ms": 29_000 })), true)
            .unwrap();
        let (server, other) = (&server, client.clone());
        let slow = call(server, &other, 2, "slow", json!({ "ms": 900 }));
        let reset = async {
            trace.wait_for("start 29000");
            stream.send_reset(Reason::CANCEL);
            drop(response);
        };
        let (text, ()) = tokio::join!(slow, reset);
        assert_eq!(text, "slept 900");
        assert_eq!(
            call(server, &client, 3, "add", json!({ "a": 1, "b": 2 })).await,
            "3"
        );
    });
    server.log.wait_for("the cancelled call", |line| {
        field(line, "name").as_deref() == Some("slow") && line.contains("cancel")
    });
    assert!(!trace.has("done 29000"));
}

#[test]
fn the_doors_are_the_same() {
    let server = setup().keys().start();
    run(async {
        let client = connect(&server).await;
        let good = || head(&server, "whoami").header("x-api-key", "alice-key");
        let ask = async |request: http::request::Builder| {
            let request = request.body(()).unwrap();
            send(&client, request, body(1, "whoami", json!({})))
                .await
                .expect("an answer")
                .0
        };
        assert_eq!(ask(good()).await, 200);
        assert_eq!(ask(head(&server, "whoami")).await, 401);
        assert_eq!(ask(good().header("origin", "null")).await, 403);
        assert_eq!(ask(good().header("mcp-name", "admin")).await, 400);
        let stranger = good().uri("http://evil.example/mcp");
        assert!([400, 403, 421].contains(&ask(stranger).await));
        // `:authority` for this machine, `Host` for another: not both.
        let both = good().header("host", "evil.example");
        let request = both.body(()).unwrap();
        let answered = send(&client, request, body(1, "whoami", json!({}))).await;
        if let Ok((status, _)) = answered {
            assert!([400, 403, 421].contains(&status), "{status}");
        }
    });
}

#[test]
fn a_body_above_the_limit_is_413() {
    let server = setup().start();
    run(async {
        let client = connect(&server).await;
        let request = head(&server, "add")
            .header("content-length", (64_u64 << 20).to_string())
            .body(())
            .unwrap();
        let mut sender = client.clone().ready().await.unwrap();
        let (response, _stream) = sender.send_request(request, false).unwrap();
        assert_eq!(response.await.expect("an answer").status(), 413);
        // The connection is as good as before.
        assert_eq!(
            call(&server, &client, 3, "add", json!({ "a": 1, "b": 2 })).await,
            "3"
        );
    });
}

#[test]
fn heads_above_the_limit_are_refused() {
    let server = setup().start();
    run(async {
        let client = connect(&server).await;
        let request = head(&server, "add")
            .header("x-long", "x".repeat(60_000))
            .body(())
            .unwrap();
        let answered = send(&client, request, body(1, "add", json!({ "a": 1, "b": 2 }))).await;
        if let Ok((status, _)) = answered {
            assert_eq!(status, 431);
        }
    });
    server.assert_alive();
}

/// Streams opened and reset without end: the attack of 2023.
#[cfg(target_os = "linux")]
#[test]
fn rapid_resets_are_bounded() {
    let server = setup().start();
    server.assert_alive();
    let before = server.proc().peak_memory();
    run(async {
        let client = connect(&server).await;
        for _ in 0..5_000 {
            let Ok(mut client) = client.clone().ready().await else {
                break; // the server has had enough
            };
            let request = head(&server, "slow").body(()).unwrap();
            let Ok((_, mut stream)) = client.send_request(request, false) else {
                break;
            };
            let _ = stream.send_data(body(1, "slow", json!({ "ms": 29_000 })), true);
            stream.send_reset(Reason::CANCEL);
            tokio::task::yield_now().await;
        }
    });
    server.assert_alive();
    let grown = server.proc().peak_memory().saturating_sub(before);
    assert!(grown <= 60 << 20, "{} MiB more", grown >> 20);
}

/// Answers for which the client gives no window: others are served, memory is bounded.
#[cfg(target_os = "linux")]
#[test]
fn a_client_without_room_for_answers_is_bounded() {
    let server = setup().start();
    server.assert_alive();
    let before = server.proc().peak_memory();
    run(async {
        let mut held = Vec::new();
        for _ in 0..8 {
            let client = connect(&server).await;
            for id in 0..50 {
                let mut client = client.clone().ready().await.expect("open");
                let request = head(&server, "big").body(()).unwrap();
                let (response, mut stream) = client.send_request(request, false).unwrap();
                let _ = stream.send_data(body(id, "big", json!({ "bytes": 1_000_000 })), true);
                held.push((response, stream));
            }
        }
        // The requests leave while another one is answered.
        let other = connect(&server).await;
        for id in 0..30 {
            call(&server, &other, id, "sleep", json!({ "ms": 20 })).await;
        }
        drop(held);
    });
    let grown = server.proc().peak_memory().saturating_sub(before);
    assert!(grown <= 150 << 20, "{} MiB more", grown >> 20);
    server.assert_alive();
}

#[test]
fn calls_in_flight_are_answered_while_the_server_drains() {
    let mut trace = Trace::new("http2-drain");
    let mut server = setup().env("CHAOS_TRACE", trace.path()).start();
    run(async {
        let client = connect(&server).await;
        let slow = call(&server, &client, 1, "slow", json!({ "ms": 1500 }));
        let end = async {
            trace.wait_for("start 1500");
            server.signal(rustix::process::Signal::TERM);
        };
        let (text, ()) = tokio::join!(slow, end);
        assert_eq!(text, "slept 1500");
    });
    assert_eq!(server.wait().code(), Some(0));
}

/// A stream on which nothing happens has to be read as well: what keeps it
/// alive would wait for ever.
#[test]
fn an_unread_http2_stream_ends_its_connection() {
    let server = setup()
        .env("CHAOS_HTTP_LIMITS", "body_time=300ms,keep_alive=10ms")
        .start();
    run(async {
        let (mut client, mut pings, ended) = with_window(&server, 1000).await;
        let request = http::Request::post(format!("http://{}/mcp", server.address))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "subscriptions/listen")
            .body(())
            .unwrap();
        let message = json!({
            "jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen",
            "params": { "notifications": {}, "_meta": rpc::meta("2026-07-28") },
        });
        let (response, mut stream) = client.send_request(request, false).unwrap();
        stream.send_data(message.to_string().into(), true).unwrap();
        let response = response.await.expect("a head");
        assert_eq!(response.status(), 200);
        while pings.ping(h2::Ping::opaque()).await.is_ok() {}
        let _ = ended.await;
        drop(response);
    });
    server.assert_alive();
}

/// Whatever else happens on a connection, an answer that the client does not read does not
/// stay: neither as JSON nor as events.
#[test]
fn unread_answers_end_their_connection() {
    for accept in ["application/json, text/event-stream", "text/event-stream"] {
        let server = setup().env("CHAOS_HTTP_LIMITS", "body_time=300ms").start();
        run(async {
            let (mut client, mut pings, ended) = with_window(&server, 0).await;
            let mut request = head(&server, "big").body(()).unwrap();
            request
                .headers_mut()
                .insert("accept", accept.parse().unwrap());
            let (response, mut stream) = client.send_request(request, false).unwrap();
            let body = body(1, "big", json!({ "bytes": 1_000_000 }));
            stream.send_data(body, true).unwrap();
            let response = response.await.expect("a head");
            assert_eq!(response.status(), 200);
            // Bytes go back and forth all the time.
            while pings.ping(h2::Ping::opaque()).await.is_ok() {}
            let _ = ended.await;
            let mut body = response.into_body();
            assert!(body.data().await.is_none_or(|piece| piece.is_err()));
        });
        server.assert_alive();
    }
}

/// Who reads slowly, but reads, gets all of it.
#[test]
fn a_slow_reader_of_one_stream_gets_its_whole_answer() {
    let server = setup().env("CHAOS_HTTP_LIMITS", "body_time=2000ms").start();
    run(async {
        let client = connect(&server).await;
        let mut client = client.ready().await.unwrap();
        let request = head(&server, "big").body(()).unwrap();
        let (response, mut stream) = client.send_request(request, false).unwrap();
        let sent = body(1, "big", json!({ "bytes": 300_000 }));
        stream.send_data(sent, true).unwrap();
        let mut body = response.await.expect("a head").into_body();
        let mut read = 0;
        while let Some(piece) = body.data().await {
            let piece = piece.expect("all of it");
            read += piece.len();
            // Calls of others: time passes in the server.
            server.modern().text("slow", json!({ "ms": 100 }));
            body.flow_control().release_capacity(piece.len()).unwrap();
        }
        assert!(read > 300_000, "{read}");
    });
}

/// A method that begins as HTTP/2 does is one of HTTP/1.1.
#[test]
fn what_only_begins_as_the_preface_is_http1() {
    let server = setup()
        .env("CHAOS_HTTP_LIMITS", "header_time=400ms")
        .start();
    let mut conn = server.connect();
    conn.write(b"PRIVATE / HTTP/1.1\r\nHost: localhost\r\n");
    // As any head of HTTP/1.1 that does not end.
    let response = conn.try_response().expect("an answer of HTTP/1.1");
    assert_eq!(response.status(), 408);
    conn.expect_close();
}
