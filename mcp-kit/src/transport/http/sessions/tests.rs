//! Sessions that replicas share, with a store that the tests hold.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::ToolError;
use crate::auth::{AuthError, Authenticator, Credentials};
use crate::call::Call;
use crate::caller::Principal;
use crate::client::RequestError;
use crate::client::http::TestHttpClient;
use crate::extension::ProtocolExtension;
use crate::extract::{Client, FromCall as _};
use crate::limits::{OwnerUnknown, SessionRecord, SharedSessions};
use crate::primitive::ToolDefinition;
use crate::protocol::ProtocolVersion;
use crate::server::Server;
use crate::tool::from_fn;
use crate::transport::http::service::HttpService;

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

/// A replica that shares its sessions through `store`, with a client of it.
fn replica_with_service(store: &Arc<Store>) -> (TestHttpClient, HttpService) {
    let definition = ToolDefinition::new("whoami", "Who calls.");
    let tool = from_fn(definition, async |call: Call| {
        Ok::<_, ToolError>(call.principal().name().to_owned())
    });
    let definition = ToolDefinition::new("can_elicit", "Whether the client shows forms.");
    let can_elicit = from_fn(definition, async |mut call: Call| {
        let client = Client::from_call(&mut call).await?;
        Ok::<_, ToolError>(client.can_elicit().to_string())
    });
    let extension = ProtocolExtension::new("com.example/own")
        .legacy()
        .method("own/method", async || ());
    let server = Server::builder("test", "1")
        .add(tool)
        .add(can_elicit)
        .extension(extension)
        .http(|http| http.authenticate(Names).call_rate(None))
        .build()
        .unwrap();
    let hosts = server.inner().http().hosts.clone();
    let store = Arc::clone(store) as Arc<dyn SharedSessions>;
    let service = HttpService::sharing(&server, hosts, Some(store));
    let client = TestHttpClient::of(&server, service.clone()).version(ProtocolVersion::V2025_03_26);
    (client, service)
}

fn replica(store: &Arc<Store>) -> TestHttpClient {
    replica_with_service(store).0
}

/// The id of a session that `name` has opened.
async fn opened(replica: &TestHttpClient, name: &str) -> String {
    let session = replica.clone().key(name).open_session().await.unwrap();
    session.session_id().unwrap().to_owned()
}

/// The replica as `name` asks it in a session.
fn within(replica: &TestHttpClient, session: &str, name: &str) -> TestHttpClient {
    replica.clone().key(name).session(session)
}

fn call() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "whoami"}})
}

/// The status of a call, and the name of its caller as the server knows it.
async fn whoami(replica: &TestHttpClient, session: &str, name: &str) -> (u16, Value) {
    let mut response = within(replica, session, name).post(&call()).await;
    let text = response.json().await["result"]["content"][0]["text"].clone();
    (response.status().as_u16(), text)
}

async fn delete(replica: &TestHttpClient, session: &str, name: &str) -> u16 {
    let response = within(replica, session, name).delete().await;
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
    let response = within(&two, &session, "alice").post(&batch).await;
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
async fn what_a_client_has_declared_is_known_to_another_replica() {
    let store = Arc::default();
    let (one, two) = (replica(&store), replica(&store));
    let declared = json!({"elicitation": {}, "extensions": {"com.example/own": {}}});
    let declaring = opened(&one.clone().capabilities(declared), "alice").await;
    let plain = opened(&one, "alice").await;
    for replica in [&one, &two] {
        for (session, has_declared) in [(&declaring, true), (&plain, false)] {
            let client = within(replica, session, "alice");
            let own = json!({"jsonrpc": "2.0", "id": 1, "method": "own/method"});
            let answer = client.post(&own).await.json().await;
            assert_eq!(answer.get("result").is_some(), has_declared, "{answer}");
            let mut can_elicit = call();
            can_elicit["params"]["name"] = json!("can_elicit");
            let answer = client.post(&can_elicit).await.json().await;
            let text = &answer["result"]["content"][0]["text"];
            assert_eq!(text, &has_declared.to_string(), "{answer}");
        }
    }
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

/// A reader that still reads a stream keeps its events, not the session.
#[tokio::test]
async fn what_an_ended_session_kept_is_given_back() {
    let (one, service) = replica_with_service(&Arc::default());
    let common = Arc::clone(&service.shared().endpoint.sessions.common);
    let session = opened(&one, "alice").await;
    let client = within(&one, &session, "alice").header("accept", "text/event-stream");
    let mut stream = client.post(&call()).await;
    stream.next_event().await.unwrap();
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

/// A client that only listens at one replica does so until the session ends at
/// another.
#[tokio::test(start_paused = true)]
async fn an_open_stream_keeps_a_shared_session_and_ends_with_it() {
    let store = Arc::default();
    let (one, two) = (replica(&store), replica(&store));
    let session = opened(&one, "alice").await;
    let mut stream = within(&one, &session, "alice").get().await;
    assert_eq!(stream.status(), 200);
    let listening = tokio::spawn(async move { stream.next_event().await });
    sleep(Duration::from_secs(3 * 3_600)).await;
    assert_eq!(whoami(&two, &session, "alice").await.0, 200);
    assert!(!listening.is_finished());
    assert_eq!(delete(&two, &session, "alice").await, 204);
    assert_eq!(listening.await.unwrap(), None);
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
async fn without_an_answer_from_the_store_no_client_is_let_in() {
    let store = Arc::<Store>::default();
    let one = replica(&store);
    let session = opened(&one, "alice").await;
    store.is_gone.store(true, Ordering::Relaxed);
    assert_eq!(whoami(&one, &session, "alice").await.0, 503);
    assert_eq!(delete(&one, &session, "alice").await, 503);
    let refused = one.clone().key("alice").open_session().await.unwrap_err();
    let RequestError::Refused(refused) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    assert!(!refused.headers().contains_key("mcp-session-id"));
    store.is_gone.store(false, Ordering::Relaxed);
    assert_eq!(whoami(&one, &session, "alice").await.0, 200);
}
