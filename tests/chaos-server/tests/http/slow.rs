//! Slow senders: they are cut off, and delay no other client.

use std::time::Duration;

use serde_json::json;

use crate::request::Request;
use crate::server::{Server, setup};
use crate::wire::Conn;

fn server() -> Server {
    setup()
        .env(
            "CHAOS_HTTP_LIMITS",
            "header_time=400ms,body_time=400ms,idle_time=400ms",
        )
        .start()
}

/// The server must end this connection, with 408 or without a word.
#[track_caller]
fn assert_cut(conn: &mut Conn, case: &str) {
    if let Some(response) = conn.try_response() {
        assert_eq!(response.status(), 408, "{case}: {}", response.text());
    }
    conn.expect_close();
}

#[test]
fn a_head_that_does_not_end_is_cut() {
    let server = server();
    let mut conns: Vec<(&str, Conn)> = [
        ("nothing", &b""[..]),
        ("a word", b"POST"),
        ("a line", b"POST /mcp HTTP/1.1\r\n"),
        ("a header", b"POST /mcp HTTP/1.1\r\nHost: localhost\r\n"),
    ]
    .into_iter()
    .map(|(case, bytes)| {
        let mut conn = server.connect();
        conn.write(bytes);
        (case, conn)
    })
    .collect();
    server.assert_alive();
    for (case, conn) in &mut conns {
        assert_cut(conn, case);
    }
}

/// One byte now and then does not win more time.
#[test]
fn a_head_that_trickles_is_cut() {
    let server = server();
    let mut conn = server.connect();
    let endless = std::iter::repeat_n(b"X-Slow: 1\r\n", 100_000).flatten();
    conn.write(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\n");
    for byte in endless {
        if conn.try_write(&[*byte]).is_err() || conn.reacts_within(Duration::from_millis(20)) {
            break;
        }
    }
    assert_cut(&mut conn, "a trickle");
    server.assert_alive();
}

#[test]
fn a_body_that_does_not_end_is_cut() {
    let server = server();
    let client = server.modern();
    let request = client.calling(1, "add", json!({ "a": 1, "b": 2 }));
    for (case, request) in [
        ("a length", request.clone()),
        ("chunks", request.clone().chunked(10)),
    ] {
        let bytes = request.bytes(server.address);
        for end in [request.head(server.address).len(), bytes.len() - 1] {
            let mut conn = server.connect();
            conn.write(&bytes[..end]);
            let response = conn.try_response();
            assert!(
                response
                    .as_ref()
                    .is_none_or(|response| response.status() == 408),
                "{case}: {response:?}"
            );
            conn.expect_close();
        }
    }
    server.assert_alive();
}

#[test]
fn a_body_that_trickles_is_cut() {
    let server = server();
    let client = server.modern();
    let request = client
        .calling(1, "add", json!({ "a": 1, "b": 2 }))
        .body(vec![b' '; 100_000]);
    let mut conn = server.connect();
    conn.write(&request.head(server.address));
    for _ in 0..100_000 {
        if conn.try_write(b" ").is_err() || conn.reacts_within(Duration::from_millis(20)) {
            break;
        }
    }
    assert_cut(&mut conn, "a trickle");
    server.assert_alive();
}

/// 408 is said in words that a client can read.
#[test]
fn a_slow_body_is_refused_with_the_reason() {
    let server = server();
    let request = server.modern().calling(1, "add", json!({ "a": 1, "b": 2 }));
    let bytes = request.bytes(server.address);
    let mut conn = server.connect();
    conn.write(&bytes[..bytes.len() - 1]);
    let response = conn.response();
    crate::client::refusal(&response, 408);
}

#[test]
fn a_connection_that_idles_is_closed() {
    let server = server();
    let mut conn = server.connect();
    let request = server.modern().calling(1, "add", json!({ "a": 1, "b": 2 }));
    assert_eq!(conn.exchange(&request).status(), 200);
    assert_cut(&mut conn, "idle");
}

/// These times are a sender's: a call may take longer than any of them, and a
/// stream is open for as long as its client likes.
#[test]
fn a_call_and_a_stream_may_take_longer() {
    let server = server();
    for mut client in server.both() {
        let stream = client
            .session
            .is_some()
            .then(|| client.stream(&client.listening()));
        let text = client.text("slow", json!({ "ms": 1500 }));
        assert_eq!(text, "slept 1500");
        if let Some(mut stream) = stream {
            let ended = server.connect().exchange(&client.ending());
            assert!(ended.status() < 300, "the session is gone");
            assert!(stream.rest().is_empty());
        }
    }
}

/// Hundreds of slow senders: others are served meanwhile.
#[test]
fn slow_senders_do_not_delay_others() {
    let server = setup().start();
    let client = server.modern();
    let request = client.calling(1, "add", json!({ "a": 1, "b": 2 }));
    let bytes = request.bytes(server.address);
    let mut held: Vec<Conn> = (0..300)
        .map(|number| {
            let mut conn = server.connect();
            conn.write(&bytes[..1 + number % (bytes.len() - 1)]);
            conn
        })
        .collect();
    for mut client in server.both() {
        for _ in 0..20 {
            client.assert_alive();
        }
    }
    let probe = Request::new("GET", "/readyz");
    assert_eq!(server.connect().exchange(&probe).status(), 200);
    // They are served too, once they have said all.
    for (number, conn) in held.iter_mut().enumerate() {
        conn.write(&bytes[1 + number % (bytes.len() - 1)..]);
        assert_eq!(conn.response().status(), 200);
    }
}
