//! Subscriptions that follow tasks.

use super::*;

/// Reads the next notification of a subscription; returns the task in it.
async fn next_of(changes: &mut Subscription) -> Value {
    let mut change = timeout(Duration::from_secs(60), changes.next()).await;
    let change = change.as_mut().unwrap().as_mut().unwrap();
    assert_eq!(change["method"], "notifications/tasks");
    let mut task = change["params"].take();
    let meta = task.as_object_mut().unwrap().remove("_meta").unwrap();
    assert!(
        meta["io.modelcontextprotocol/subscriptionId"].is_i64(),
        "{meta}"
    );
    task
}

/// Without what belongs to the result of `tasks/get` alone.
async fn state_of(task: &TestTask<'_>) -> Value {
    let mut state = task.get().await.unwrap();
    let members = state.as_object_mut().unwrap();
    members.remove("resultType");
    members.remove("_meta");
    state
}

#[tokio::test(start_paused = true)]
async fn subscription_follows_a_task_to_its_end() {
    let gates = Gates::default();
    let server = server(&gates);
    let client = tasks(&server).await;
    let task = client.call_as_task("wait", json!({})).await;
    gates.started.notified().await;
    let other = client.call_as_task("wait", json!({})).await;
    gates.started.notified().await;
    let filter = SubscriptionFilter::new().task(task.id()).task(task.id());
    let mut changes = client.subscribe(filter.task("made-up")).await.unwrap();
    assert_eq!(changes.acknowledged(), &json!({"taskIds": [task.id()]}));
    // The present state comes first, so no change is missed.
    assert_eq!(next_of(&mut changes).await, state_of(&task).await);
    other.cancel().await.unwrap();
    gates.open.notify_one();
    gates.started.notified().await;
    let changed = next_of(&mut changes).await;
    assert_eq!(changed["statusMessage"], "nearly done");
    assert_eq!(changed, state_of(&task).await);
    gates.open.notify_one();
    let ended = next_of(&mut changes).await;
    assert_eq!(ended["status"], "completed");
    assert_eq!(ended["result"]["content"][0]["text"], "done");
    let mut state = state_of(&task).await;
    // It counts from the creation, so it grows until the task is stored.
    state["ttlMs"] = ended["ttlMs"].clone();
    assert_eq!(ended, state);
    // One that has ended is announced once.
    let mut changes = client
        .subscribe(SubscriptionFilter::new().task(task.id()))
        .await
        .unwrap();
    assert_eq!(next_of(&mut changes).await["status"], "completed");
    advance(Duration::from_secs(5)).await;
    assert_eq!(changes.try_next(), None);
}

#[tokio::test(start_paused = true)]
async fn subscription_brings_questions_and_the_latest_state_only() {
    let gates = Gates::default();
    let server = server(&gates);
    let client = modern(&server)
        .capabilities(json!({"elicitation": {}}))
        .tasks();
    let client = client.connect().await;
    let task = client.call_as_task("greet", json!({})).await;
    let mut changes = client
        .subscribe(SubscriptionFilter::new().task(task.id()))
        .await
        .unwrap();
    let asked = loop {
        let state = next_of(&mut changes).await;
        if state["status"] == "input_required" {
            break state;
        }
    };
    let key = asked["inputRequests"]
        .as_object()
        .unwrap()
        .keys()
        .next()
        .unwrap();
    let answer = json!({(key): {"action": "accept", "content": {"name": "Ada"}}});
    task.update(answer).await.unwrap();
    let ended = loop {
        let state = next_of(&mut changes).await;
        if state["status"] != "working" {
            break state;
        }
    };
    assert_eq!(ended["result"]["content"][0]["text"], "Hello, Ada!");
}

#[tokio::test]
async fn only_own_tasks_are_followed_and_only_with_the_extension() {
    let gates = Gates::default();
    let server = server(&gates);
    let alice = Principal::new("alice", ["jobs"]);
    let client = modern(&server).principal(alice).tasks().connect().await;
    let task = client.call_as_task("wait", json!({})).await;
    let job = client.call_as_task("job", json!({})).await;
    job.ended().await;
    let filter = || {
        SubscriptionFilter::new()
            .task(task.id())
            .task(job.id())
            .tools()
    };
    let bob = Principal::new("bob", ["jobs"]);
    let bob = modern(&server).principal(bob).tasks().connect().await;
    let mut theirs = bob.subscribe(filter()).await.unwrap();
    assert_eq!(theirs.acknowledged(), &json!({"toolsListChanged": true}));
    // The same caller, without the scope of one of the tools.
    let less = Principal::new("alice", [""; 0]);
    let less = modern(&server).principal(less).tasks().connect().await;
    let followed = less.subscribe(filter()).await.unwrap();
    assert_eq!(followed.acknowledged()["taskIds"], json!([task.id()]));
    task.cancel().await.unwrap();
    assert_eq!(theirs.try_next(), None);

    let plain = modern(&server).connect().await;
    let Err(RequestError::Protocol { code, data, .. }) = plain.subscribe(filter()).await else {
        panic!("followed");
    };
    assert_eq!(code, -32021);
    let required = json!({"requiredCapabilities": {"extensions": {TASKS: {}}}});
    assert_eq!(data, Some(required));
    let ids = |ids: Value| json!({"notifications": {"taskIds": ids}});
    let many: Vec<_> = (0..1_001).map(|id| id.to_string()).collect();
    for wrong in [json!("x"), json!([1]), json!(many)] {
        let refused = bob.request("subscriptions/listen", ids(wrong)).await;
        assert_eq!(code_of(refused), -32602);
    }
    // A server without tasks does not know the member.
    let server = Server::builder("plain", "1").build().unwrap();
    let client = modern(&server).connect().await;
    let followed = client
        .subscribe(SubscriptionFilter::new().task("x"))
        .await
        .unwrap();
    assert_eq!(followed.acknowledged(), &json!({}));
}
