//! The headers of 2026-07-28, which must say what the body says.

use serde_json::{Value, json};

use crate::client::{Era, HttpClient};
use crate::request::Request;
use crate::rpc;
use crate::server::{Server, setup};

const MISMATCH: i64 = -32020;

fn call(client: &HttpClient) -> Request {
    client.calling(1, "search", json!({ "query": "a question" }))
}

/// The answer must be 400 with this code, under the request's id.
#[track_caller]
fn assert_mismatch(server: &Server, request: &Request, case: &str) -> Value {
    let response = server.connect().exchange(request);
    assert_eq!(response.status(), 400, "{case}: {}", response.text());
    let error = response.json();
    assert_eq!(rpc::code(&error), MISMATCH, "{case}: {error}");
    assert_eq!(error["id"], 1, "{case}: {error}");
    error
}

#[track_caller]
fn assert_served(server: &Server, request: &Request, case: &str) {
    let response = server.connect().exchange(request);
    assert_eq!(response.status(), 200, "{case}: {}", response.text());
    let answer = response.json();
    assert!(
        rpc::text(rpc::result(&answer)).starts_with("query="),
        "{case}: {answer}"
    );
}

#[test]
fn a_missing_header_is_named() {
    let server = setup().start();
    let client = server.modern();
    for name in ["Mcp-Method", "Mcp-Name"] {
        let error = assert_mismatch(&server, &call(&client).without(name), name);
        let text = rpc::message(&error);
        assert!(text.contains(name), "{text}");
    }
    let error = assert_mismatch(
        &server,
        &call(&client).without("MCP-Protocol-Version"),
        "version",
    );
    let text = rpc::message(&error).to_lowercase();
    assert!(text.contains("mcp-protocol-version"), "{text}");
}

#[test]
fn a_header_that_differs_from_the_body_is_refused() {
    let server = setup().start();
    let client = server.modern();
    for (name, value) in [
        ("Mcp-Method", "tools/list"),
        ("Mcp-Method", "TOOLS/CALL"),
        ("Mcp-Method", ""),
        ("Mcp-Name", "add"),
        ("Mcp-Name", "Search"),
        ("Mcp-Name", "search2"),
        ("Mcp-Name", ""),
        ("MCP-Protocol-Version", "2025-11-25"),
        ("MCP-Protocol-Version", "2025-03-26"),
    ] {
        let request = call(&client).set(name, value);
        assert_mismatch(&server, &request, &format!("{name}: {value}"));
    }
    // The header names a version of the future, the body this one.
    let request = call(&client).set("MCP-Protocol-Version", "2099-01-01");
    let response = server.connect().exchange(&request);
    assert_eq!(response.status(), 400, "{}", response.text());
    assert!(
        [MISMATCH, -32022].contains(&rpc::code(&response.json())),
        "{}",
        response.text()
    );
}

#[test]
fn a_header_is_given_once() {
    let server = setup().start();
    let client = server.modern();
    for (name, value) in [
        ("Mcp-Method", "tools/list"),
        ("Mcp-Name", "admin"),
        ("MCP-Protocol-Version", "2025-11-25"),
    ] {
        let request = call(&client).header(name, value);
        let response = server.connect().exchange(&request);
        assert_eq!(response.status(), 400, "{name}: {}", response.text());
    }
}

#[test]
fn names_of_headers_have_no_case_and_values_no_outer_space() {
    let server = setup().start();
    let client = server.modern();
    let request = call(&client)
        .without("Mcp-Method")
        .without("Mcp-Name")
        .header("mcp-method", "  tools/call\t")
        .header("MCP-NAME", " search ");
    assert_served(&server, &request, "case and space");
}

#[test]
fn a_name_may_come_in_base64() {
    let server = setup().start();
    let client = server.modern();
    // "search"
    let request = call(&client).set("Mcp-Name", "=?base64?c2VhcmNo?=");
    assert_served(&server, &request, "base64");
    for (case, value) in [
        ("another name", "=?base64?YWRk?="),
        ("no base64", "=?base64?c2Vh*mNo?="),
        ("cut", "=?base64?c2VhcmN?="),
        ("no end", "=?base64?c2VhcmNo"),
        ("empty", "=?base64??="),
        ("no UTF-8", "=?base64?//79?="),
        ("an unknown coding", "=?base32?onswc4tdna======?="),
    ] {
        assert_mismatch(&server, &call(&client).set("Mcp-Name", value), case);
    }
}

/// A tool of another name has it in the header as well, and is unknown then.
/// A proxy that routes by method must not be passed by.
#[test]
fn a_method_has_no_form_in_base64() {
    let server = setup().start();
    let client = server.modern();
    for (name, value) in [
        ("Mcp-Method", "=?base64?dG9vbHMvY2FsbA==?="),
        ("MCP-Protocol-Version", "=?base64?MjAyNi0wNy0yOA==?="),
    ] {
        let response = server.connect().exchange(&call(&client).set(name, value));
        assert_eq!(response.status(), 400, "{name}: {}", response.text());
    }
    assert_served(&server, &call(&client), "as it is");
}

#[test]
fn a_name_that_no_header_can_hold_comes_in_base64() {
    let server = setup().start();
    let client = server.modern();
    // "größe"
    let request = client
        .calling(1, "größe", json!({}))
        .set("Mcp-Name", "=?base64?Z3LDtsOfZQ==?=");
    let response = server.connect().exchange(&request);
    assert_eq!(rpc::code(&response.json()), -32602, "{}", response.text());
    let raw = client.calling(1, "größe", json!({}));
    let response = server.connect().exchange(&raw);
    assert!(
        [MISMATCH, -32602].contains(&rpc::code(&response.json())),
        "{}",
        response.text()
    );
}

#[test]
fn notifications_need_their_headers_too() {
    let server = setup().start();
    let client = server.modern();
    let good = client.notification("notifications/cancelled", json!({ "requestId": 5 }));
    assert_eq!(server.connect().exchange(&good).status(), 202);
    for (case, request) in [
        ("missing", good.clone().without("Mcp-Method")),
        ("different", good.clone().set("Mcp-Method", "tools/call")),
    ] {
        let response = server.connect().exchange(&request);
        assert_eq!(response.status(), 400, "{case}: {}", response.text());
        assert_eq!(rpc::code(&response.json()), MISMATCH, "{case}");
    }
}

#[test]
fn only_what_has_a_name_needs_the_header_of_it() {
    let server = setup().start();
    let client = server.modern();
    for method in ["tools/list", "server/discover"] {
        let response = server
            .connect()
            .exchange(&client.request(1, method, json!({})));
        assert_eq!(response.status(), 200, "{method}: {}", response.text());
    }
}

/// What decides over the era is `_meta` and the header, not the method.
#[test]
fn legacy_requests_need_none_of_these_headers() {
    let server = setup().start();
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        server.session(version, None).assert_alive();
    }
}

#[test]
fn the_header_of_the_modern_era_makes_a_request_modern() {
    let server = setup().start();
    let client = HttpClient::new(server.address, Era::Modern);
    let message = rpc::initialize(1, "2026-07-28");
    let request = client.post(&message);
    let response = server.connect().exchange(&request);
    // Its `_meta` is missing; and `initialize` is not of this era either.
    assert!(
        [400, 404].contains(&response.status()),
        "{}",
        response.text()
    );
    assert!(
        [-32602, -32601].contains(&rpc::code(&response.json())),
        "{}",
        response.text()
    );
    assert!(response.head.header("mcp-session-id").is_none());
}
