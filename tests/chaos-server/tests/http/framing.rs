//! Bodies and heads: too large, of another type, broken, in pieces, in a row.

use serde_json::{Value, json};

use crate::client::{answer, refusal};
use crate::request::Request;
use crate::rpc;
use crate::server::setup;

const MESSAGE_BYTES: usize = 4 << 20;

#[track_caller]
fn code(error: &Value) -> i64 {
    rpc::code(error)
}

#[test]
fn json_that_cannot_be_read_is_400_with_a_parse_error() {
    let server = setup().start();
    let mut conn = server.connect();
    for body in [
        &b""[..],
        b" \r\n ",
        b"not json",
        b"{",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}}",
        b"{\"jsonrpc\":\"2.0\"} {\"jsonrpc\":\"2.0\"}",
        b"\xff\xfe",
        b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}",
        b"jsonrpc=2.0&id=1",
        b"<xml/>",
    ] {
        for request in [
            Request::post(body),
            server.modern().dress(Request::post(body)),
        ] {
            let response = conn.exchange(&request);
            assert_eq!(response.status(), 400, "{body:?}: {}", response.text());
            let error = response.json();
            assert_eq!(code(&error), -32700, "{body:?}: {error}");
        }
    }
    server.assert_alive();
}

#[test]
fn json_that_is_no_message_is_400_with_an_invalid_request() {
    let server = setup().start();
    let mut conn = server.connect();
    for body in [
        "5",
        "null",
        "\"text\"",
        "{}",
        "[]",
        r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
        r#"{"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":5}"#,
        r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
    ] {
        let response = conn.exchange(&Request::post(body));
        assert_eq!(response.status(), 400, "{body}: {}", response.text());
        assert_eq!(code(&response.json()), -32600, "{body}");
    }
    server.assert_alive();
}

#[test]
fn an_error_carries_the_id_where_it_can_be_read() {
    let server = setup().start();
    for body in [
        r#"{"jsonrpc":"1.0","id":"mine","method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":"mine","method":5}"#,
        r#"{"jsonrpc":"2.0","id":"mine","method":"tools/list","params":7}"#,
    ] {
        let response = server.connect().exchange(&Request::post(body));
        assert_eq!(response.status(), 400, "{body}: {}", response.text());
        assert_eq!(response.json()["id"], "mine", "{body}");
    }
}

#[test]
fn a_byte_order_mark_before_a_message_is_skipped() {
    let server = setup().start();
    for mut client in server.both() {
        let params = json!({ "name": "add", "arguments": { "a": 20, "b": 22 } });
        let message = client.message(1, "tools/call", params);
        let request = client.post(&message).body(format!("\u{feff}{message}"));
        let response = client.exchange(&request);
        assert_eq!(rpc::text(rpc::result(&answer(&response, &json!(1)))), "42");
    }
}

/// By the schemas an error without id leaves the member out since 2025-11-25,
/// and has no `null`; before, JSON-RPC's own rule holds. The version is the
/// header's, and 2025-03-26 without one.
#[test]
fn an_error_without_id_has_the_form_of_the_clients_version() {
    let server = setup().keys().start();
    let mut conn = server.connect();
    for (version, form) in [
        (None, Some(Value::Null)),
        (Some("2025-03-26"), Some(Value::Null)),
        (Some("2025-06-18"), Some(Value::Null)),
        (Some("2025-11-25"), None),
        (Some("2026-07-28"), None),
    ] {
        let with_version = |request: Request| match version {
            Some(version) => request.set("MCP-Protocol-Version", version),
            None => request,
        };
        let keyed = |request: Request| request.header("X-API-Key", "alice-key");
        for (status, request) in [
            (401, Request::post("{}")),
            (
                403,
                keyed(Request::post("{}").header("Origin", "http://elsewhere.example")),
            ),
            (404, keyed(Request::post("{}").target("/elsewhere"))),
            (405, keyed(Request::new("PUT", "/mcp"))),
            (
                415,
                keyed(Request::post("{}").set("Content-Type", "text/plain")),
            ),
            (400, keyed(Request::post("not json"))),
        ] {
            let response = conn.exchange(&with_version(request));
            assert_eq!(response.status(), status, "{}", response.text());
            let error = response.json();
            assert_eq!(
                error.get("id").cloned(),
                form,
                "{version:?}, {status}: {error}"
            );
        }
    }
}

#[test]
fn compressed_bodies_are_415() {
    let server = setup().start();
    let good = server.modern().calling(1, "add", json!({ "a": 1, "b": 2 }));
    for coding in ["gzip", "br", "zstd", "GZIP", "identity, gzip"] {
        let request = good.clone().header("Content-Encoding", coding);
        let error = refusal(&server.connect().exchange(&request), 415);
        let text = rpc::message(&error);
        assert!(
            text.contains("compressed") && text.contains(coding),
            "{text}"
        );
    }
    for (name, value) in [
        ("Content-Encoding", "identity"),
        ("Content-Type", "application/json; charset=utf8"),
    ] {
        let response = server.connect().exchange(&good.clone().set(name, value));
        assert_eq!(response.status(), 200, "{value}: {}", response.text());
    }
}

#[test]
fn bodies_of_another_type_are_415() {
    let server = setup().start();
    let good = server.modern().calling(1, "add", json!({ "a": 1, "b": 2 }));
    for kind in [
        "text/plain",
        "text/plain;charset=application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json-patch+json",
        "application",
        "json",
        "",
        "application/json, text/plain",
    ] {
        let response = server
            .connect()
            .exchange(&good.clone().set("Content-Type", kind));
        assert_eq!(response.status(), 415, "{kind:?}: {}", response.text());
        refusal(&response, 415);
    }
    let response = server.connect().exchange(&good.without("Content-Type"));
    refusal(&response, 415);
    server.assert_alive();
}

#[test]
fn a_json_body_may_say_so_in_several_ways() {
    let server = setup().start();
    let good = server.modern().calling(1, "add", json!({ "a": 1, "b": 2 }));
    for kind in [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON",
    ] {
        let response = server
            .connect()
            .exchange(&good.clone().set("Content-Type", kind));
        assert_eq!(response.status(), 200, "{kind}: {}", response.text());
    }
}

/// Who takes JSON alone must not get a stream; who names nothing, or anything,
/// is served.
#[test]
fn accept_is_honoured() {
    let server = setup().start();
    let client = server.modern();
    let call = client.calling(1, "add", json!({ "a": 1, "b": 2 }));
    for accept in [
        "*/*",
        "application/json",
        "application/*",
        "text/event-stream, application/json;q=0.9",
    ] {
        let response = server
            .connect()
            .exchange(&call.clone().set("Accept", accept));
        assert_eq!(response.status(), 200, "{accept}: {}", response.text());
    }
    let response = server.connect().exchange(&call.clone().without("Accept"));
    assert_eq!(response.status(), 200, "{}", response.text());
    let progress = client.watching(2, "count", json!({ "to": 3, "ms": 0 }));
    let response = server
        .connect()
        .exchange(&progress.set("Accept", "application/json"));
    assert!(
        (response.status() == 200 && response.head.media_type() == "application/json")
            || response.status() == 406,
        "{response:?}"
    );
}

#[test]
fn a_length_above_the_limit_is_413_before_the_body_is_sent() {
    let server = setup().start();
    for length in [MESSAGE_BYTES as u64 + 1, 64 << 30, u64::MAX / 2] {
        let mut conn = server.connect();
        let request = server
            .modern()
            .dress(Request::post(""))
            .header("Content-Length", length.to_string());
        conn.write(&request.head(server.address));
        let response = conn.response();
        refusal(&response, 413);
    }
    server.assert_alive();
}

#[test]
fn a_body_above_the_limit_is_413_however_it_is_sent() {
    let server = setup().start();
    let body = vec![b' '; MESSAGE_BYTES + 64 * 1024];
    let request = server.modern().dress(Request::post(body));
    // A client that writes all of it before it reads must find the answer, not
    // a connection that was reset.
    let response = server.connect().exchange(&request);
    refusal(&response, 413);
    let response = server.connect().exchange(&request.chunked(60_000));
    refusal(&response, 413);
    server.assert_alive();
}

#[test]
fn a_body_just_below_the_bound_is_served() {
    let server = setup().start();
    let client = server.modern();
    let call = client
        .message(
            1,
            "tools/call",
            json!({ "name": "add", "arguments": { "a": 1, "b": 2 } }),
        )
        .to_string();
    let body = format!("{call}{}", " ".repeat(MESSAGE_BYTES - call.len()));
    let request = client
        .calling(1, "add", json!({ "a": 1, "b": 2 }))
        .body(body);
    let response = server.connect().exchange(&request);
    assert_eq!(response.status(), 200, "{}", response.text());
}

#[test]
fn chunks_of_any_size_make_one_body() {
    let server = setup().start();
    let client = server.modern();
    for size in [1, 7, 4096] {
        let request = client
            .calling("chunks", "search", json!({ "query": "é😀".repeat(50) }))
            .chunked(size);
        let response = server.connect().exchange(&request);
        let result = answer(&response, &json!("chunks"));
        assert!(rpc::text(rpc::result(&result)).contains('😀'));
    }
}

#[test]
fn a_request_may_arrive_byte_by_byte() {
    let server = setup().start();
    let mut conn = server.connect();
    let request = server.modern().calling(1, "add", json!({ "a": 1, "b": 2 }));
    for byte in request.bytes(server.address) {
        conn.write(&[byte]);
    }
    let result = answer(&conn.response(), &json!(1));
    assert_eq!(rpc::text(rpc::result(&result)), "3");
}

#[test]
fn requests_in_a_row_are_answered_in_their_order() {
    let server = setup().start();
    let client = server.modern();
    let mut conn = server.connect();
    let mut bytes = Vec::new();
    for id in 0..50 {
        let request = if id % 5 == 0 {
            client.calling(id, "sleep", json!({ "ms": 20 }))
        } else {
            client.calling(id, "add", json!({ "a": id, "b": 1 }))
        };
        bytes.extend(request.bytes(server.address));
    }
    conn.write(&bytes);
    for id in 0..50 {
        let result = answer(&conn.response(), &json!(id));
        let expected = if id % 5 == 0 {
            "slept 20".to_owned()
        } else {
            (id + 1).to_string()
        };
        assert_eq!(rpc::text(rpc::result(&result)), expected);
    }
}

#[test]
fn a_refusal_leaves_the_connection_usable_or_closes_it() {
    let server = setup().start();
    let mut conn = server.connect();
    let good = server.modern().calling(9, "add", json!({ "a": 1, "b": 2 }));
    for bad in [
        Request::post("not json"),
        good.clone().set("Content-Type", "text/plain"),
        good.clone().header("Origin", "null"),
        good.clone().target("/nowhere"),
        good.clone().without("Mcp-Method"),
    ] {
        let response = conn.exchange(&bad);
        assert!((400..500).contains(&response.status()), "{response:?}");
        if response.head.header("connection") == Some("close") {
            conn = server.connect();
        }
        let result = answer(&conn.exchange(&good), &json!(9));
        assert_eq!(rpc::text(rpc::result(&result)), "3");
        if conn.reacts_within(std::time::Duration::ZERO) {
            conn = server.connect();
        }
    }
}

#[test]
fn a_client_that_waits_receives_100_continue() {
    let server = setup().keys().start();
    let client = server.modern_as("alice-key");
    let request = client
        .calling(1, "add", json!({ "a": 1, "b": 2 }))
        .header("Expect", "100-continue");
    let mut conn = server.connect();
    let (bytes, head) = (request.bytes(server.address), request.head(server.address));
    conn.write(&head);
    let first = conn.any_head().expect("a word before the body");
    assert_eq!(first.status, 100);
    conn.write(&bytes[head.len()..]);
    let result = answer(&conn.response(), &json!(1));
    assert_eq!(rpc::text(rpc::result(&result)), "3");

    // Who will be refused need not send the body at all.
    for (bad, status) in [
        (request.clone().set("X-API-Key", "wrong"), 401),
        (request.clone().set("Content-Type", "text/plain"), 415),
        (request.clone().header("Origin", "null"), 403),
        (request.clone().header("Content-Length", "99999999"), 413),
    ] {
        let mut conn = server.connect();
        conn.write(&bad.head(server.address));
        let first = conn.any_head().expect("an answer");
        assert_eq!(first.status, status, "{first:?}");
    }
}

#[test]
fn heads_above_the_limit_are_431() {
    let server = setup().start();
    let good = server.modern().calling(1, "add", json!({ "a": 1, "b": 2 }));
    let long = good.clone().header("X-Long", "x".repeat(20_000));
    let mut many = good.clone();
    for number in 0..2_000 {
        many = many.header(&format!("X-{number}"), "some words here");
    }
    let target = good.clone().target(&format!("/mcp?{}", "x".repeat(20_000)));
    for (request, statuses) in [(long, &[431][..]), (many, &[431]), (target, &[414, 431])] {
        let response = server.connect().exchange(&request);
        assert!(statuses.contains(&response.status()), "{response:?}");
    }
    // And what is within it is served.
    let response = server
        .connect()
        .exchange(&good.header("X-Long", "x".repeat(8_000)));
    assert_eq!(response.status(), 200, "{}", response.text());
}

/// Two readers that disagree on where a request ends are how requests are
/// smuggled past a proxy.
#[test]
fn a_body_of_doubtful_length_is_refused() {
    let server = setup().start();
    let good = server.modern().calling(1, "add", json!({ "a": 1, "b": 2 }));
    for (case, request) in [
        (
            "two lengths",
            good.clone()
                .header("Content-Length", "5")
                .header("Content-Length", "6"),
        ),
        ("a list", good.clone().header("Content-Length", "5, 6")),
        ("a sign", good.clone().header("Content-Length", "+5")),
        ("a word", good.clone().header("Content-Length", "five")),
        ("below zero", good.clone().header("Content-Length", "-5")),
        (
            "unknown coding",
            good.clone()
                .without_length()
                .header("Transfer-Encoding", "chunked, identity"),
        ),
        (
            "a coding that is not undone",
            good.clone()
                .without_length()
                .header("Transfer-Encoding", "gzip, chunked")
                .chunked(64),
        ),
        (
            "another coding",
            good.clone()
                .without_length()
                .header("Transfer-Encoding", "deflate")
                .header("Transfer-Encoding", "chunked"),
        ),
        (
            "a chunk's size",
            good.clone()
                .without_length()
                .header("Transfer-Encoding", "chunked")
                .body("zz\r\n"),
        ),
    ] {
        let mut conn = server.connect();
        conn.send(&request);
        conn.finish_writing();
        if let Some(response) = conn.try_response() {
            assert!(
                (400..=501).contains(&response.status()) && response.status() != 500,
                "{case}: {response:?}"
            );
        }
    }
    server.assert_alive();
}

#[test]
fn invalid_http_is_refused_and_affects_no_other_client() {
    let server = setup().start();
    for bytes in [
        &b"\r\n\r\n\r\n\r\n"[..],
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n",
        b"GET\r\n\r\n",
        b"GET /mcp\r\n\r\n",
        b"GET /mcp HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\nHost localhost\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nBad Name: x\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
        b"POST /m\xffcp HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ngarbage that is no frame at all",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        let mut conn = server.connect();
        let _ = conn.try_write(bytes);
        conn.finish_writing();
        // Whatever it says, it closes and goes on.
        conn.drain();
    }
    server.assert_alive();
}

#[test]
fn a_connection_that_ends_in_the_middle_of_a_request_affects_no_other() {
    let server = setup().start();
    let request = server.modern().calling(1, "add", json!({ "a": 1, "b": 2 }));
    let bytes = request.bytes(server.address);
    for end in (1..bytes.len()).step_by(7) {
        let mut conn = server.connect();
        conn.write(&bytes[..end]);
        drop(conn);
        let mut conn = server.connect();
        conn.write(&bytes[..end]);
        conn.finish_writing();
        conn.drain();
    }
    server.assert_alive();
}
