//! 2026-07-28 over HTTP: statuses, codes, and what is gone.

use serde_json::{Value, json};

use crate::client::{HttpClient, answer};
use crate::request::Request;
use crate::rpc;
use crate::server::setup;
use crate::wire::Response;

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// The error of an answer to the request with this id, with its status.
#[track_caller]
fn error(response: &Response, id: i64, status: u16, code: i64) -> Value {
    assert_eq!(response.status(), status, "{}", response.text());
    let error = response.json();
    assert_eq!(rpc::code(&error), code, "{error}");
    assert_eq!(error["id"], id, "{error}");
    error
}

#[test]
fn a_call_is_one_json_answer_without_a_session() {
    let server = setup().start();
    let mut client = server.modern();
    let request = client.calling("first", "add", json!({ "a": 1, "b": 2 }));
    let response = client.exchange(&request);
    assert_eq!(response.status(), 200);
    assert!(response.head.header("mcp-session-id").is_none());
    let answer = response.json();
    assert_eq!(answer["id"], "first");
    assert_eq!(answer["result"]["resultType"], "complete");
    assert_eq!(rpc::text(&answer["result"]), "3");
    assert!(
        response
            .head
            .header("x-content-type-options")
            .is_none_or(|value| value == "nosniff")
    );
}

#[test]
fn discover_and_list_carry_what_caches_need() {
    let server = setup().start();
    let mut client = server.modern();
    for method in ["server/discover", "tools/list"] {
        let answer = client.ask(method, json!({}));
        let result = rpc::result(&answer);
        assert_eq!(result["resultType"], "complete", "{method}");
        assert!(result["ttlMs"].is_u64(), "{method}");
        // The tool `admin` needs a scope: who asks makes a difference.
        if method == "tools/list" {
            assert_eq!(result["cacheScope"], "private", "{method}");
        }
        assert_eq!(
            result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"],
            "chaos-server"
        );
    }
    let discovered = client.ask("server/discover", json!({}));
    let versions = rpc::result(&discovered)["supportedVersions"].clone();
    assert!(
        versions
            .as_array()
            .expect("a list")
            .contains(&json!("2026-07-28"))
    );
}

/// What other clients' libraries still send is passed over, not believed.
#[test]
fn headers_of_sessions_are_ignored() {
    let server = setup().start();
    let mut client = server.modern();
    let request = client
        .calling(1, "add", json!({ "a": 1, "b": 2 }))
        .header("Mcp-Session-Id", "made up")
        .header("Last-Event-ID", "7");
    let response = client.exchange(&request);
    assert_eq!(response.status(), 200, "{}", response.text());
    assert!(response.head.header("mcp-session-id").is_none());
}

#[test]
fn ids_are_echoed_exactly() {
    let server = setup().start();
    let mut client = server.modern();
    for id in [
        "0",
        "-1",
        "9007199254740993",
        "9223372036854775807",
        r#""""#,
        r#""a \"quoted\" id é😀""#,
    ] {
        let id: Value = serde_json::from_str(id).unwrap();
        let request = client.calling(id.clone(), "add", json!({ "a": 1, "b": 2 }));
        let response = client.exchange(&request);
        assert_eq!(response.json()["id"].to_string(), id.to_string());
    }
}

#[test]
fn unknown_methods_are_404() {
    let server = setup().start();
    let mut client = server.modern();
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "resources/list",
        "resources/templates/list",
        "prompts/list",
        "completion/complete",
        "tasks/get",
        "no/such/method",
    ] {
        let params = json!({ "level": "info", "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {} });
        let request = client.request(5, method, params);
        let response = client.exchange(&request);
        error(&response, 5, 404, -32601);
        assert!(
            response.head.header("mcp-session-id").is_none(),
            "{method} opened a session"
        );
    }
    client.assert_alive();
}

#[test]
fn metadata_must_be_there_and_complete() {
    let server = setup().start();
    let mut client = server.modern();
    for (case, meta) in [
        ("no capabilities", json!({ VERSION: "2026-07-28" })),
        ("empty", json!({})),
        (
            "capabilities of another type",
            json!({ VERSION: "2026-07-28", CAPABILITIES: "all" }),
        ),
        ("no object", json!("2026-07-28")),
        ("a list", json!([])),
    ] {
        let request = client.request(3, "tools/list", json!({ "_meta": meta }));
        let response = client.exchange(&request);
        let status = response.status();
        assert_eq!(status, 400, "{case}: {}", response.text());
        assert_eq!(rpc::code(&response.json()), -32602, "{case}");
        assert_eq!(response.json()["id"], 3, "{case}");
    }
    // No `_meta` at all under the header of the modern era.
    let message = json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/list", "params": {} });
    let request = client.post(&message);
    let response = client.exchange(&request);
    error(&response, 3, 400, -32602);
    // The client's name is not required.
    let meta = json!({ VERSION: "2026-07-28", CAPABILITIES: {} });
    let request = client.request(4, "tools/list", json!({ "_meta": meta }));
    assert_eq!(client.exchange(&request).status(), 200);
}

#[test]
fn an_unsupported_version_is_answered_with_the_supported_ones() {
    let server = setup().start();
    let mut client = server.modern();
    for version in ["2099-01-01", "1900-01-01", "tomorrow"] {
        for method in ["server/discover", "tools/list"] {
            let request = client
                .request(6, method, json!({ "_meta": rpc::meta(version) }))
                .set("MCP-Protocol-Version", version);
            let error = error(&client.exchange(&request), 6, 400, -32022);
            let data = &error["error"]["data"];
            assert_eq!(data["requested"], version, "{error}");
            assert!(
                data["supported"]
                    .as_array()
                    .expect("a list")
                    .contains(&json!("2026-07-28")),
                "{error}"
            );
        }
    }
}

#[test]
fn unknown_version_header_over_a_known_body_is_answered_with_the_supported_ones() {
    let server = setup().start();
    let mut client = server.modern();
    for version in ["2099-01-01", "tomorrow", ""] {
        let request = client
            .request(6, "tools/list", json!({}))
            .set("MCP-Protocol-Version", version);
        let error = error(&client.exchange(&request), 6, 400, -32020);
        let data = &error["error"]["data"];
        assert_eq!(data["requested"], version, "{error}");
        let supported = data["supported"].as_array().expect("a list");
        assert!(supported.contains(&json!("2026-07-28")), "{error}");
        let message = error["error"]["message"].as_str().expect("words");
        assert!(message.contains("2026-07-28"), "{error}");
    }
    // One that the server speaks is only another than the message's.
    let request = client
        .request(7, "tools/list", json!({}))
        .set("MCP-Protocol-Version", "2025-11-25");
    let error = error(&client.exchange(&request), 7, 400, -32020);
    assert!(error["error"]["data"].is_null(), "{error}");
}

#[test]
fn what_a_call_gets_wrong_is_invalid_params() {
    let server = setup().start();
    let mut client = server.modern();
    for params in [
        json!({ "name": "ad", "arguments": {} }),
        json!({ "name": "add", "arguments": [1, 2] }),
        json!({ "name": "add", "arguments": "a=1" }),
        json!({ "name": "add", "arguments": 3 }),
    ] {
        let request = client.request(8, "tools/call", params.clone());
        let response = client.exchange(&request);
        assert!(
            [200, 400].contains(&response.status()),
            "{params}: {}",
            response.text()
        );
        assert_eq!(rpc::code(&response.json()), -32602, "{params}");
        assert_eq!(response.json()["id"], 8, "{params}");
    }
    let answer = client.ask("tools/list", json!({ "cursor": "made up" }));
    assert_eq!(rpc::code(&answer), -32602);
}

#[test]
fn what_a_model_gets_wrong_is_a_result() {
    let server = setup().start();
    let mut client = server.modern();
    let text = client.failure("search", json!({ "query": "", "max_result": 50 }));
    for part in ["query", "max_result", "maxResults"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(
        client.text("search", json!({ "query": "q" })),
        "query=q max=5"
    );
}

#[test]
fn a_notification_is_accepted_without_a_body() {
    let server = setup().start();
    let mut client = server.modern();
    for (method, params) in [
        ("notifications/cancelled", json!({ "requestId": 99 })),
        ("notifications/unheard-of", json!({})),
    ] {
        let request = client.notification(method, params);
        let response = client.exchange(&request);
        assert_eq!(response.status(), 202, "{method}: {}", response.text());
        assert!(response.body.is_empty(), "{method}: {}", response.text());
    }
    client.assert_alive();
}

/// A notification is never answered by running a call.
#[test]
fn a_call_without_an_id_does_not_run() {
    let mut trace = crate::support::trace::Trace::new("http-no-id");
    let server = setup().env("CHAOS_TRACE", trace.path()).start();
    let mut client = server.modern();
    let request = client.notification(
        "tools/call",
        json!({ "name": "slow", "arguments": { "ms": 1 } }),
    );
    let response = client.exchange(&request);
    assert!(
        response.status() == 202 || (400..500).contains(&response.status()),
        "{}",
        response.text()
    );
    client.text("slow", json!({ "ms": 2 }));
    trace.wait_for("done 2");
    assert!(!trace.has("start 1"), "a notification ran a tool");
}

#[test]
fn an_answer_from_the_client_is_nobodys() {
    let server = setup().start();
    let mut client = server.modern();
    for message in [
        json!({ "jsonrpc": "2.0", "id": 1, "result": {} }),
        json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -1, "message": "no" } }),
    ] {
        let request = client.dress(Request::post(message.to_string()));
        let response = client.exchange(&request);
        assert!(
            [202, 400].contains(&response.status()),
            "{message}: {}",
            response.text()
        );
        assert!(!response.text().contains("\"result\""), "{message}");
    }
    client.assert_alive();
}

#[test]
fn a_batch_is_refused() {
    let server = setup().start();
    let mut client = server.modern();
    let one = client.message(
        1,
        "tools/call",
        json!({ "name": "add", "arguments": { "a": 1, "b": 2 } }),
    );
    for batch in [json!([one]), json!([one, one]), json!([])] {
        let request = client
            .dress(Request::post(batch.to_string()))
            .header("Mcp-Method", "tools/call")
            .header("Mcp-Name", "add");
        let response = client.exchange(&request);
        assert_eq!(response.status(), 400, "{}", response.text());
        assert_eq!(rpc::code(&response.json()), -32600);
    }
}

#[test]
fn get_and_delete_are_not_of_this_era() {
    let server = setup().start();
    let client = server.modern();
    for request in [client.listening(), client.ending()] {
        let response = server.connect().exchange(&request);
        assert_eq!(response.status(), 405, "{}", response.text());
        let allowed = response.head.header("allow").unwrap_or_default();
        assert!(allowed.contains("POST"), "{allowed}");
    }
}

/// There is no session that could keep them apart, and none is needed.
#[test]
fn the_same_id_may_be_in_flight_many_times() {
    let server = setup().start();
    let client = server.modern();
    let asked: Vec<_> = (0..20)
        .map(|number| {
            let sleeping = client.calling("same", "sleep", json!({ "ms": 200 + number }));
            client.start(&sleeping)
        })
        .collect();
    for (number, mut conn) in asked.into_iter().enumerate() {
        let result = answer(&conn.response(), &json!("same"));
        assert_eq!(
            rpc::text(rpc::result(&result)),
            format!("slept {}", 200 + number)
        );
    }
}

#[test]
fn a_result_may_be_large_and_has_a_bound() {
    let server = setup().start();
    for mut client in server.both() {
        let result: &mut HttpClient = &mut client;
        let text = result.text("big", json!({ "bytes": 1_000_000 }));
        assert_eq!(text.len(), 1_000_000);
        let refused = result.failure("big", json!({ "bytes": 3_000_000 }));
        assert!(refused.len() < 1_000, "{}", refused.len());
    }
}
