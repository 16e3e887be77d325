//! Middlewares around messages that wait, before `next` and after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mcp_kit::Error;
use mcp_kit::async_trait;
use mcp_kit::extension::{Message, MessageMiddleware, MessageNext, MessageReply};
use mcp_kit::prelude::*;
use mcp_kit::protocol::ProtocolVersion;
use mcp_kit::testing::{SubscriptionFilter, TestClient};
use serde_json::json;
use tokio::sync::{Notify, Semaphore};

use super::{At, Does, Recorder, VERSIONS, builder, protocol, with};

/// Waits for a permit for each message of one method.
#[derive(Clone)]
struct Gate(&'static str, Arc<Semaphore>, Arc<Notify>);

#[async_trait]
impl MessageMiddleware for Gate {
    async fn handle(&self, message: Message, next: MessageNext<'_>) -> Result<MessageReply, Error> {
        if message.method() == self.0 {
            self.2.notify_one();
            self.1.acquire().await?.forget();
        }
        next.run(message).await
    }
}

#[tokio::test]
async fn later_messages_wait_for_a_layer_that_waits() {
    let gate = Gate(
        "tools/call",
        Arc::new(Semaphore::new(0)),
        Arc::new(Notify::new()),
    );
    for version in VERSIONS {
        let recorder = Recorder::default();
        let server = builder()
            .message_layer(recorder.clone())
            .message_layer(gate.clone())
            .build()
            .unwrap();
        let client = TestClient::builder(&server)
            .version(version)
            .connect()
            .await;
        recorder.take();
        let call = client.call("hello", json!({}));
        let list = client.request("tools/list", json!({}));
        gate.2.notified().await;
        let seen = recorder.take();
        assert_eq!(seen.last().unwrap(), "tools/call", "{seen:?}");
        gate.1.add_permits(1);
        assert_eq!(call.await.text(), "Hello!");
        assert!(list.await.is_ok());
    }
}

#[tokio::test]
async fn a_connection_that_ends_waits_for_its_layers() {
    let gate = Gate(
        "tools/call",
        Arc::new(Semaphore::new(0)),
        Arc::new(Notify::new()),
    );
    let client = with(ProtocolVersion::V2026_07_28, gate.clone()).await;
    let call = client.call("hello", json!({}));
    gate.2.notified().await;
    let closing = async {
        tokio::task::yield_now().await;
        gate.1.add_permits(1);
    };
    tokio::join!(client.close(), closing);
    assert_eq!(call.await.text(), "Hello!");
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_waits_too_long_refuses_the_message() {
    let gate = Gate(
        "tools/list",
        Arc::new(Semaphore::new(0)),
        Arc::new(Notify::new()),
    );
    let client = with(ProtocolVersion::V2026_07_28, gate).await;
    let error = client.request("tools/list", json!({})).await.unwrap_err();
    let (code, message, data) = protocol(error);
    assert_eq!((code, &data["reason"]), (-32603, &json!("timeout")));
    assert!(message.contains("took too long"), "{message}");
    assert_eq!(client.call("hello", json!({})).await.text(), "Hello!");
}

/// Returns how often the author's code decides on the reader of a resource that a client
/// begins to watch.
async fn decisions(layer: Option<Recorder>) -> usize {
    let decisions = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&decisions);
    let server = Server::builder("test", "1").resource_with::<super::one>(|one| {
        one.readable_by(move |_, _| {
            counted.fetch_add(1, Ordering::SeqCst);
            true
        })
    });
    let server = match layer {
        Some(layer) => server.message_layer(layer),
        None => server,
    };
    let client = TestClient::new(&server.build().unwrap()).await;
    decisions.store(0, Ordering::SeqCst);
    let uri = json!({"uri": "notes://one"});
    let watched = client.request("resources/subscribe", uri.clone()).await;
    assert_eq!(watched.unwrap(), json!({}));
    let number = decisions.load(Ordering::SeqCst);
    let ended = client.request("resources/unsubscribe", uri).await;
    assert_eq!(ended.unwrap(), json!({}));
    number
}

#[tokio::test]
async fn a_request_that_takes_effect_later_is_dispatched_once() {
    let plain = decisions(None).await;
    assert!(plain > 0);
    assert_eq!(decisions(Some(Recorder::default())).await, plain);
}

/// Waits, and then refuses what was refused, with another error.
struct RefusedLater;

#[async_trait]
impl MessageMiddleware for RefusedLater {
    async fn handle(&self, message: Message, next: MessageNext<'_>) -> Result<MessageReply, Error> {
        let reply = next.run(message).await?;
        tokio::task::yield_now().await;
        match reply.error_code() {
            Some(_) => Err(Error::forbidden("Not today.")),
            None => Ok(reply),
        }
    }
}

#[tokio::test]
async fn a_layer_that_waits_changes_the_error_of_any_request() {
    for version in VERSIONS {
        let client = with(version, RefusedLater).await;
        for (method, params) in [
            ("no/such", json!({})),
            ("tools/list", json!({"cursor": "no"})),
            ("tools/call", json!({"name": "no"})),
        ] {
            let error = client.request(method, params).await.unwrap_err();
            assert!(
                error.to_string().contains("Not today."),
                "{method}: {error}"
            );
        }
    }
}

/// Waits after the messages of one method, and then refuses them.
struct Late(&'static str);

#[async_trait]
impl MessageMiddleware for Late {
    async fn handle(&self, message: Message, next: MessageNext<'_>) -> Result<MessageReply, Error> {
        let is_it = message.method() == self.0;
        let reply = next.run(message).await?;
        if is_it {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            return Err(Error::forbidden("Not today."));
        }
        Ok(reply)
    }
}

#[tokio::test]
async fn what_follows_a_handshake_holds_also_after_a_wait() {
    let params = json!({
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}
    });
    for does in [Does::Mark, Does::MarkLater] {
        let layer = At("initialize", does);
        let server = builder().message_layer(layer).build().unwrap();
        let client = TestClient::builder(&server).connect_silently();
        let opened = client.request("initialize", params.clone()).await.unwrap();
        assert_eq!(opened["marked"], true);
        assert_eq!(opened["protocolVersion"], "2025-11-25");
        assert!(client.request("tools/list", json!({})).await.is_ok());
        let again = client.request("initialize", params.clone()).await;
        assert!(again.unwrap_err().to_string().contains("already"));
    }
    let server = builder().message_layer(Late("initialize")).build().unwrap();
    let client = TestClient::builder(&server).connect_silently();
    let refused = client.request("initialize", params).await.unwrap_err();
    assert_eq!(protocol(refused).1, "Not today.");
    let error = client.request("tools/list", json!({})).await.unwrap_err();
    assert!(error.to_string().contains("Not initialized"), "{error}");
}

#[tokio::test]
async fn subscription_that_is_refused_after_a_wait_does_not_open() {
    let client = with(ProtocolVersion::V2026_07_28, Late("subscriptions/listen")).await;
    let watching = SubscriptionFilter::new().resource("notes://one");
    let refused = client.subscribe(watching).await.unwrap_err();
    assert_eq!(refused.code(), Some(-32603));

    let server = builder().message_layer(Late("resources/subscribe"));
    let server = server.build().unwrap();
    let client = TestClient::new(&server).await;
    let uri = json!({"uri": "notes://one"});
    let refused = client.request("resources/subscribe", uri).await;
    assert_eq!(refused.unwrap_err().code(), Some(-32603));
    server.updates().notify("notes://one");
    client.send_line(r#"{"jsonrpc":"2.0","id":"end","method":"ping"}"#);
    assert_eq!(client.next_message().await.unwrap()["id"], "end");
}

/// A subscription that cannot open is an error for the layers, as any request is.
#[tokio::test]
async fn layers_see_why_a_subscription_does_not_open() {
    let recorder = Recorder::default();
    let server = builder().message_layer(recorder.clone()).build().unwrap();
    let client = TestClient::modern(&server).await;
    recorder.take();
    let wrong = json!({"notifications": 5});
    let refused = client.request("subscriptions/listen", wrong).await;
    assert_eq!(refused.unwrap_err().code(), Some(-32602));
    let expected = super::both(&[("subscriptions/listen", "-32602")]);
    assert_eq!(recorder.take(), expected);
}
