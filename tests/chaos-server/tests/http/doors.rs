//! Who gets in: `Host`, `Origin`, targets, and addresses to listen on.

use crate::client::{Era, HttpClient, refusal};
use crate::request::Request;
use crate::rpc;
use crate::server::{Server, setup};
use crate::wire::Response;
use serde_json::json;

/// A good request with these headers.
fn knock(server: &Server, headers: &[(&str, &str)]) -> Response {
    let client = server.modern();
    let mut request = client.calling(1, "add", json!({ "a": 1, "b": 2 }));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    server.connect().exchange(&request)
}

#[track_caller]
fn assert_refused(response: &Response, case: &str) {
    assert!(
        [400, 403, 421].contains(&response.status()),
        "{case}: {} {}",
        response.status(),
        response.text()
    );
    assert!(!response.text().contains("\"result\""), "{case}");
}

#[test]
fn every_name_of_this_machine_is_a_host() {
    let server = setup().start();
    let port = server.address.port();
    for host in [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        "localhost".to_owned(),
        "LocalHost:1".to_owned(),
        "127.0.0.1".to_owned(),
        "127.0.0.1:65535".to_owned(),
        format!("[::1]:{port}"),
        "[::1]".to_owned(),
    ] {
        let response = knock(&server, &[("Host", &host)]);
        assert_eq!(response.status(), 200, "{host}: {}", response.text());
    }
}

/// DNS rebinding: a page of `evil.example`, whose name points to this machine.
#[test]
fn a_strangers_name_is_no_host() {
    let server = setup().start();
    let port = server.address.port();
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        "127.0.0.1.nip.io".to_owned(),
        "localhost.evil.example".to_owned(),
        "evil.localhost.example".to_owned(),
        format!("localhost@evil.example:{port}"),
        "evil.example@localhost".to_owned(),
        format!("0.0.0.0:{port}"),
        "169.254.169.254".to_owned(),
        "10.0.0.1".to_owned(),
        "[::ffff:10.0.0.1]".to_owned(),
        "2130706433.example".to_owned(),
        "localhost evil.example".to_owned(),
        "localhost,evil.example".to_owned(),
        "localhost/evil.example".to_owned(),
        "localhost:80:80".to_owned(),
        String::new(),
    ] {
        let response = knock(&server, &[("Host", &host)]);
        assert_refused(&response, &host);
    }
    let error = refusal(&knock(&server, &[("Host", "evil.example")]), 403);
    let text = error["error"]["message"].as_str().unwrap();
    assert!(text.contains("ost"), "the reason is missing: {text}");
    assert!(
        !text.contains("evil"),
        "the client's text is echoed: {text}"
    );
    server.assert_alive();
}

#[test]
fn a_request_names_exactly_one_host() {
    let server = setup().start();
    let request = server
        .modern()
        .calling(1, "add", json!({ "a": 1, "b": 2 }))
        .without_host();
    let none = server.connect().exchange(&request);
    assert_eq!(none.status(), 400, "{}", none.text());
    let address = server.address.to_string();
    for second in [address.as_str(), "evil.example"] {
        let response = knock(&server, &[("Host", &address), ("Host", second)]);
        assert_refused(&response, second);
        let response = knock(&server, &[("Host", second), ("Host", &address)]);
        assert_refused(&response, second);
    }
}

#[test]
fn an_old_client_without_a_host_is_no_way_in() {
    let server = setup().start();
    let body = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let mut conn = server.connect();
    conn.write(
        format!(
            "POST /mcp HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .as_bytes(),
    );
    let _ = conn.try_write(body);
    if let Some(response) = conn.try_response() {
        assert_refused(&response, "HTTP/1.0 without Host");
    }
    server.assert_alive();
}

#[test]
fn a_target_with_a_host_counts_as_much_as_the_header() {
    let server = setup().start();
    let request = server.modern().calling(1, "add", json!({ "a": 1, "b": 2 }));
    let own = format!("http://{}/mcp", server.address);
    let response = server.connect().exchange(&request.clone().target(&own));
    assert_eq!(response.status(), 200, "{}", response.text());
    let stranger = request.clone().target("http://evil.example/mcp");
    assert_refused(&server.connect().exchange(&stranger), "absolute target");
    let both = request
        .target("http://evil.example/mcp")
        .header("Host", "evil.example");
    assert_refused(&server.connect().exchange(&both), "both");
    for scheme in ["ftp", "ws", "file"] {
        let target = format!("{scheme}://{}/mcp", server.address);
        let request = server.modern().calling(1, "add", json!({ "a": 1, "b": 2 }));
        let response = server.connect().exchange(&request.target(&target));
        crate::client::refusal(&response, 400);
    }
}

#[test]
fn origins_of_this_machine_are_let_in_on_any_port() {
    let server = setup().start();
    for origin in [
        "http://localhost",
        "http://localhost:3000",
        "https://localhost:6274",
        "http://127.0.0.1:1234",
        "http://[::1]:9",
    ] {
        let response = knock(&server, &[("Origin", origin)]);
        assert_eq!(response.status(), 200, "{origin}: {}", response.text());
        assert!(
            response
                .head
                .header("access-control-allow-origin")
                .is_none(),
            "CORS was not asked for: {:?}",
            response.head
        );
    }
}

#[test]
fn other_origins_are_refused_with_403() {
    let server = setup().start();
    for origin in [
        "null",
        "https://evil.example",
        "http://evil.example:80",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://localhost@evil.example",
        "http://evil.example#localhost",
        "http://evil.example/localhost",
        "localhost",
        "//localhost",
        "file://",
        "chrome-extension://abcdef",
        "",
    ] {
        let response = knock(&server, &[("Origin", origin)]);
        refusal(&response, 403);
    }
    // Before anything else is looked at: also for GET, and whatever the body.
    let get = Request::new("GET", "/mcp").header("Origin", "null");
    assert_eq!(server.connect().exchange(&get).status(), 403);
    let post = Request::post("not json").header("Origin", "https://evil.example");
    assert_eq!(server.connect().exchange(&post).status(), 403);
    let two = knock(
        &server,
        &[
            ("Origin", "http://localhost"),
            ("Origin", "https://evil.example"),
        ],
    );
    assert!([400, 403].contains(&two.status()), "{}", two.text());
}

/// A browser asks before it sends; without CORS it must not get a yes.
#[test]
fn a_preflight_is_not_granted() {
    let server = setup().start();
    for origin in ["https://evil.example", "http://localhost:3000"] {
        let request = Request::new("OPTIONS", "/mcp")
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "content-type");
        let response = server.connect().exchange(&request);
        assert!(
            (400..500).contains(&response.status()),
            "{origin}: {}",
            response.status()
        );
        assert!(
            response
                .head
                .header("access-control-allow-origin")
                .is_none()
        );
    }
}

#[test]
fn hosts_and_origins_can_be_named() {
    let server = setup()
        .arg("--allow-unauthenticated")
        .arg("--allow-host")
        .arg("mcp.internal")
        .arg("--allow-origin")
        .arg("https://app.example.com")
        .start();
    for headers in [
        [("Host", "mcp.internal"), ("X-Nothing", "")],
        [
            ("Host", "mcp.internal:8080"),
            ("Origin", "https://app.example.com"),
        ],
    ] {
        let response = knock(&server, &headers);
        assert_eq!(response.status(), 200, "{headers:?}: {}", response.text());
    }
    for headers in [
        [("Host", "other.internal"), ("X-Nothing", "")],
        [
            ("Host", "mcp.internal"),
            ("Origin", "https://app.example.com.evil.example"),
        ],
        [
            ("Host", "mcp.internal"),
            ("Origin", "http://app.example.com"),
        ],
    ] {
        assert_refused(&knock(&server, &headers), &format!("{headers:?}"));
    }
}

#[test]
fn a_public_url_names_its_host_and_its_origin() {
    let server = setup()
        .arg("--allow-unauthenticated")
        .arg("--public-url")
        .arg("https://mcp.example.com/mcp")
        .start();
    let good = [
        ("Host", "mcp.example.com"),
        ("Origin", "https://mcp.example.com"),
    ];
    assert_eq!(knock(&server, &good).status(), 200);
    let bad = [("Host", "mcp.example.com"), ("Origin", "null")];
    refusal(&knock(&server, &bad), 403);
    assert_refused(
        &knock(&server, &[("Host", "mcp.example.org")]),
        "another name",
    );
}

#[test]
fn an_address_for_all_is_refused_without_authentication() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let (status, stderr) = setup().address(address).fail();
        assert_ne!(status.code(), Some(0), "{address}: {stderr}");
        for way_out in ["MCP_API_KEYS", "--allow-unauthenticated", "--public-url"] {
            assert!(
                stderr.contains(way_out),
                "{address}: no word of {way_out}: {stderr}"
            );
        }
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}

/// Whoever names hosts expects callers from elsewhere.
#[test]
fn a_name_for_others_is_refused_without_authentication() {
    for (option, value) in [
        ("--public-url", "https://mcp.example.com/mcp"),
        ("--allow-host", "mcp.internal"),
    ] {
        let (status, stderr) = setup().arg(option).arg(value).fail();
        assert_ne!(status.code(), Some(0), "{option}: {stderr}");
        assert!(stderr.contains("--allow-unauthenticated"), "{stderr}");
    }
    let server = setup()
        .keys()
        .arg("--allow-host")
        .arg("mcp.internal")
        .start();
    server.modern_as("alice-key").assert_alive();
}

#[test]
fn an_address_that_cannot_be_used_ends_the_server_with_a_word() {
    let taken = setup().start();
    for address in [
        taken.address.to_string(),
        "nonsense".to_owned(),
        "127.0.0.1".to_owned(),
        "127.0.0.1:99999".to_owned(),
    ] {
        let (status, stderr) = setup().address(&address).fail();
        assert_ne!(status.code(), Some(0), "{address}: {stderr}");
        assert!(stderr.contains(&address), "{address} is missing: {stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}

#[test]
fn other_paths_are_not_found_and_other_methods_not_allowed() {
    let server = setup().start();
    for path in [
        "/",
        "/mc",
        "/mcp/x",
        "//mcp",
        "/MCP",
        "/sse",
        "/messages",
        "/metrics",
    ] {
        let request = server
            .modern()
            .calling(1, "add", json!({ "a": 1, "b": 2 }))
            .target(path);
        let response = server.connect().exchange(&request);
        assert_eq!(response.status(), 404, "{path}: {}", response.text());
    }
    for method in ["PUT", "PATCH", "TRACE", "HEAD", "BREW"] {
        let response = server.connect().exchange(&Request::new(method, "/mcp"));
        assert_eq!(response.status(), 405, "{method}");
        let allowed = response.head.header("allow").unwrap_or_default();
        assert!(allowed.contains("POST"), "{method}: {allowed}");
    }
    // A query changes nothing.
    let request = server
        .modern()
        .calling(1, "add", json!({ "a": 1, "b": 2 }))
        .target("/mcp?from=somewhere");
    assert_eq!(server.connect().exchange(&request).status(), 200);
}

#[test]
fn an_option_serves_older_clients_without_sessions() {
    for server in [
        setup().arg("--without-sessions").start(),
        setup().env("MCP_WITHOUT_SESSIONS", "1").start(),
    ] {
        let mut client = HttpClient::new(server.address, Era::Legacy("2025-11-25"));
        let response = client.exchange(&client.opening("2025-11-25"));
        assert_eq!(response.status(), 200, "{}", response.text());
        assert_eq!(response.head.header("mcp-session-id"), None);
        client.assert_alive();
        let listening = server.connect().exchange(&client.listening());
        assert_eq!(listening.status(), 405);
        // An id that the client has from before means nothing.
        client.session = Some("0123456789abcdef012345".to_owned());
        client.assert_alive();
    }
}

/// Headers of 2026-07-28 as other HTTP libraries write them.
#[test]
fn names_of_headers_have_no_case_and_values_no_outer_space() {
    let server = setup().start();
    let client = server.modern();
    let request = client
        .calling(1, "search", json!({ "query": "a question" }))
        .without("Mcp-Method")
        .without("Mcp-Name")
        .header("mcp-method", "  tools/call\t")
        .header("MCP-NAME", " search ");
    let response = server.connect().exchange(&request);
    assert_eq!(response.status(), 200, "{}", response.text());
    let text = rpc::text(rpc::result(&response.json())).to_owned();
    assert!(text.starts_with("query="), "{text}");
}
