//! Against a real `redis-server`.
#![allow(clippy::unwrap_used, clippy::panic)]

use redis::Commands as _;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::*;
use crate::caller::Principal;
use crate::limits::test_store::Redis;

const MINUTE: Duration = Duration::from_secs(60);

fn store(redis: &Redis) -> RedisTasks {
    let limits = RedisLimits::new(&redis.url()).unwrap();
    // The machine may be busy with other tests.
    RedisTasks::new(limits.timeout(Duration::from_secs(20)))
}

/// A connection for the test itself.
fn connect(redis: &Redis) -> redis::Connection {
    let client = redis::Client::open(redis.url()).unwrap();
    client.get_connection().unwrap()
}

fn key(principal: &str, id: &str) -> TaskKey {
    TaskKey::new(&"server".into(), principal, id)
}

fn task(status: &str, finished: bool) -> StoredTask {
    task_of("alice", &json!({"taskId": "1", "status": status}), finished)
}

fn task_of(caller: &str, document: &Value, finished: bool) -> StoredTask {
    let document = to_raw_value(document).unwrap();
    let caller = caller.as_bytes().into();
    StoredTask::new(document, vec!["jobs".into()], finished, MINUTE, caller)
}

fn of_scope(scope: &str) -> Principal {
    Principal::new("alice", [scope])
}

async fn read(store: &RedisTasks, key: &TaskKey) -> Option<Value> {
    let task = store.get(key).await.unwrap()?;
    Some(serde_json::from_str(task.document()).unwrap())
}

#[tokio::test]
async fn task_is_known_to_every_replica_and_to_no_other_caller_or_server() {
    let Some(redis) = Redis::start() else { return };
    let [a, b] = [store(&redis), store(&redis)];
    let one = key("alice", "1");
    a.put(&one, task("working", false)).await.unwrap();
    let found = b.get(&one).await.unwrap().unwrap();
    assert!(!found.is_finished());
    assert!(found.may_use(&of_scope("jobs")) && !found.may_use(&of_scope("other")));
    a.put(&one, task("completed", true)).await.unwrap();
    assert_eq!(read(&b, &one).await.unwrap()["status"], "completed");
    assert!(b.get(&one).await.unwrap().unwrap().is_finished());
    let other = TaskKey::new(&"other".into(), "alice", "1");
    for unknown in [key("bob", "1"), key("alice", "2"), other] {
        assert_eq!(read(&b, &unknown).await, None);
    }
}

#[tokio::test]
async fn store_holds_no_names_and_nothing_for_good() {
    let Some(redis) = Redis::start() else { return };
    let store = store(&redis);
    let one = key("alice", "id-77441");
    store.put(&one, task("working", false)).await.unwrap();
    store.send(&one, TaskMessage::Cancel).await.unwrap();
    store
        .put(&key("alice", "id-2"), task("completed", true))
        .await
        .unwrap();
    let mut connection = connect(&redis);
    let keys: Vec<String> = connection.keys("*").unwrap();
    assert!(keys.len() >= 6, "{keys:?}");
    for key in keys {
        assert!(key.starts_with("mcp-kit:task"), "{key}");
        for name in ["alice", "77441", "server"] {
            assert!(!key.contains(name), "{key}");
        }
        let lifetime: i64 = connection.pttl(&key).unwrap();
        // -2: it was read and removed meanwhile.
        assert!(lifetime == -2 || (1..=600_000).contains(&lifetime), "{key}");
    }
}

fn answers(text: &str) -> TaskMessage {
    TaskMessage::Answers(RawValue::from_string(text.to_owned()).unwrap())
}

fn text(message: &TaskMessage) -> &str {
    match message {
        TaskMessage::Answers(answers) => answers.get(),
        _ => "cancel",
    }
}

#[tokio::test]
async fn messages_arrive_once_and_in_order_where_the_task_runs() {
    let Some(redis) = Redis::start() else { return };
    let [a, b] = [store(&redis), store(&redis)];
    let [one, two] = ["1", "2"].map(|id| key("alice", id));
    a.put(&one, task("working", false)).await.unwrap();
    a.put(&two, task("working", false)).await.unwrap();
    let message = |at: usize| format!("{{\"key\":\n{at}}}");
    for at in 0..250 {
        b.send(&one, answers(&message(at))).await.unwrap();
        if at % 100 == 50 {
            b.send(&two, answers("{}")).await.unwrap();
        }
    }
    for at in 0..250 {
        assert_eq!(text(&a.receive(&one).await), message(at));
    }
    b.send(&one, TaskMessage::Cancel).await.unwrap();
    assert!(matches!(a.receive(&one).await, TaskMessage::Cancel));
    for _ in 0..2 {
        assert_eq!(text(&a.receive(&two).await), "{}");
    }
    // Nothing is left of them, and one to a task that has ended is discarded.
    a.put(&one, task("completed", true)).await.unwrap();
    b.send(&one, TaskMessage::Cancel).await.unwrap();
    let left = tokio::time::timeout(Duration::from_millis(600), a.receive(&two)).await;
    assert!(left.is_err());
    let mut connection = connect(&redis);
    assert!(
        !connection
            .exists::<_, bool>(a.process.of_this("inbox"))
            .unwrap()
    );
    let state = a.process.of_this("inbox-state");
    let bytes: i64 = connection.hget(state, "bytes").unwrap();
    assert_eq!(bytes, 0);
}

/// A request of which the answer was lost is sent again.
#[tokio::test]
async fn messages_are_read_again_until_they_were_received() {
    let Some(redis) = Redis::start() else { return };
    let [a, b] = [store(&redis), store(&redis)];
    let one = key("alice", "1");
    // Its process does not poll.
    let lease = Duration::from_secs(30);
    a.process
        .write(&one, &task("working", false), lease)
        .await
        .unwrap();
    for text in ["1", "2"] {
        b.send(&one, answers(text)).await.unwrap();
    }
    let first = a.process.read(lease).await.unwrap();
    assert_eq!(first.len(), 2);
    assert_eq!(a.process.read(lease).await.unwrap(), first);
    a.process.inbox.deliver(&first);
    b.send(&one, answers("3")).await.unwrap();
    let next = a.process.read(lease).await.unwrap();
    assert_eq!(next.len(), 1);
    assert!(next[0].contains('3'));
}

fn answers_of(bytes: usize) -> TaskMessage {
    answers(&format!("\"{}\"", "x".repeat(bytes)))
}

/// Writes tasks whose process does not poll.
async fn written(store: &RedisTasks, tasks: &[(&str, &str)]) -> Vec<TaskKey> {
    let mut keys = Vec::new();
    for (caller, id) in tasks {
        let key = key(caller, id);
        let task = task_of(caller, &json!({"taskId": id}), false);
        let lease = Duration::from_secs(30);
        store.process.write(&key, &task, lease).await.unwrap();
        keys.push(key);
    }
    keys
}

#[tokio::test]
async fn inbox_of_a_process_has_a_share_for_each_task_and_each_caller() {
    let Some(redis) = Redis::start() else { return };
    let [a, b] = [store(&redis), store(&redis)];
    let tasks = [("alice", "1"), ("alice", "2"), ("bob", "3"), ("carol", "4")];
    let keys = written(&a, &tasks).await;
    let full = Err(TaskStoreError::Full);
    // One message may have any size.
    b.send(&keys[0], answers_of(4 << 20)).await.unwrap();
    assert_eq!(b.send(&keys[0], answers_of(10)).await, full);
    // It fills the share of its caller too, and of no other.
    assert_eq!(b.send(&keys[1], answers_of(10)).await, full);
    b.send(&keys[0], TaskMessage::Cancel).await.unwrap();
    for _ in 0..4 {
        b.send(&keys[2], answers_of(250 << 10)).await.unwrap();
    }
    assert_eq!(b.send(&keys[2], answers_of(250 << 10)).await, full);
    for _ in 0..256 {
        b.send(&keys[3], answers_of(10)).await.unwrap();
    }
    assert_eq!(b.send(&keys[3], answers_of(10)).await, full);
    // A cancellation has room anyway, once.
    for _ in 0..3 {
        b.send(&keys[3], TaskMessage::Cancel).await.unwrap();
    }

    // What was read gives the room back.
    let lease = Duration::from_secs(30);
    let mut cancellations = 0;
    loop {
        let read = a.process.read(lease).await.unwrap();
        if read.is_empty() {
            break;
        }
        let is_cancellation = |text: &&String| text.contains("\"cancel\"");
        cancellations += read.iter().filter(is_cancellation).count();
        a.process.inbox.deliver(&read);
    }
    assert_eq!(cancellations, 2, "of two tasks");
    for key in &keys {
        b.send(key, answers_of(10)).await.unwrap();
    }
    b.send(&keys[3], TaskMessage::Cancel).await.unwrap();
    let read = a.process.read(lease).await.unwrap();
    assert_eq!(read.len(), 5);
    a.process.inbox.deliver(&read);
    assert!(a.process.read(lease).await.unwrap().is_empty());
    let state: Vec<String> = (connect(&redis))
        .hkeys(a.process.of_this("inbox-state"))
        .unwrap();
    assert_eq!(state.len(), 2, "{state:?}");
}

#[tokio::test]
async fn inbox_of_a_process_is_limited() {
    let Some(redis) = Redis::start() else { return };
    let [a, b] = [store(&redis), store(&redis)];
    let callers = ["alice", "bob", "carol", "dave"].map(|caller| (caller, "1"));
    let keys = written(&a, &callers).await;
    let large = answers_of(4 << 20);
    for key in &keys[..3] {
        b.send(key, large.clone()).await.unwrap();
    }
    let full = b.send(&keys[3], large).await;
    assert_eq!(full, Err(TaskStoreError::Full));
    b.send(&keys[3], TaskMessage::Cancel).await.unwrap();
}

/// A task that does not receive, such as one whose handler is slow to start.
#[tokio::test]
async fn mailbox_of_a_task_is_limited_by_bytes_and_keeps_a_cancellation() {
    let Some(redis) = Redis::start() else { return };
    let [a, b] = [store(&redis), store(&redis)];
    let one = key("alice", "1");
    let lease = Duration::from_secs(30);
    let working = task("working", false);
    a.process.write(&one, &working, lease).await.unwrap();
    Inbox::hold(&a.process, &one, &working);
    let mut delivered = 0;
    for _ in 0..6 {
        b.send(&one, answers_of(4 << 20)).await.unwrap();
        let read = a.process.read(lease).await.unwrap();
        delivered += read.len();
        a.process.inbox.deliver(&read);
        assert!(a.process.read(lease).await.unwrap().is_empty(), "received");
    }
    b.send(&one, TaskMessage::Cancel).await.unwrap();
    let read = a.process.read(lease).await.unwrap();
    a.process.inbox.deliver(&read);
    assert_eq!(delivered, 6);
    assert!(matches!(a.receive(&one).await, TaskMessage::Cancel));
    // Of 64 MiB a caller has a quarter.
    assert!(a.process.inbox.waiting_bytes() <= 16 << 20);
    for _ in 0..3 {
        assert!(matches!(a.receive(&one).await, TaskMessage::Answers(_)));
    }
    assert_eq!(a.process.inbox.waiting_bytes(), 0);
}

#[tokio::test]
async fn lease_is_renewed_until_the_end_of_a_task_is_written() {
    let Some(redis) = Redis::start() else { return };
    let store = store(&redis);
    let one = key("alice", "1");
    store.put(&one, task("working", false)).await.unwrap();
    // There is no room for the end.
    let huge = json!({"text": "x".repeat(65 << 20)});
    let end = task_of("alice", &huge, true);
    assert_eq!(store.put(&one, end).await, Err(TaskStoreError::Full));
    assert!(store.process.inbox.is_polled());
    store.put(&one, task("failed", true)).await.unwrap();
    assert!(!store.process.inbox.is_used());
}

#[tokio::test]
async fn task_fails_for_every_reader_once_the_lease_of_its_process_has_run_out() {
    let Some(redis) = Redis::start() else { return };
    let [a, b, c] = [(); 3].map(|()| store(&redis));
    let one = key("alice", "1");
    let working = json!({
        "taskId": "1", "status": "input_required", "ttlMs": 5, "inputRequests": {"name": {}},
    });
    let lease = Duration::from_secs(30);
    let working = task_of("alice", &working, false);
    a.process.write(&one, &working, lease).await.unwrap();
    assert_eq!(read(&b, &one).await.unwrap()["status"], "input_required");
    let mut connection = connect(&redis);
    let () = connection.del(a.process.of_this("lease")).unwrap();
    // A message has no receiver.
    b.send(&one, TaskMessage::Cancel).await.unwrap();
    let failed = read(&b, &one).await.unwrap();
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["error"]["code"], -32603);
    assert!(
        failed["statusMessage"]
            .as_str()
            .unwrap()
            .contains("has ended")
    );
    assert_eq!(failed["ttlMs"], 5);
    assert!(failed.get("inputRequests").is_none());
    let stored = c.get(&one).await.unwrap().unwrap();
    assert!(stored.is_finished());
    assert!(!stored.may_use(&of_scope("other")));
    // The process lives after all, too late.
    let late = a.put(&one, task("completed", true)).await;
    assert_eq!(late, Err(TaskStoreError::Ended));
    assert_eq!(read(&c, &one).await.unwrap(), failed);
}

#[tokio::test]
async fn finished_tasks_of_one_caller_take_no_room_of_another() {
    let Some(redis) = Redis::start() else { return };
    let store = store(&redis);
    let of_bob = key("anonymous", "bob's");
    let small = json!({"taskId": "1"});
    store
        .put(&of_bob, task_of("host 1", &small, true))
        .await
        .unwrap();
    let large = json!({"text": "x".repeat(8 << 20)});
    let keys: Vec<_> = (0..10)
        .map(|id| key("anonymous", &id.to_string()))
        .collect();
    store
        .put(&keys[0], task_of("host 2", &small, false))
        .await
        .unwrap();
    for key in &keys[1..] {
        store
            .put(key, task_of("host 2", &large, true))
            .await
            .unwrap();
    }
    // Seven large ones fit into 64 MiB. The first finished ones were forgotten.
    let mut kept = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        if read(&store, key).await.is_some() {
            kept.push(at);
        }
    }
    assert_eq!(kept, [0, 3, 4, 5, 6, 7, 8, 9]);
    assert!(read(&store, &of_bob).await.is_some());
    // A state for which there is no room does not replace the one before.
    let huge = json!({"text": "x".repeat(65 << 20)});
    let full = store.put(&keys[0], task_of("host 2", &huge, true)).await;
    assert_eq!(full, Err(TaskStoreError::Full));
    assert_eq!(read(&store, &keys[0]).await, Some(small));
    assert!(read(&store, &keys[9]).await.is_some(), "forgotten in vain");
}

#[tokio::test]
async fn tasks_that_have_expired_take_no_room() {
    let Some(redis) = Redis::start() else { return };
    let store = store(&redis);
    let running = key("alice", "1");
    let working = task("working", false);
    store.put(&running, working.clone()).await.unwrap();
    let of_caller = |kind| store.process.of_caller(kind, &running, &working);
    let mut connection = connect(&redis);
    let mut bytes = || -> i64 { connection.hget(of_caller("tasks-bytes"), "all").unwrap() };
    let before = bytes();
    let document = to_raw_value(&"x".repeat(1 << 20)).unwrap();
    let short = Duration::from_millis(20);
    let result = StoredTask::new(document, Vec::new(), true, short, b"alice"[..].into());
    for id in ["2", "3"] {
        store.put(&key("alice", id), result.clone()).await.unwrap();
    }
    assert!(bytes() > before);
    for id in ["2", "3"] {
        while read_any(&store, &key("alice", id)).await {
            tokio::task::yield_now().await;
        }
    }
    store.put(&running, working.clone()).await.unwrap();
    assert_eq!(bytes(), before);
}

async fn read_any(store: &RedisTasks, key: &TaskKey) -> bool {
    store.get(key).await.unwrap().is_some()
}

#[tokio::test]
async fn abandoned_task_counts_as_finished() {
    let Some(redis) = Redis::start() else { return };
    let [a, b] = [store(&redis), store(&redis)];
    let (one, working) = (key("alice", "1"), task("working", false));
    let lease = Duration::from_secs(30);
    a.process.write(&one, &working, lease).await.unwrap();
    let mut connection = connect(&redis);
    let () = connection.del(a.process.of_this("lease")).unwrap();
    assert_eq!(read(&b, &one).await.unwrap()["status"], "failed");
    let counts = ["tasks-unfinished", "tasks-finished"].map(|kind| -> usize {
        let index = a.process.of_caller(kind, &one, &working);
        connection.zcard(index).unwrap()
    });
    assert_eq!(counts, [0, 1]);
    let index = a.process.of_caller("tasks-finished", &one, &working);
    assert!(connection.pttl::<_, i64>(index).unwrap() > 0);
}

#[tokio::test]
async fn unavailable_store_is_an_error() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let store = store(&redis);
    let one = key("alice", "1");
    redis.kill();
    let put = store.put(&one, task("working", false)).await;
    assert_eq!(put, Err(TaskStoreError::Unavailable));
    let get = store.get(&one).await.map(|_| ());
    assert_eq!(get, Err(TaskStoreError::Unavailable));
}
