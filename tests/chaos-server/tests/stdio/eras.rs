//! Handshakes, per-request metadata, and the error codes of both eras.

use serde_json::{Value, json};

use crate::process::setup;
use crate::rpc;

const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

#[test]
fn initialize_echoes_each_legacy_version() {
    for version in LEGACY {
        let mut chaos = setup().start();
        let result = chaos.initialize(version);
        assert_eq!(result["protocolVersion"], version);
        assert_eq!(result["serverInfo"]["name"], "chaos-server");
        assert!(result["serverInfo"]["version"].is_string());
        assert!(result["capabilities"]["tools"].is_object(), "{result}");
        chaos.assert_alive();
        assert!(chaos.finish().is_empty());
    }
}

#[test]
fn initialize_with_another_version_is_answered_with_the_latest_legacy_one() {
    for version in ["2024-01-01", "2026-07-28", "2099-01-01", ""] {
        let mut chaos = setup().start();
        assert_eq!(chaos.initialize(version)["protocolVersion"], "2025-11-25");
        chaos.assert_alive();
    }
}

#[test]
fn initialize_without_a_version_is_an_error_and_can_be_repeated() {
    let mut chaos = setup().start();
    chaos.send(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {} }));
    assert_eq!(rpc::code(&chaos.answer(1)), -32602);
    chaos.initialize("2025-11-25");
    chaos.assert_alive();
}

#[test]
fn a_second_initialize_is_an_error_and_changes_nothing() {
    let mut chaos = setup().legacy();
    chaos.send(&rpc::initialize(7, "2025-03-26"));
    let answer = chaos.answer(7);
    assert_eq!(rpc::code(&answer), -32600);
    // Still 2025-11-25: a batch stays forbidden.
    chaos.line(r#"[{"jsonrpc":"2.0","id":8,"method":"ping"}]"#);
    assert_eq!(rpc::code(&chaos.next()), -32600);
    chaos.assert_alive();
}

#[test]
fn a_request_before_initialize_is_refused_with_both_handshakes() {
    let mut chaos = setup().start();
    for (id, method, params) in [
        (1, "tools/list", json!({})),
        (
            2,
            "tools/call",
            json!({ "name": "add", "arguments": { "a": 1, "b": 2 } }),
        ),
    ] {
        chaos.send_request(id, method, params);
        let answer = chaos.answer(id);
        assert_eq!(rpc::code(&answer), -32602, "{method}");
        let text = rpc::message(&answer);
        assert!(text.contains("initialize"), "{text}");
        assert!(text.contains("_meta"), "{text}");
        assert!(
            text.contains("io.modelcontextprotocol/protocolVersion"),
            "{text}"
        );
    }
    // Who asks this has chosen the second way already.
    chaos.send_request(3, "server/discover", json!({}));
    let answer = chaos.answer(3);
    assert_eq!(rpc::code(&answer), -32602);
    assert!(
        rpc::message(&answer).contains("io.modelcontextprotocol/protocolVersion"),
        "{answer}"
    );
    chaos.initialize("2025-11-25");
    chaos.assert_alive();
}

#[test]
fn notifications_before_initialize_are_harmless() {
    let mut chaos = setup().start();
    for method in [
        "notifications/initialized",
        "notifications/cancelled",
        "notifications/unheard-of",
        "tools/call",
    ] {
        chaos.send(&json!({ "jsonrpc": "2.0", "method": method }));
    }
    chaos.cancel(5);
    chaos.initialize("2025-11-25");
    chaos.assert_alive();
    assert!(chaos.finish().is_empty());
}

#[test]
fn ping_is_answered_in_the_legacy_era() {
    let mut chaos = setup().legacy();
    chaos.send(&json!({ "jsonrpc": "2.0", "id": "p", "method": "ping" }));
    assert_eq!(chaos.answer("p")["result"], json!({}));
}

#[test]
fn discover_returns_what_a_modern_client_needs() {
    let mut chaos = setup().modern();
    let answer = chaos.request("server/discover", json!({}));
    let result = rpc::result(&answer);
    assert_eq!(result["resultType"], "complete");
    let versions = result["supportedVersions"]
        .as_array()
        .expect("a list of versions");
    assert!(versions.contains(&json!("2026-07-28")), "{versions:?}");
    assert!(result["capabilities"]["tools"].is_object());
    assert!(result["ttlMs"].is_u64());
    assert!(["public", "private"].contains(&result["cacheScope"].as_str().expect("a scope")));
    assert_eq!(
        result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"],
        "chaos-server"
    );
    chaos.assert_alive();
}

#[test]
fn a_modern_client_may_start_with_any_request() {
    let mut chaos = setup().modern();
    let result = chaos.call("add", json!({ "a": 1, "b": 2 }));
    assert_eq!(result["resultType"], "complete");
    assert_eq!(rpc::text(&result), "3");
    let listed = chaos.request("tools/list", json!({}));
    let listed = rpc::result(&listed);
    assert_eq!(listed["resultType"], "complete");
    assert!(listed["ttlMs"].is_u64());
    assert!(listed["cacheScope"].is_string());
    let failed = chaos.call("fail", json!({}));
    assert_eq!(failed["resultType"], "complete");
}

#[test]
fn legacy_results_carry_nothing_of_the_modern_era() {
    let mut chaos = setup().legacy();
    let listed = chaos.request("tools/list", json!({}));
    for (name, value) in [
        ("call", &chaos.call("add", json!({ "a": 1, "b": 2 }))),
        ("list", rpc::result(&listed)),
    ] {
        for key in ["resultType", "ttlMs", "cacheScope"] {
            assert!(
                value.get(key).is_none(),
                "{key} in the legacy {name} result"
            );
        }
    }
}

#[test]
fn modern_metadata_must_be_complete() {
    let mut chaos = setup().start();
    let version = "io.modelcontextprotocol/protocolVersion";
    let capabilities = "io.modelcontextprotocol/clientCapabilities";
    let broken = [
        (json!({ version: "2026-07-28" }), capabilities),
        (json!({ capabilities: {} }), version),
        (json!({ version: 20260728, capabilities: {} }), version),
        (
            json!({ version: "2026-07-28", capabilities: "all" }),
            capabilities,
        ),
        (json!("2026-07-28"), "_meta"),
    ];
    for (id, (meta, culprit)) in (1_i64..).zip(broken) {
        chaos.send_request(id, "tools/list", json!({ "_meta": meta }));
        let answer = chaos.answer(id);
        assert_eq!(rpc::code(&answer), -32602, "{meta}");
        assert!(
            rpc::message(&answer).contains(culprit),
            "{answer} does not name {culprit}"
        );
    }
    // clientInfo is not required.
    let meta = json!({ version: "2026-07-28", capabilities: {} });
    chaos.send_request(99, "tools/list", json!({ "_meta": meta }));
    assert!(rpc::result(&chaos.answer(99))["tools"].is_array());
}

#[test]
fn an_unsupported_modern_version_is_answered_with_the_supported_ones() {
    let mut chaos = setup().start();
    for (id, version) in [(1, "2099-01-01"), (2, "1900-01-01"), (3, "tomorrow")] {
        chaos.send_request(
            id,
            "server/discover",
            json!({ "_meta": rpc::meta(version) }),
        );
        let answer = chaos.answer(id);
        assert_eq!(rpc::code(&answer), -32022, "{answer}");
        let data = &answer["error"]["data"];
        assert_eq!(data["requested"], version);
        assert!(
            data["supported"]
                .as_array()
                .expect("a list")
                .contains(&json!("2026-07-28"))
        );
    }
}

#[test]
fn what_the_modern_era_removed_is_unknown_there() {
    let mut chaos = setup().modern();
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "no/such/method",
    ] {
        let answer = chaos.request(
            method,
            json!({ "level": "info", "protocolVersion": "2025-11-25" }),
        );
        assert_eq!(rpc::code(&answer), -32601, "{method}: {answer}");
    }
    chaos.assert_alive();
}

#[test]
fn methods_that_the_server_does_not_have_are_unknown_in_the_legacy_era() {
    let mut chaos = setup().legacy();
    for method in ["no/such/method", ""] {
        let answer = chaos.request(method, json!({}));
        assert_eq!(rpc::code(&answer), -32601, "{method}: {answer}");
    }
}

#[test]
fn one_connection_serves_both_eras_side_by_side() {
    let mut chaos = setup().modern();
    chaos.request("server/discover", json!({}));
    // Hosts shake hands even after a successful discover.
    chaos.initialize("2025-06-18");
    chaos.send(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }));
    assert!(rpc::result(&chaos.answer(1)).get("resultType").is_none());
    let listed = chaos.request("tools/list", json!({}));
    assert_eq!(rpc::result(&listed)["resultType"], "complete");
}

#[test]
fn an_unknown_tool_is_a_protocol_error_in_both_eras() {
    for mut chaos in [setup().legacy(), setup().modern()] {
        let answer = chaos.request("tools/call", json!({ "name": "ad", "arguments": {} }));
        assert_eq!(rpc::code(&answer), -32602, "{answer}");
        assert!(rpc::message(&answer).contains("ad"), "{answer}");
    }
}

#[test]
fn malformed_calls_are_invalid_params_with_the_id() {
    for mut chaos in [setup().legacy(), setup().modern()] {
        for params in [
            json!({}),
            json!({ "name": 5 }),
            json!({ "name": null, "arguments": {} }),
            json!({ "arguments": {} }),
            json!({ "name": "add", "arguments": [1, 2] }),
            json!({ "name": "add", "arguments": "a=1" }),
            json!({ "name": "add", "arguments": 3 }),
        ] {
            let answer = chaos.request("tools/call", params.clone());
            assert_eq!(rpc::code(&answer), -32602, "{params}: {answer}");
        }
        chaos.assert_alive();
    }
}

#[test]
fn metadata_that_is_no_object_is_refused_with_the_id() {
    let mut chaos = setup().legacy();
    for meta in [
        json!([]),
        json!(["2026-07-28", {}]),
        json!("2026-07-28"),
        json!(5),
    ] {
        let answer = chaos.request("tools/list", json!({ "_meta": meta }));
        assert_eq!(rpc::code(&answer), -32602, "{meta}: {answer}");
        assert!(rpc::message(&answer).contains("_meta"), "{answer}");
    }
    chaos.assert_alive();
}

#[test]
fn params_that_are_no_object_are_refused_with_the_id() {
    let mut chaos = setup().legacy();
    for (id, params) in (1_i64..).zip([
        json!([]),
        json!(["add"]),
        json!("add"),
        json!(5),
        json!(true),
    ]) {
        chaos
            .send(&json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }));
        let answer = chaos.answer(id);
        assert!(
            [-32600, -32602].contains(&rpc::code(&answer)),
            "{params}: {answer}"
        );
    }
    chaos.assert_alive();
}

#[test]
fn answers_from_the_client_are_ignored() {
    let mut chaos = setup().legacy();
    chaos.line(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    chaos.line(r#"{"jsonrpc":"2.0","id":2,"error":{"code":-32601,"message":"no"}}"#);
    chaos.expect_silence();
    let rest: Vec<Value> = chaos.finish();
    assert!(rest.is_empty(), "{rest:?}");
}
