//! Questions over HTTP: the streams that carry them, and requests that have none.

use super::*;

#[tokio::test]
async fn client_that_accepts_no_stream_cannot_be_asked() {
    let (builder, ..) = builder();
    let server = builder.build().unwrap();
    let http = TestClient::http(&server).open_session().await.unwrap();
    let call =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "ask"}});
    let mut response = http
        .clone()
        .header("accept", "application/json")
        .post(&call)
        .await;
    let result = &response.json().await["result"];
    assert_eq!(result["isError"], true, "{result}");
    let text = result["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("no way"), "{text}");
}

#[tokio::test]
async fn question_goes_out_on_the_stream_of_its_own_call_and_can_be_resumed() {
    let (builder, ..) = builder();
    let server = builder.build().unwrap();
    let http = TestClient::http(&server).open_session().await.unwrap();
    let mut standalone = http.get().await;
    let call =
        |id| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "ask"}});
    let mut one = http.post(&call(1)).await;
    let mut two = http.post(&call(2)).await;
    assert!(
        one.is_stream() && two.is_stream(),
        "the question makes it one"
    );
    let first = one.next_event().await.unwrap();
    assert!(first.data.is_empty(), "an id to resume from");
    drop(one);
    two.next_event().await.unwrap();
    let mut resumed = http.resume(&first.id.unwrap()).await;
    let asked_one = resumed.next_event().await.unwrap().json();
    let asked_two = two.next_event().await.unwrap().json();
    assert_ne!(asked_one["id"], asked_two["id"]);
    for (asked, stream, id) in [(asked_one, &mut resumed, 1), (asked_two, &mut two, 2)] {
        let response = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"for": id}});
        assert_eq!(http.post(&response).await.status(), 202);
        let answer = stream.next_event().await.unwrap().json();
        assert_eq!(answer["id"], id);
        assert_eq!(
            answer["result"]["content"][0]["text"],
            format!("{{\"for\":{id}}}")
        );
        assert!(stream.next_event().await.is_none());
    }
    // Nothing of it was sent on another stream.
    assert_eq!(http.delete().await.status(), 204);
    assert!(standalone.next_event().await.is_none());
}

#[tokio::test]
async fn member_of_a_batch_asks_over_a_connection_and_not_over_http() {
    let (builder, ..) = builder();
    let server = builder.build().unwrap();
    let call =
        json!({"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": {"name": "ask"}});
    let batch = json!([call, {"jsonrpc": "2.0", "id": "b", "method": "ping"}]);
    let version = ProtocolVersion::V2025_03_26;
    let client = TestClient::builder(&server)
        .version(version)
        .connect()
        .await;
    client.send_line(batch.to_string());
    let asked = question(&client).await;
    let id = &asked["id"];
    // The answer is a member of a batch, too.
    client.send_line(json!([{"jsonrpc": "2.0", "id": id, "result": 1}]).to_string());
    let answers = client.next_message().await.unwrap();
    assert_eq!(answers.as_array().map(Vec::len), Some(2), "{answers}");
    assert!(answers.to_string().contains(r#""text":"1""#), "{answers}");

    let http = TestClient::http(&server)
        .version(version)
        .open_session()
        .await
        .unwrap();
    let answers = http.post(&batch).await.json().await;
    assert!(answers.to_string().contains("no way"), "{answers}");
}
