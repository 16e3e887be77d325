//! 6,000 mutated requests: heads and bodies of both eras. The server lives,
//! answers with HTTP whatever it answers, and serves a good request after.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::HttpClient;
use crate::request::Request;
use crate::rpc;
use crate::server::{Server, setup};
use crate::support::random::Random;

const REQUESTS: u64 = 6_000;
const THREADS: u64 = 4;
const SEED: u64 = 0x6d63_702d_6874_7470;

/// A good request of some kind.
fn good(random: &mut Random, modern: &HttpClient, legacy: &HttpClient) -> Request {
    let id = random.next() as i64;
    let client = *random.pick(&[modern, legacy]);
    match random.below(14) {
        0 | 1 => client.calling(id, "add", json!({ "a": id >> 8, "b": -7 })),
        2 => client.calling(format!("r{id}"), "search", json!({ "query": "\"é\" 😀" })),
        3 => client.calling(id, "leak", json!({})),
        4 => client.calling(id, "panic", json!({})),
        5 => client.calling(id, "big", json!({ "bytes": 30_000 })),
        6 => client.watching(id, "count", json!({ "to": 4, "ms": 0 })),
        7 => client.request(id, "tools/list", json!({})),
        8 => client.request(id, "server/discover", json!({})),
        9 => client.notification("notifications/cancelled", json!({ "requestId": 1 })),
        10 => client.opening("2025-11-25"),
        11 => client
            .calling(id, "add", json!({ "a": 1, "b": 2 }))
            .chunked(20),
        12 => Request::new("GET", "/health"),
        _ => legacy.dress(Request::post(
            json!([client.message(id, "ping", json!({}))]).to_string(),
        )),
    }
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    const SPLICES: [&[u8]; 30] = [
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b":",
        b" ",
        b"\t",
        b"\0",
        b"\xff",
        b"\xc3\xa9",
        b"{",
        b"}",
        b"[",
        b"\"",
        b"\\u0000",
        b"null",
        b"-1",
        b"1e999",
        b"18446744073709551616",
        b"Content-Length: 0\r\n",
        b"Content-Length: 99999999999\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"Connection: upgrade\r\nUpgrade: h2c\r\n",
        b"Expect: 100-continue\r\n",
        b"Mcp-Session-Id: \r\n",
        b"Mcp-Name: =?base64?",
        b"MCP-Protocol-Version: 2025-03-26\r\n",
        b"Last-Event-ID: 5\r\n",
        b"Host: evil.example\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    let at = random.below(bytes.len());
    match random.below(8) {
        0 => bytes[at] = random.next() as u8,
        1 => bytes[at] ^= 1 << random.below(8),
        2 => drop(bytes.remove(at)),
        3 => bytes.truncate(at.max(1)),
        4 | 5 => {
            let splice = *random.pick(&SPLICES);
            bytes.splice(at..at, splice.iter().copied());
        }
        6 => {
            let end = (at + 1 + random.below(20)).min(bytes.len());
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
        _ => {
            let end = (at + 1 + random.below(12)).min(bytes.len());
            bytes.drain(at..end);
        }
    }
}

/// Sends the bytes and the end behind them. Every answer must be HTTP, of a
/// status that says whose fault it was, and none a fault of the server's.
fn probe(server: &Server, bytes: &[u8]) {
    let mut conn = server.connect();
    let _ = conn.try_write(bytes);
    conn.finish_writing_quietly();
    // Prior knowledge of HTTP/2 may have been spliced in front of the rest.
    if !conn.reacts_within(Duration::from_secs(10)) || conn.speaks_http2() {
        return;
    }
    while let Some(response) = conn.try_response_cut() {
        let status = response.status();
        assert!(
            status < 500 || [501, 503, 505].contains(&status),
            "{status} for {:?}: {}",
            String::from_utf8_lossy(bytes),
            response.text()
        );
        let text = response.text();
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn thousands_of_mutated_requests() {
    let server = setup()
        .env("RUST_LOG", "warn,mcp_kit::http=info")
        .env(
            "CHAOS_HTTP_LIMITS",
            "header_time=500ms,body_time=500ms,idle_time=500ms,keep_alive=100ms",
        )
        .start();
    thread::scope(|scope| {
        for number in 0..THREADS {
            let server = &server;
            scope.spawn(move || {
                let mut random = Random::new(SEED + number);
                let (modern, legacy) = (server.modern(), server.legacy());
                for _ in 0..REQUESTS / THREADS {
                    let mut bytes = good(&mut random, &modern, &legacy).bytes(server.address);
                    for _ in 0..random.below(4) {
                        if !bytes.is_empty() {
                            mutate(&mut bytes, &mut random);
                        }
                    }
                    probe(server, &bytes);
                }
            });
        }
    });
    server.assert_alive();
    server.legacy().assert_alive();
    let health = server.connect().exchange(&Request::new("GET", "/health"));
    assert_eq!(health.json(), json!({ "status": "ok" }));
}

/// Mutated bodies under heads that are right: every one is answered with JSON,
/// on a connection that is kept.
#[test]
fn thousands_of_mutated_bodies() {
    let server = setup().env("RUST_LOG", "warn,mcp_kit::http=info").start();
    let mut random = Random::new(SEED ^ 0xb0d7);
    let (mut modern, legacy) = (server.modern(), server.legacy());
    for _ in 0..REQUESTS / 2 {
        let id = random.next() as i64 >> 12;
        let client = *random.pick(&[&modern, &legacy]);
        let (method, params): (&str, Value) = match random.below(4) {
            0 => ("tools/list", json!({ "cursor": "made up" })),
            1 => ("ping", json!({})),
            2 => ("tools/call", json!({ "name": "fail", "arguments": {} })),
            _ => (
                "tools/call",
                json!({ "name": "add", "arguments": { "a": 1, "b": 2 } }),
            ),
        };
        let request = client.request(id, method, params.clone());
        let mut body = client.message(id, method, params).to_string().into_bytes();
        for _ in 0..=random.below(3) {
            if !body.is_empty() {
                mutate(&mut body, &mut random);
            }
        }
        let response = modern.exchange(&request.body(body.clone()));
        let status = response.status();
        let shown = String::from_utf8_lossy(&body).into_owned();
        assert!([200, 202, 400, 404].contains(&status), "{status}: {shown}");
        if status != 202 {
            for message in crate::client::messages(&response) {
                let answers = message["id"] == id || message["id"].is_null();
                // The id itself may have been mutated.
                assert!(
                    answers || !shown.contains(&format!("\"id\":{id},")),
                    "{message} for {shown}"
                );
            }
        }
    }
    modern.assert_alive();
    assert!(!rpc::is_error(&modern.call("whoami", json!({}))));
}
