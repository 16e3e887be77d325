//! Notifications of extensions, in both directions.

use super::*;

#[tokio::test]
async fn handlers_send_the_notifications_that_are_declared() {
    let log = Log::capture();
    let server = builder().extension(notes().legacy()).tool::<announce>();
    let server = server.build().unwrap();
    for version in [ProtocolVersion::V2026_07_28, ProtocolVersion::NEWEST_LEGACY] {
        let client = connect(&server, version).await;
        assert_eq!(client.call("announce", json!({})).await.text(), "announced");
        let sent = client.next_message().await.unwrap();
        assert_eq!(sent["method"], "notifications/notes/changed");
        assert_eq!(sent["params"], json!({"notes": 4}));
    }
    let client = modern(&server).await;
    // The second one belongs to the protocol.
    let error = client.request("notes/announces", json!({})).await;
    assert_eq!(error.unwrap_err().code(), Some(-32603));
    let sent = client.next_message().await.unwrap();
    assert_eq!(sent["params"], json!({"notes": 3}));
    let why = log.call("notes/announces");
    assert!(
        why.get("error").contains("ProtocolExtension::sends"),
        "{why:?}"
    );

    // A client that does not know the extension receives none.
    let client = TestClient::modern(&server).await;
    assert_eq!(client.call("announce", json!({})).await.text(), "announced");
    client.close().await;
    assert_eq!(client.next_message().await, None);
}

#[tokio::test]
async fn notifications_of_clients_run_their_function() {
    let log = Log::capture();
    let (seen, mut notes) = mpsc::unbounded_channel();
    let reading = ProtocolExtension::new(NOTES)
        .legacy()
        .notification("notifications/notes/read", read)
        .notification_with("notifications/notes/burnt", read, |method| {
            method.scope("fire")
        });
    let server = builder().state(Seen(seen)).extension(reading);
    let server = server.build().unwrap();
    for version in [ProtocolVersion::V2026_07_28, ProtocolVersion::NEWEST_LEGACY] {
        let client = connect(&server, version).await;
        for (name, text) in [
            ("read", ""),
            ("burnt", "hidden"),
            ("unknown", "unknown"),
            ("read", "panic"),
            ("read", "milk"),
        ] {
            let method = format!("notifications/notes/{name}");
            client.notify(&method, json!({"text": text}));
        }
        let mut read = [notes.recv().await.unwrap(), notes.recv().await.unwrap()];
        read.sort();
        assert_eq!(read, ["milk local", "panic local"]);
        client.close().await;
        assert_eq!(client.next_message().await, None, "none is answered");
        assert!(notes.try_recv().is_err());
    }
    let lines = log.calls("notifications/notes/read");
    assert!(lines.iter().all(|line| line.get("kind") == "notification"));
    let outcomes = |outcome: &str| {
        lines
            .iter()
            .filter(|line| line.get("outcome") == outcome)
            .count()
    };
    assert_eq!(
        (
            outcomes("invalid_arguments"),
            outcomes("panic"),
            outcomes("ok")
        ),
        (2, 2, 2)
    );
}

async fn waits(State(seen): State<Seen>) {
    let _ = seen.0.send("began".to_owned());
    std::future::pending().await
}

#[tokio::test]
async fn a_notification_without_room_is_dropped_with_a_line_in_the_log() {
    let log = Log::capture();
    let (seen, mut notes) = mpsc::unbounded_channel();
    let waiting = ProtocolExtension::new(NOTES).notification("notifications/notes/read", waits);
    let server = builder()
        .limits(|limits| limits.calls_per_connection = 1)
        .state(Seen(seen))
        .extension(waiting)
        .build()
        .unwrap();
    let client = modern(&server).await;
    client.notify("notifications/notes/read", json!({}));
    assert_eq!(notes.recv().await.unwrap(), "began");
    client.notify("notifications/notes/read", json!({}));
    // It is read before this request is answered.
    client.request("tools/list", json!({})).await.unwrap();
    assert_eq!(log.call("notifications/notes/read").get("outcome"), "busy");
    assert!(notes.try_recv().is_err());
}
