//! Sessions that replicas share, with a store that the tests hold.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tower_service::Service as _;

use super::super::body::HttpBody;
use super::super::service::HttpService;
use crate::auth::{AuthError, Authenticator, Credentials};
use crate::call::{Call, ToolError};
use crate::caller::Principal;
use crate::limits::{OwnerUnknown, SessionRecord, SharedSessions};
use crate::primitive::ToolDefinition;
use crate::server::Server;
use crate::tool::from_fn;

/// A store in memory, which can be taken away.
#[derive(Default)]
struct Store {
    records: Mutex<HashMap<String, (SessionRecord, Instant)>>,
    is_gone: AtomicBool,
}

impl Store {
    fn check(&self) -> Result<(), OwnerUnknown> {
        match self.is_gone.load(Ordering::Relaxed) {
            true => Err(OwnerUnknown),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl SharedSessions for Store {
    async fn put(
        &self,
        id: &str,
        record: &SessionRecord,
        lifetime: Duration,
    ) -> Result<(), OwnerUnknown> {
        self.check()?;
        let ends = Instant::now() + lifetime;
        let entry = (record.clone(), ends);
        self.records.lock().unwrap().insert(id.to_owned(), entry);
        Ok(())
    }

    async fn get(
        &self,
        id: &str,
        lifetime: Duration,
    ) -> Result<Option<SessionRecord>, OwnerUnknown> {
        self.check()?;
        let now = Instant::now();
        let mut records = self.records.lock().unwrap();
        Ok(records
            .get_mut(id)
            .filter(|(_, ends)| *ends > now)
            .map(|(record, ends)| {
                *ends = now + lifetime;
                record.clone()
            }))
    }

    async fn remove(&self, id: &str) -> Result<(), OwnerUnknown> {
        self.check()?;
        self.records.lock().unwrap().remove(id);
        Ok(())
    }
}

/// Believes everybody.
struct Names;

#[async_trait]
impl Authenticator for Names {
    async fn authenticate(&self, of: &Credentials<'_>) -> Result<Option<Principal>, AuthError> {
        Ok(of.api_key().map(|name| Principal::new(name, [""; 0])))
    }
}

/// A replica that shares its sessions through `store`.
fn replica(store: &Arc<Store>) -> HttpService {
    let definition = ToolDefinition::new("whoami", "Who calls.");
    let tool = from_fn(definition, async |call: Call| {
        Ok::<_, ToolError>(call.principal().name().to_owned())
    });
    let server = Server::builder("test", "1")
        .runtime_tool(tool)
        .http(|http| http.authenticate(Names).tool_rate(None))
        .build()
        .unwrap();
    let door = server.inner().http.door.clone();
    let store = Arc::clone(store) as Arc<dyn SharedSessions>;
    HttpService::sharing(&server, door, Some(store))
}

async fn send(
    replica: &HttpService,
    method: &str,
    session: Option<&str>,
    name: &str,
    body: String,
) -> Response<HttpBody> {
    let mut request = Request::builder()
        .method(method)
        .uri("/mcp")
        .header("host", "127.0.0.1")
        .header("content-type", "application/json")
        .header("x-api-key", name);
    if let Some(session) = session {
        request = request.header("mcp-session-id", session);
    }
    let request = request.body(Full::new(Bytes::from(body))).unwrap();
    replica.clone().call(request).await.unwrap()
}

async fn open(replica: &HttpService, name: &str) -> Response<HttpBody> {
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-03-26", "capabilities": {}},
    });
    send(replica, "POST", None, name, message.to_string()).await
}

async fn opened(replica: &HttpService, name: &str) -> String {
    let response = open(replica, name).await;
    let id = response.headers().get("mcp-session-id").unwrap();
    id.to_str().unwrap().to_owned()
}

/// The status of a call, and who the server says has called.
async fn whoami(replica: &HttpService, session: &str, name: &str) -> (u16, Value) {
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "whoami"},
    });
    let response = send(replica, "POST", Some(session), name, message.to_string()).await;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let json: Value = serde_json::from_slice(&bytes).unwrap();
    (status, json["result"]["content"][0]["text"].clone())
}

async fn delete(replica: &HttpService, session: &str, name: &str) -> u16 {
    let response = send(replica, "DELETE", Some(session), name, String::new()).await;
    response.status().as_u16()
}

#[tokio::test]
async fn a_session_of_one_replica_is_known_to_another() {
    let store = Arc::default();
    let (one, two) = (replica(&store), replica(&store));
    let session = opened(&one, "alice").await;
    assert_eq!(whoami(&two, &session, "alice").await, (200, json!("alice")));
    assert_eq!(whoami(&one, &session, "alice").await, (200, json!("alice")));
    // With its version: batches belong to this one alone.
    let batch = json!([{"jsonrpc": "2.0", "id": 1, "method": "ping"}]);
    let response = send(&two, "POST", Some(&session), "alice", batch.to_string()).await;
    assert_eq!(response.status(), 200);
    // And with its owner, before and after another replica knows it.
    let three = replica(&store);
    for replica in [&one, &two, &three] {
        assert_eq!(whoami(replica, &session, "bob").await.0, 404);
        assert_eq!(delete(replica, &session, "bob").await, 404);
    }
    assert_eq!(whoami(&three, &session, "alice").await.0, 200);
}

#[tokio::test]
async fn the_end_of_a_session_is_its_end_everywhere() {
    let store = Arc::default();
    let (one, two) = (replica(&store), replica(&store));
    let session = opened(&one, "alice").await;
    assert_eq!(whoami(&two, &session, "alice").await.0, 200);
    assert_eq!(delete(&two, &session, "alice").await, 204);
    for replica in [&one, &two] {
        assert_eq!(whoami(replica, &session, "alice").await.0, 404);
        assert_eq!(delete(replica, &session, "alice").await, 404);
    }
}

/// Whoever still reads a stream keeps its events, and not the session.
#[tokio::test]
async fn what_an_ended_session_kept_is_given_back() {
    let one = replica(&Arc::default());
    let common = Arc::clone(&one.shared().sessions.common);
    let session = opened(&one, "alice").await;
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "whoami"},
    });
    let stream = one.clone().call(
        Request::post("/mcp")
            .header("host", "127.0.0.1")
            .header("content-type", "application/json")
            .header("accept", "text/event-stream")
            .header("x-api-key", "alice")
            .header("mcp-session-id", &session)
            .body(Full::new(Bytes::from(call.to_string())))
            .unwrap(),
    );
    let mut stream = stream.await.unwrap().into_body();
    stream.frame().await.unwrap().unwrap();
    assert!(common.kept.load(Ordering::Relaxed) > 0);
    assert_eq!(delete(&one, &session, "alice").await, 204);
    // What is left of the call goes at its own time.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(common.kept.load(Ordering::Relaxed), 0);
    drop(stream);
    assert_eq!(common.kept.load(Ordering::Relaxed), 0);
}

/// Who only listens at one replica does so until the session ends at another.
#[tokio::test(start_paused = true)]
async fn an_open_stream_keeps_a_shared_session_and_ends_with_it() {
    let store = Arc::default();
    let (one, two) = (replica(&store), replica(&store));
    let session = opened(&one, "alice").await;
    let stream = send(&one, "GET", Some(&session), "alice", String::new()).await;
    assert_eq!(stream.status(), 200);
    let listening = tokio::spawn(stream.into_body().collect());
    sleep(Duration::from_secs(3 * 3_600)).await;
    assert_eq!(whoami(&two, &session, "alice").await.0, 200);
    assert!(!listening.is_finished());
    assert_eq!(delete(&two, &session, "alice").await, 204);
    listening.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_session_that_went_idle_here_is_taken_up_again_while_the_store_has_it() {
    let store = Arc::default();
    let (one, two) = (replica(&store), replica(&store));
    let session = opened(&one, "alice").await;
    // In use at the other replica all along.
    for _ in 0..6 {
        sleep(Duration::from_secs(20 * 60)).await;
        assert_eq!(whoami(&two, &session, "alice").await.0, 200);
    }
    assert_eq!(whoami(&one, &session, "alice").await.0, 200);
    sleep(Duration::from_secs(40 * 60)).await;
    for replica in [&one, &two] {
        assert_eq!(whoami(replica, &session, "alice").await.0, 404);
    }
}

/// Nothing is guessed of whose a session is.
#[tokio::test]
async fn without_an_answer_from_the_store_nobody_is_let_in() {
    let store = Arc::<Store>::default();
    let one = replica(&store);
    let session = opened(&one, "alice").await;
    store.is_gone.store(true, Ordering::Relaxed);
    assert_eq!(whoami(&one, &session, "alice").await.0, 503);
    assert_eq!(delete(&one, &session, "alice").await, 503);
    let refused = open(&one, "alice").await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    assert!(!refused.headers().contains_key("mcp-session-id"));
    store.is_gone.store(false, Ordering::Relaxed);
    assert_eq!(whoami(&one, &session, "alice").await.0, 200);
}
