//! Rates: of a caller on a tool, and of an address, on a clock that the tests move.

use std::time::Duration;

use mcp_kit::auth::ApiKeys;
use mcp_kit::limits::Rate;
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use mcp_kit::testing::{TestClient, TestHttpClient};
use serde_json::{Value, json};

use crate::client::{Ask as _, read};
use crate::modern::message;
use crate::sessions::tools::whoami;

/// Fails.
#[tool]
async fn fail() -> Result<String, ToolError> {
    Err(ToolError::user("It failed."))
}

fn server() -> ServerBuilder {
    Server::builder("test", "1")
        .tool::<whoami>()
        .tool::<fail>()
        .without_call_log()
        .http(|http| http.call_rate(None))
}

fn with_keys(server: ServerBuilder) -> TestHttpClient {
    let keys = ApiKeys::from_list("alice:key-of-alice-0001,bob:key-of-bob-000002").unwrap();
    let server = server.http(|http| http.authenticate(keys));
    TestClient::http(&server.build().unwrap())
}

/// How many of so many calls are served. The refusals say when to try again.
async fn served(client: &TestClient, tool: &str, calls: usize) -> usize {
    let mut served = 0;
    for _ in 0..calls {
        let result = client.call(tool, json!({})).await;
        match result.text().contains("Rate limit") {
            true => assert!(result.text().contains("second"), "{result:?}"),
            false => served += 1,
        }
    }
    served
}

#[tokio::test(start_paused = true)]
async fn a_caller_has_one_rate_for_each_tool_however_it_connects() {
    let http = with_keys(server().rate_limit(Rate::per_minute(5)));
    let alice = http.clone().key("key-of-alice-0001");
    let mut clients = Vec::new();
    for http in [
        alice.clone().modern(),
        alice.clone(),
        alice.clone(),
        alice.modern(),
    ] {
        clients.push(http.connect().await.unwrap());
    }
    assert_eq!(served(&clients[0], "whoami", 3).await, 3);
    assert_eq!(served(&clients[1], "whoami", 10).await, 2);
    for client in &clients {
        assert_eq!(served(client, "whoami", 10).await, 0);
    }
    // Other tools and other callers have rates of their own.
    assert_eq!(served(&clients[2], "fail", 3).await, 3);
    let bob = http.key("key-of-bob-000002").connect().await.unwrap();
    assert_eq!(served(&bob, "whoami", 1).await, 1);
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(served(&clients[3], "whoami", 10).await, 1);
}

/// A refusal comes before the arguments are read.
#[tokio::test(start_paused = true)]
async fn the_rate_holds_for_calls_that_fail() {
    let server = server().rate_limit(Rate::per_minute(5)).build().unwrap();
    let client = TestClient::http(&server).modern().connect().await.unwrap();
    let mut texts = Vec::new();
    for number in 0..30 {
        let wrong = json!({"unknown": number});
        let arguments = if number < 3 { json!({}) } else { wrong };
        texts.push(client.call("fail", arguments).await.text());
    }
    let count = |start| texts.iter().filter(|text| text.starts_with(start)).count();
    assert_eq!(count("It failed."), 3);
    assert_eq!(count("Invalid arguments"), 2);
    assert_eq!(count("Rate limit"), 25);
}

#[tokio::test(start_paused = true)]
async fn an_address_meets_its_rate_before_it_is_asked_for_a_key() {
    let server = server().http(|http| http.address_rate(Rate::per_minute(20)));
    let http = with_keys(server).modern();
    let list = message(1, "tools/list", json!({}));
    for number in 0..80 {
        // The rate is against guessing keys; other names for the address change nothing.
        let guess = (http.clone())
            .key(&format!("guess-{number}"))
            .header("x-forwarded-for", format!("10.0.0.{number}"))
            .header("forwarded", format!("for=10.0.0.{number}"))
            .header("x-real-ip", format!("10.0.0.{number}"));
        let answer = guess.ask(&list).await;
        if number < 20 {
            answer.refusal(401);
        } else {
            answer.refusal(429);
            let seconds = answer.headers["retry-after"].to_str().unwrap();
            assert!(seconds.parse::<u32>().unwrap() > 0);
        }
    }
    let probe = http.bare("GET", "/readyz", &[], "").await;
    assert_eq!(probe.status(), 200);
}

/// As users behind the egress address of a company are.
#[tokio::test(start_paused = true)]
async fn callers_with_keys_do_not_use_up_the_rate_of_their_address() {
    let keys = (0..40).map(|user| format!("user-{user}:a-key-of-user-{user:02}"));
    let keys = ApiKeys::from_list(&keys.collect::<Vec<_>>().join(",")).unwrap();
    let server = server()
        .http(|http| http.authenticate(keys))
        .http(|http| http.address_rate(Rate::per_minute(10)));
    let http = TestClient::http(&server.build().unwrap()).modern();
    let discover = message(1, "server/discover", json!({}));
    for _ in 0..3 {
        for user in 0..40 {
            let http = http.clone().key(&format!("a-key-of-user-{user:02}"));
            assert_eq!(http.ask(&discover).await.status, 200);
        }
    }
    // Those without a key, or with a wrong one, do.
    http.ask(&discover).await.refusal(401);
    for guess in 0..40 {
        let http = http.clone().key(&format!("guess-{guess}"));
        let status = if guess < 9 { 401 } else { 429 };
        http.ask(&discover).await.refusal(status);
    }
}

/// A named proxy is believed, one hop at a time.
#[tokio::test(start_paused = true)]
async fn behind_a_named_proxy_each_client_has_its_own_rate() {
    let server = server().http(|http| {
        http.trust_proxy("127.0.0.0/8")
            .allow_unauthenticated()
            .address_rate(Rate::per_minute(10))
    });
    let http = TestClient::http(&server.build().unwrap()).modern();
    let list = message(1, "tools/list", json!({}));
    let ask = async |forwarded: &str| {
        let http = http.clone().header("x-forwarded-for", forwarded);
        read(http.post(&list).await).await.status.as_u16()
    };
    for number in 0..40 {
        let status = if number < 10 { 200 } else { 429 };
        assert_eq!(ask("203.0.113.7").await, status, "{number}");
    }
    assert_eq!(ask("203.0.113.8").await, 200);
    // What the client itself wrote before the proxy's own entry is a claim.
    for number in 0..3 {
        assert_eq!(ask(&format!("198.51.100.{number}, 203.0.113.7")).await, 429);
    }
    // A proxy behind a proxy.
    assert_eq!(ask("203.0.113.9, 127.0.0.2").await, 200);
    assert_eq!(ask("203.0.113.7, 127.0.0.2").await, 429);
    for broken in ["", "unknown", "999.1.1.1", ",,,", "203.0.113.10:99999"] {
        let status = ask(broken).await;
        assert!([200, 400, 429].contains(&status), "{broken:?}: {status}");
    }
}

/// Counts its calls.
#[tool]
async fn counted(State(calls): State<std::sync::Arc<std::sync::atomic::AtomicUsize>>) {
    calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
}

/// One message could otherwise make the server build thousands of long lists.
#[tokio::test]
async fn batch_is_not_dispatched_further_once_an_answer_did_not_fit() {
    let calls = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let mut builder = Server::builder("test", "1")
        .state(std::sync::Arc::clone(&calls))
        .tool::<counted>()
        .limits(|limits| limits.unread_bytes = 40_000)
        .http(|http| http.allow_unauthenticated());
    for at in 0..10 {
        let long = mcp_kit::tool::ToolDefinition::new(format!("long-{at}"), "x".repeat(3_000));
        builder = builder.add(mcp_kit::tool::from_fn(long, async |_| "done"));
    }
    let server = builder.build().unwrap();
    let version = mcp_kit::protocol::ProtocolVersion::V2025_03_26;
    let clients = [
        TestClient::builder(&server)
            .version(version)
            .connect()
            .await,
        TestClient::http(&server)
            .version(version)
            .connect()
            .await
            .unwrap(),
    ];
    for client in clients {
        let request = |id: &str, method: &str, params: Value| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let call = json!({"name": "counted"});
        let batch = json!([
            request("a", "tools/call", call.clone()),
            request("b", "tools/list", json!({})),
            request("c", "tools/list", json!({})),
            request("d", "tools/call", call),
            request("e", "ping", json!({})),
        ]);
        client.send_line(batch.to_string());
        let answers = client.next_message().await.unwrap();
        let answers = answers.as_array().unwrap();
        assert_eq!(answers.len(), 5, "{answers:?}");
        let of = |id: &str| answers.iter().find(|answer| answer["id"] == id).unwrap();
        assert!(of("b")["result"]["tools"].is_array());
        for id in ["c", "d", "e"] {
            let error = &of(id)["error"];
            assert_eq!(error["code"], -32600, "{id}");
            let text = error["message"].as_str().unwrap();
            assert!(text.contains("too large together"), "{text}");
        }
        assert!(of("a").get("result").is_some());
        assert_eq!(calls.swap(0, std::sync::atomic::Ordering::Relaxed), 1);
        // The next message is served.
        assert!(client.request("ping", json!({})).await.is_ok());
    }
}
