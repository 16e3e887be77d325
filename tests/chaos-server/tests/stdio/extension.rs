//! An extension of the protocol over stdio, in both eras, by bare messages: its method,
//! its notifications, and its middleware around every message.

use serde_json::{Value, json};

use crate::process::{Chaos, setup};
use crate::rpc;

const DECLARED: &str = "chaos.example/counter";

/// Adds the metadata of 2026-07-28, with the extension or without.
fn modern(mut params: Value, declares: bool) -> Value {
    params["_meta"] = rpc::meta("2026-07-28");
    if declares {
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
            json!({"extensions": {DECLARED: {}}});
    }
    params
}

fn send(chaos: &mut Chaos, id: u64, method: &str, params: Value) {
    chaos.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
}

/// Uses the extension as a client that has declared it; `with` completes parameters.
fn use_all(chaos: &mut Chaos, with: impl Fn(Value) -> Value) {
    send(chaos, 11, "chaos/count", with(json!({"by": 3})));
    let notified = chaos.next();
    assert_eq!(notified["method"], "notifications/chaos/counted");
    assert_eq!(notified["params"], json!({"total": 3}));
    let answer = chaos.answer(11);
    assert_eq!(rpc::result(&answer)["total"], 3);
    assert_eq!(answer["result"]["_meta"]["chaos/marked"], true, "{answer}");

    let tick = with(json!({"by": 4}));
    chaos.send(&json!({"jsonrpc": "2.0", "method": "notifications/chaos/tick", "params": tick}));
    // The notification runs beside the messages after it.
    let mut total = 0;
    let mut count = 0;
    while total < 7 + count {
        count += 1;
        send(chaos, 12 + count, "chaos/count", with(json!({"by": 1})));
        let _ = chaos.next();
        total = rpc::result(&chaos.answer(12 + count))["total"]
            .as_u64()
            .unwrap();
    }
    // The middleware makes 10 of it, and what it sets is checked like any parameters.
    send(chaos, 1_000, "chaos/count", with(json!({"by": 100})));
    let _ = chaos.next();
    assert_eq!(rpc::result(&chaos.answer(1_000))["total"], total + 10);
    send(chaos, 1_001, "chaos/count", with(json!({"by": 101})));
    assert_eq!(chaos.answer(1_001)["error"]["code"], -32602);
    send(chaos, 1_002, "tools/list", with(json!({})));
    let list = chaos.answer(1_002);
    assert_eq!(list["result"]["_meta"]["chaos/marked"], true);
}

#[test]
fn extension_serves_a_modern_client() {
    let mut chaos = setup().env("CHAOS_EXTENSION", "1").start();
    send(&mut chaos, 1, "server/discover", modern(json!({}), true));
    let found = chaos.answer(1);
    let extensions = &found["result"]["capabilities"]["extensions"];
    assert!(extensions[DECLARED].is_object(), "{found}");
    assert_eq!(found["result"]["_meta"]["chaos/marked"], true);
    use_all(&mut chaos, |params| modern(params, true));
    send(
        &mut chaos,
        2,
        "chaos/count",
        modern(json!({"by": 1}), false),
    );
    assert_eq!(chaos.answer(2)["error"]["code"], -32021);
}

#[test]
fn extension_serves_a_legacy_client() {
    let mut chaos = setup().env("CHAOS_EXTENSION", "1").start();
    let client = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {"extensions": {DECLARED: {}}},
        "clientInfo": {"name": "test", "version": "1"},
    });
    send(&mut chaos, 1, "initialize", client);
    let opened = chaos.answer(1);
    let extensions = &opened["result"]["capabilities"]["extensions"];
    assert!(extensions[DECLARED].is_object(), "{opened}");
    // The handshake too has passed the middleware.
    assert_eq!(opened["result"]["_meta"]["chaos/marked"], true);
    chaos.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    use_all(&mut chaos, |params| params);
}
