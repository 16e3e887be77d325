//! 2026-07-28 over HTTP: statuses, codes, and what is gone.

use mcp_kit::prelude::*;
use mcp_kit::testing::{TestClient, TestHttpClient};
use serde_json::{Value, json};

use crate::client::{Answer, Ask as _, http, initialize};
use crate::gate::{gate, gated};
use crate::sessions::tools;

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

#[derive(Debug, serde::Deserialize, schemars::JsonSchema, garde::Validate, ToolArgs)]
#[serde(rename_all = "camelCase")]
pub struct Search {
    #[garde(length(chars, min = 1, max = 500))]
    query: String,
    #[serde(default = "five")]
    #[garde(range(min = 1, max = 10))]
    max_results: u8,
}

fn five() -> u8 {
    5
}

/// Searches nothing.
#[tool]
pub async fn search(args: Search) -> String {
    format!("query={} max={}", args.query, args.max_results)
}

pub fn client() -> TestHttpClient {
    let server = tools::server().tool::<search>().build().unwrap();
    http(&server).modern()
}

/// A request with the metadata of the era, unless the parameters have their own.
pub fn message(id: impl Into<Value>, method: &str, mut params: Value) -> Value {
    if params.get("_meta").is_none() {
        params["_meta"] = meta("2026-07-28");
    }
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params})
}

fn meta(version: &str) -> Value {
    json!({VERSION: version, CAPABILITIES: {}})
}

fn searching(id: impl Into<Value>) -> Value {
    let params = json!({"name": "search", "arguments": {"query": "q"}});
    message(id, "tools/call", params)
}

/// Checks the error that answers the request with this id.
#[track_caller]
fn error(answer: &Answer, id: i64, status: u16, code: i64) -> Value {
    answer.refusal(status);
    let json = answer.json();
    assert_eq!(json["error"]["code"], code, "{json}");
    assert_eq!(json["id"], id, "{json}");
    json["error"].clone()
}

#[tokio::test]
async fn a_call_is_one_json_answer_without_a_session() {
    let answer = client().ask(&searching("first")).await;
    assert_eq!(answer.result(), "query=q max=5");
    assert_eq!(answer.headers["content-type"], "application/json");
    assert!(!answer.headers.contains_key("mcp-session-id"));
    let json = answer.json();
    assert_eq!(json["id"], "first");
    assert_eq!(json["result"]["resultType"], "complete");
}

#[tokio::test]
async fn discover_and_list_carry_what_caches_need() {
    let client = client();
    for method in ["server/discover", "tools/list"] {
        let answer = client.ask(&message(1, method, json!({}))).await.json();
        let result = &answer["result"];
        assert_eq!(result["resultType"], "complete", "{method}");
        assert!(result["ttlMs"].is_u64(), "{method}");
        let server = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
        assert_eq!(server["name"], "test");
        if method == "server/discover" {
            let versions = result["supportedVersions"].as_array().unwrap();
            assert!(versions.contains(&json!("2026-07-28")));
        }
    }
}

/// Libraries of other clients still send them.
#[tokio::test]
async fn headers_of_sessions_are_ignored() {
    let client = client().session("made up").header("last-event-id", "7");
    let answer = client.ask(&searching(1)).await;
    assert_eq!(answer.result(), "query=q max=5");
    assert!(!answer.headers.contains_key("mcp-session-id"));
}

#[tokio::test]
async fn ids_are_echoed_exactly() {
    let client = client();
    for id in [
        "0",
        "-1",
        "9007199254740993",
        "9223372036854775807",
        r#""""#,
        r#""a \"quoted\" id é😀""#,
    ] {
        let id: Value = serde_json::from_str(id).unwrap();
        let answer = client.ask(&searching(id.clone())).await;
        assert_eq!(answer.json()["id"].to_string(), id.to_string());
    }
}

#[tokio::test]
async fn unknown_methods_are_404() {
    let client = client();
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
        let params = json!({
            "level": "info", "protocolVersion": "2025-11-25",
            "capabilities": {}, "clientInfo": {},
        });
        let answer = client.ask(&message(5, method, params)).await;
        error(&answer, 5, 404, -32601);
        assert!(!answer.headers.contains_key("mcp-session-id"), "{method}");
    }
}

#[tokio::test]
async fn metadata_must_be_there_and_complete() {
    let client = client();
    let list = |meta: Value| message(3, "tools/list", json!({"_meta": meta}));
    for meta in [
        json!({VERSION: "2026-07-28"}),
        json!({}),
        json!({VERSION: "2026-07-28", CAPABILITIES: "all"}),
        json!("2026-07-28"),
        json!([]),
    ] {
        error(&client.ask(&list(meta)).await, 3, 400, -32602);
    }
    // None at all, under the headers of the era.
    let without = json!({"jsonrpc": "2.0", "id": 3, "method": "tools/list", "params": {}});
    error(&client.ask(&without).await, 3, 400, -32602);
    let open = initialize("2026-07-28");
    let answer = client.ask(&open).await;
    answer.refusal(400);
    assert_eq!(answer.json()["error"]["code"], -32602);
    assert!(!answer.headers.contains_key("mcp-session-id"));
    // The client's name is not required.
    let answer = client.ask(&list(meta("2026-07-28"))).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn an_unsupported_version_is_answered_with_the_supported_ones() {
    let client = client();
    for version in ["2099-01-01", "1900-01-01", "tomorrow"] {
        for method in ["server/discover", "tools/list"] {
            let params = json!({"_meta": meta(version)});
            let answer = client.ask(&message(6, method, params)).await;
            let data = error(&answer, 6, 400, -32022)["data"].clone();
            assert_eq!(data["requested"], version, "{data}");
            let supported = data["supported"].as_array().unwrap();
            assert!(supported.contains(&json!("2026-07-28")), "{data}");
        }
    }
}

#[tokio::test]
async fn an_unknown_version_in_the_header_alone_is_answered_with_the_supported_ones() {
    let client = client();
    let list = message(6, "tools/list", json!({}));
    for version in ["2099-01-01", "tomorrow", ""] {
        let client = client.clone().header("mcp-protocol-version", version);
        let error = error(&client.ask(&list).await, 6, 400, -32020);
        assert_eq!(error["data"]["requested"], version, "{error}");
        let supported = error["data"]["supported"].as_array().unwrap();
        assert!(supported.contains(&json!("2026-07-28")), "{error}");
        let text = error["message"].as_str().unwrap();
        assert!(text.contains("2026-07-28"), "{error}");
    }
    // One that the server speaks only differs from the message's.
    let client = client.header("mcp-protocol-version", "2025-11-25");
    let error = error(&client.ask(&list).await, 6, 400, -32020);
    assert!(error["data"].is_null(), "{error}");
}

#[tokio::test]
async fn mistakes_of_the_client_are_invalid_params_and_those_of_a_model_a_result() {
    let http = client();
    for params in [
        json!({"name": "ad", "arguments": {}}),
        json!({"name": "search", "arguments": [1, 2]}),
        json!({"name": "search", "arguments": "a=1"}),
        json!({"name": "search", "arguments": 3}),
    ] {
        let answer = http.ask(&message(8, "tools/call", params.clone())).await;
        assert!([200, 400].contains(&answer.status.as_u16()), "{answer:?}");
        assert_eq!(answer.json()["error"]["code"], -32602, "{params}");
        assert_eq!(answer.json()["id"], 8, "{params}");
    }
    let client = http.connect().await.unwrap();
    let made_up = json!({"cursor": "made up"});
    let refused = client.request("tools/list", made_up).await.unwrap_err();
    assert_eq!(refused.code(), Some(-32602));
    let arguments = json!({"query": "", "max_result": 50});
    let result = client.call("search", arguments).await;
    assert!(result.is_error());
    for part in ["query", "max_result", "maxResults"] {
        assert!(result.text().contains(part), "{result:?}");
    }
}

#[tokio::test]
async fn notifications_are_accepted_and_run_no_call() {
    let (gate, mut entered) = gate();
    let server = tools::server().state(gate).tool::<gated>();
    let client = http(&server.build().unwrap()).modern();
    for (method, params) in [
        ("notifications/cancelled", json!({"requestId": 99})),
        ("notifications/unheard-of", json!({})),
        ("tools/call", json!({"name": "gated"})),
    ] {
        let mut notification = message(0, method, params);
        notification.as_object_mut().unwrap().remove("id");
        client.ask(&notification).await.accepted();
    }
    let wait = json!({"name": "wait", "arguments": {"ms": 0}});
    let answer = client.ask(&message(1, "tools/call", wait)).await;
    assert_eq!(answer.result(), "waited 0");
    assert!(entered.try_recv().is_err(), "a notification ran a tool");
}

#[tokio::test]
async fn an_answer_from_the_client_answers_nothing() {
    let client = client();
    for message in [
        json!({"jsonrpc": "2.0", "id": 1, "result": {}}),
        json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "no"}}),
    ] {
        let answer = client.ask(&message).await;
        assert!([202, 400].contains(&answer.status.as_u16()), "{answer:?}");
        assert!(!answer.text.contains("\"result\""), "{message}");
    }
}

#[tokio::test]
async fn a_batch_is_refused() {
    let client = (client())
        .header("mcp-method", "tools/call")
        .header("mcp-name", "search");
    let one = searching(1);
    for batch in [json!([one]), json!([one, one]), json!([])] {
        let answer = client.ask(&batch).await;
        answer.refusal(400);
        assert_eq!(answer.json()["error"]["code"], -32600, "{batch}");
    }
}

#[tokio::test]
async fn get_and_delete_are_not_of_this_era() {
    let client = client();
    for response in [client.get().await, client.delete().await] {
        assert_eq!(response.status(), 405);
        assert!(response.header("allow").unwrap().contains("POST"));
    }
}

/// There is no session that could keep them apart, and none is needed.
#[tokio::test(start_paused = true)]
async fn the_same_id_may_be_in_flight_many_times() {
    let client = client();
    let wait = |ms: u64| {
        let params = json!({"name": "wait", "arguments": {"ms": ms}});
        client.start(message("same", "tools/call", params))
    };
    let asked: Vec<_> = (200..220).map(|ms| (ms, wait(ms))).collect();
    for (ms, asked) in asked {
        assert_eq!(asked.await.unwrap().result(), format!("waited {ms}"));
    }
}

#[tokio::test]
async fn a_result_may_be_large_and_has_a_limit() {
    let server = tools::server().build().unwrap();
    for http in [
        TestClient::http(&server),
        TestClient::http(&server).modern(),
    ] {
        let client = http.connect().await.unwrap();
        let whole = client.call("big", json!({"bytes": 1_000_000})).await;
        assert_eq!(whole.text().len(), 1_000_000);
        let refused = client.call("big", json!({"bytes": 3_000_000})).await;
        assert!(refused.is_error() && refused.text().len() < 1_000);
    }
}

/// A proxy that sees nothing for a minute closes the connection.
#[tokio::test(start_paused = true)]
async fn a_silent_subscription_is_kept_open() {
    let params = json!({"notifications": {}});
    let response = client()
        .post(&message(1, "subscriptions/listen", params))
        .await;
    let mut events = crate::client::events_of(response);
    events.next_event().await.unwrap();
    let minute = std::time::Duration::from_secs(60);
    let read = tokio::time::timeout(minute, events.next_event()).await;
    assert!(read.is_err(), "{read:?}");
    assert!(events.keep_alives() >= 3, "{}", events.keep_alives());
}

/// The headers that repeat parts of the message.
mod headers {
    use http::HeaderValue;

    use super::*;

    const MISMATCH: i64 = -32020;

    /// What a correct client sends with `searching(1)`.
    const GOOD: [(&str, &str); 5] = [
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "search"),
    ];

    async fn ask(client: &TestHttpClient, headers: &[(&str, &str)]) -> Answer {
        let body = searching(1).to_string();
        let response = client.bare("POST", "/mcp", headers, &body).await;
        crate::client::read(response).await
    }

    async fn with<V>(client: &TestHttpClient, name: &str, value: V) -> Answer
    where
        HeaderValue: TryFrom<V, Error: Into<http::Error>>,
    {
        client.clone().header(name, value).ask(&searching(1)).await
    }

    #[tokio::test]
    async fn a_missing_header_is_named() {
        let client = client();
        assert_eq!(ask(&client, &GOOD).await.result(), "query=q max=5");
        for missing in ["mcp-protocol-version", "mcp-method", "mcp-name"] {
            let rest = GOOD.into_iter().filter(|(name, _)| *name != missing);
            let answer = ask(&client, &rest.collect::<Vec<_>>()).await;
            let error = error(&answer, 1, 400, MISMATCH);
            let text = error["message"].as_str().unwrap().to_lowercase();
            assert!(text.contains(missing), "{text}");
        }
    }

    #[tokio::test]
    async fn a_header_that_differs_from_the_body_is_refused() {
        let client = client();
        for (name, value) in [
            ("mcp-method", "tools/list"),
            ("mcp-method", "TOOLS/CALL"),
            ("mcp-method", ""),
            ("mcp-name", "wait"),
            ("mcp-name", "Search"),
            ("mcp-name", "search2"),
            ("mcp-name", ""),
            ("mcp-protocol-version", "2025-11-25"),
            ("mcp-protocol-version", "2025-03-26"),
        ] {
            error(&with(&client, name, value).await, 1, 400, MISMATCH);
        }
        // The header names a version of the future, the body this one.
        let answer = with(&client, "mcp-protocol-version", "2099-01-01").await;
        error(&answer, 1, 400, MISMATCH);
    }

    #[tokio::test]
    async fn a_header_is_given_once() {
        let client = client();
        for second in [
            ("mcp-method", "tools/list"),
            ("mcp-name", "admin"),
            ("mcp-protocol-version", "2025-11-25"),
        ] {
            let headers: Vec<_> = GOOD.into_iter().chain([second]).collect();
            ask(&client, &headers).await.refusal(400);
        }
    }

    #[tokio::test]
    async fn a_name_may_come_in_base64() {
        let client = client();
        let answer = with(&client, "mcp-name", "=?base64?c2VhcmNo?=").await; // "search"
        assert_eq!(answer.result(), "query=q max=5");
        for value in [
            "=?base64?YWRk?=",     // another name
            "=?base64?c2Vh*mNo?=", // no base64
            "=?base64?c2VhcmN?=",  // cut
            "=?base64?c2VhcmNo",   // no end
            "=?base64??=",
            "=?base64?//79?=", // no UTF-8
            "=?base32?onswc4tdna======?=",
        ] {
            error(&with(&client, "mcp-name", value).await, 1, 400, MISMATCH);
        }
    }

    /// A proxy that routes by method must not be passed by.
    #[tokio::test]
    async fn a_method_and_a_version_have_no_form_in_base64() {
        let client = client();
        for (name, value) in [
            ("mcp-method", "=?base64?dG9vbHMvY2FsbA==?="),
            ("mcp-protocol-version", "=?base64?MjAyNi0wNy0yOA==?="),
        ] {
            with(&client, name, value).await.refusal(400);
        }
    }

    #[tokio::test]
    async fn a_name_that_no_header_can_hold_comes_in_base64() {
        let unknown = message(1, "tools/call", json!({"name": "größe"}));
        let client = client();
        assert_eq!(client.ask(&unknown).await.json()["error"]["code"], -32602);
        let raw = HeaderValue::from_bytes("größe".as_bytes()).unwrap();
        let answer = client.header("mcp-name", raw).ask(&unknown).await;
        let code = answer.json()["error"]["code"].as_i64().unwrap();
        assert!([MISMATCH, -32602].contains(&code), "{answer:?}");
    }

    #[tokio::test]
    async fn notifications_need_their_headers_too() {
        let mut cancel = message(1, "notifications/cancelled", json!({"requestId": 5}));
        cancel.as_object_mut().unwrap().remove("id");
        let client = client();
        client.ask(&cancel).await.accepted();
        let body = cancel.to_string();
        let without = client.bare("POST", "/mcp", &GOOD[..3], &body).await;
        let without = crate::client::read(without).await;
        let different = client.header("mcp-method", "tools/call").ask(&cancel).await;
        for answer in [without, different] {
            answer.refusal(400);
            assert_eq!(answer.json()["error"]["code"], MISMATCH);
        }
    }

    #[tokio::test]
    async fn a_request_without_a_name_needs_no_header_of_it() {
        for method in ["tools/list", "server/discover"] {
            let answer = client().ask(&message(1, method, json!({}))).await;
            assert_eq!(answer.status, 200, "{method}");
            assert!(answer.json()["result"].is_object());
        }
    }
}
