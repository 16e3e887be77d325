//! The handshake on a stream, and requests without one.

use serde_json::json;

use super::client::{Caller, call, initialize, ping, request};
use super::tools::server;

#[tokio::test]
async fn every_older_version_is_agreed_on() {
    let server = server().build().unwrap();
    let caller = Caller::of(&server);
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut client = caller.greeted(version).await;
        assert_eq!(client.call(1, "big", json!({"of": 3})).await, "xxx");
        client.send(&request(2, "tools/list")).await.accepted();
        let listed = client.next().await;
        assert_eq!(listed["id"], 2);
        assert!(!listed["result"]["tools"].as_array().unwrap().is_empty());
        client.send(&request(3, "no/such")).await.accepted();
        assert_eq!(client.next().await["error"]["code"], -32601);
    }
    // There is no newer one here.
    let mut client = caller.open().await;
    client.send(&initialize("2026-07-28")).await.accepted();
    let answer = client.next().await;
    assert_eq!(answer["result"]["protocolVersion"], "2025-11-25");
}

#[tokio::test]
async fn requests_before_initialize_are_refused() {
    let server = server().build().unwrap();
    let mut client = Caller::of(&server).open().await;
    client.send(&ping(1)).await.accepted();
    assert_eq!(client.next().await["result"], json!({}));
    client
        .send(&call(2, "big", json!({"of": 1})))
        .await
        .accepted();
    let refused = client.next().await;
    assert_eq!(refused["id"], 2);
    let told = refused["error"]["message"].as_str().unwrap();
    assert!(told.contains("initialize"), "{told}");
    client.send(&json!([ping(3)])).await.refusal(400);
    // One that cannot be: the next is not the second.
    let mut broken = initialize("2024-11-05");
    broken["params"]["protocolVersion"] = json!(5);
    client.send(&broken).await.accepted();
    assert_eq!(client.next().await["error"]["code"], -32602);
    client.send(&initialize("2024-11-05")).await.accepted();
    assert!(client.next().await["result"].is_object());
    client.send(&initialize("2025-06-18")).await.accepted();
    let told = client.next().await["error"]["message"].to_string();
    assert!(told.contains("initialized already"), "{told}");
    assert_eq!(client.call(4, "big", json!({"of": 1})).await, "x");
}

#[tokio::test]
async fn modern_requests_are_refused() {
    let server = server().build().unwrap();
    let mut client = Caller::of(&server).open().await;
    for is_greeted in [false, true] {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        // As by a server that never heard of it: clients then greet.
        let mut discover = request(1, "server/discover");
        discover["params"] = json!({"_meta": meta});
        client.send(&discover).await.accepted();
        assert_eq!(client.next().await["error"]["code"], -32601);
        let mut modern = call(2, "big", json!({"of": 1}));
        modern["params"]["_meta"] = meta;
        client.send(&modern).await.accepted();
        let refused = client.next().await;
        assert_eq!(refused["id"], 2);
        assert_eq!(refused["error"]["code"], -32600);
        if !is_greeted {
            client.send(&initialize("2025-11-25")).await.accepted();
            client.next().await;
        }
    }
}
