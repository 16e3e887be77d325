//! Tasks whose store fails for a while, or is short of room; two replicas that share
//! one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use garde::Validate;
use mcp_kit::prelude::*;
use mcp_kit::protocol::ProtocolVersion;
use mcp_kit::server::{Limits, MemoryTasks, StoredTask, TaskKey, TaskStore, TaskStoreError};
use mcp_kit::testing::{SubscriptionFilter, TestClient};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::{advance, sleep, timeout};

/// A store that refuses to write while it has a reason.
#[derive(Clone, Default)]
struct Shared(Arc<Inner>);

#[derive(Default)]
struct Inner {
    tasks: MemoryTasks,
    refuses: Mutex<Option<TaskStoreError>>,
    attempts: AtomicUsize,
    reads: AtomicUsize,
}

impl Shared {
    fn refuse(&self, why: Option<TaskStoreError>) {
        *self.0.refuses.lock().unwrap() = why;
    }

    async fn attempts(&self, more: usize) {
        let before = self.0.attempts.load(Ordering::SeqCst);
        let reached = async {
            while self.0.attempts.load(Ordering::SeqCst) < before + more {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(5 * MINUTE, reached).await.expect("no attempts");
    }
}

#[mcp_kit::async_trait]
impl TaskStore for Shared {
    async fn put(&self, key: &TaskKey, task: StoredTask) -> Result<(), TaskStoreError> {
        self.0.attempts.fetch_add(1, Ordering::SeqCst);
        let refuses = *self.0.refuses.lock().unwrap();
        match refuses {
            Some(why) => Err(why),
            None => self.0.tasks.put(key, task).await,
        }
    }

    async fn get(&self, key: &TaskKey) -> Result<Option<StoredTask>, TaskStoreError> {
        self.0.reads.fetch_add(1, Ordering::SeqCst);
        self.0.tasks.get(key).await
    }
}

/// Waits, and returns a text of so many bytes.
#[tool(task, concurrency = 1)]
async fn write(args: Bytes, State(open): State<Arc<Notify>>) -> String {
    open.notified().await;
    "x".repeat(args.bytes)
}

#[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
struct Bytes {
    #[garde(range(max = 10_000_000))]
    bytes: usize,
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ElicitForm)]
struct Name {
    #[garde(length(chars, max = 5))]
    name: String,
}

/// Waits, and greets the user.
#[tool(task)]
async fn greet(client: Client, State(open): State<Arc<Notify>>) -> Result<String, ToolError> {
    open.notified().await;
    let name = client.elicit::<Name>("Your name?").await?.accepted();
    Ok(name.map_or_else(String::new, |name| name.name))
}

const MINUTE: Duration = Duration::from_secs(60);

struct Replicas {
    store: Shared,
    open: Arc<Notify>,
    one: TestClient,
    other: TestClient,
    servers: [Server; 2],
}

impl Replicas {
    async fn new(limits: impl FnOnce(&mut Limits) + Copy) -> Self {
        let (store, open) = (Shared::default(), Arc::new(Notify::new()));
        let servers = [(); 2].map(|()| {
            Server::builder("replicas", "1.0.0")
                .state(Arc::clone(&open))
                .task_store(store.clone())
                .limits(limits)
                .tool::<write>()
                .tool::<greet>()
                .build()
                .unwrap()
        });
        let connect = |server| {
            TestClient::builder(server)
                .version(ProtocolVersion::V2026_07_28)
                .capabilities(json!({"elicitation": {}}))
                .tasks()
                .connect()
        };
        Self {
            one: connect(&servers[0]).await,
            other: connect(&servers[1]).await,
            store,
            open,
            servers,
        }
    }

    /// Reads a task at the replica that does not run it, which the store knows alone.
    async fn at_other(&self, id: &str) -> Value {
        self.other.task(id).get().await.unwrap()
    }

    async fn until_other(&self, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let reading = async {
            loop {
                let task = self.at_other(id).await;
                if is_so(&task) {
                    return task;
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(Duration::from_secs(30), reading).await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn end_of_a_task_is_stored_once_the_store_is_back() {
    let replicas = Replicas::new(|_| {}).await;
    let task = replicas
        .one
        .call_as_task("write", json!({"bytes": 3}))
        .await;
    replicas.store.refuse(Some(TaskStoreError::Unavailable));
    replicas.open.notify_one();
    replicas.store.attempts(4).await;
    // Where it ran it has ended. It holds no permit of its tool.
    assert_eq!(task.get().await.unwrap()["status"], "completed");
    assert_eq!(replicas.at_other(task.id()).await["status"], "working");
    let plain = TestClient::builder(&replicas.servers[0]).connect().await;
    replicas.open.notify_one();
    let second = plain.call("write", json!({"bytes": 1})).await;
    assert_eq!(second.text(), "x");
    advance(5 * MINUTE).await;
    replicas.store.refuse(None);
    let ended = |task: &Value| task["status"] != "working";
    let state = replicas.until_other(task.id(), ended).await;
    assert_eq!(state["status"], "completed");
    assert_eq!(state["result"]["content"][0]["text"], "xxx");
    assert!(replicas.store.0.attempts.load(Ordering::SeqCst) < 40);
}

#[tokio::test(start_paused = true)]
async fn end_that_was_not_stored_while_its_result_is_kept_is_stored_as_a_failure() {
    let limits = |limits: &mut Limits| limits.finished_task_time = MINUTE;
    let replicas = Replicas::new(limits).await;
    let task = replicas
        .one
        .call_as_task("write", json!({"bytes": 3}))
        .await;
    replicas.store.refuse(Some(TaskStoreError::Unavailable));
    replicas.open.notify_one();
    replicas.store.attempts(2).await;
    for _ in 0..12 {
        advance(Duration::from_secs(10)).await;
        sleep(Duration::from_millis(1)).await;
    }
    let local = task.get().await.unwrap();
    replicas.store.refuse(None);
    let ended = |task: &Value| task["status"] != "working";
    let state = replicas.until_other(task.id(), ended).await;
    assert_eq!(state["status"], "failed");
    assert_eq!(state["error"]["code"], -32603);
    assert_eq!(local["error"], state["error"], "one end for all readers");
}

#[tokio::test(start_paused = true)]
async fn result_without_room_in_the_store_is_a_failure() {
    let replicas = Replicas::new(|_| {}).await;
    let task = replicas
        .one
        .call_as_task("write", json!({"bytes": 3}))
        .await;
    replicas.store.refuse(Some(TaskStoreError::Full));
    replicas.open.notify_one();
    replicas.store.attempts(6).await;
    replicas.store.refuse(None);
    let ended = |task: &Value| task["status"] != "working";
    let state = replicas.until_other(task.id(), ended).await;
    assert_eq!(state["status"], "failed");
    let words = state["statusMessage"].as_str().unwrap();
    assert!(words.contains("could not be stored"), "{words}");
}

#[tokio::test(start_paused = true)]
async fn question_reaches_other_replicas_once_the_store_is_back() {
    let replicas = Replicas::new(|_| {}).await;
    let task = replicas.one.call_as_task("greet", json!({})).await;
    replicas.store.refuse(Some(TaskStoreError::Unavailable));
    replicas.open.notify_one();
    replicas.store.attempts(3).await;
    assert_eq!(replicas.at_other(task.id()).await["status"], "working");
    replicas.store.refuse(None);
    let asked = |task: &Value| task["status"] == "input_required";
    replicas.until_other(task.id(), asked).await;
}

/// The id may be used again, so polling that goes on would serve the next subscription.
#[tokio::test(start_paused = true)]
async fn polling_of_the_store_ends_with_its_subscription() {
    let replicas = Replicas::new(|_| {}).await;
    let task = replicas
        .one
        .call_as_task("write", json!({"bytes": 3}))
        .await;
    let client = &replicas.other;
    let listen = json!({"jsonrpc": "2.0", "id": "one", "method": "subscriptions/listen", "params": {
        "notifications": {"taskIds": [task.id()]},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}}
        }
    }});
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "one"}});
    for _ in 0..8 {
        client.send_line(listen.to_string());
        client.send_line(cancel.to_string());
    }
    client.send_line(listen.to_string());
    let following = async {
        let mut begun = 0;
        while begun < 9 {
            let message = client.next_message().await.unwrap();
            let is_begun = message["method"] == "notifications/subscriptions/acknowledged";
            begun += usize::from(is_begun);
        }
    };
    timeout(MINUTE, following).await.expect("nine beginnings");
    let reads = || replicas.store.0.reads.load(Ordering::SeqCst);
    let before = reads();
    sleep(Duration::from_secs(10)).await;
    let number = reads() - before;
    assert!((15..=25).contains(&number), "{number} reads in 10 s");
}

#[tokio::test(start_paused = true)]
async fn task_that_the_store_refuses_is_tried_once_and_withdrawn() {
    // A store that does not answer may have it nevertheless, so its end is written too.
    for (why, attempts) in [(TaskStoreError::Full, 1), (TaskStoreError::Unavailable, 2)] {
        let replicas = Replicas::new(|_| {}).await;
        replicas.store.refuse(Some(why));
        let call = json!({"name": "write", "arguments": {"bytes": 3}});
        let refused = replicas.one.request("tools/call", call).await;
        let refused = refused.unwrap();
        assert_eq!(refused["isError"], true, "{refused}");
        sleep(2 * 60 * MINUTE).await;
        assert_eq!(replicas.store.0.attempts.load(Ordering::SeqCst), attempts);
    }
}

/// Of the ends that followers have not read, one caller has 4 MiB or one. The clock is
/// real: a paused one runs ahead of the transport, which writes in its own time.
#[tokio::test]
async fn followers_without_room_read_the_end_later() {
    let limits = |limits: &mut Limits| limits.result_bytes = 8 << 20;
    let replicas = Replicas::new(limits).await;
    let client = &replicas.one;
    let arguments = json!({"bytes": 6 << 20});
    let task = client.call_as_task("write", arguments).await;
    let mut followers = Vec::new();
    for _ in 0..3 {
        let filter = SubscriptionFilter::new().task(task.id());
        followers.push(client.subscribe(filter).await.unwrap());
    }
    replicas.open.notify_one();
    for mut follower in followers {
        let ended = async {
            loop {
                let change = follower.next().await.unwrap();
                if change["params"]["status"] == "completed" {
                    return change["params"]["result"].clone();
                }
            }
        };
        let result = timeout(MINUTE, ended).await.unwrap();
        assert_eq!(
            result["content"][0]["text"].as_str().unwrap().len(),
            6 << 20
        );
    }
}
