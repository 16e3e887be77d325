//! Questions of tasks: their answers, limits and permits.

use super::*;

#[tokio::test(start_paused = true)]
async fn question_of_a_task_waits_for_the_update() {
    let server = server(&Gates::default());
    let client = modern(&server)
        .capabilities(json!({"elicitation": {}}))
        .tasks();
    let client = client.connect().await;
    let task = client.call_as_task("greet", json!({})).await;
    let asked = loop {
        let state = task.get().await.unwrap();
        if state["status"] == "input_required" {
            break state;
        }
        sleep(Duration::from_millis(1)).await;
    };
    let requests = asked["inputRequests"].as_object().unwrap();
    let (key, request) = requests.iter().next().unwrap();
    assert_eq!(requests.len(), 1);
    assert_eq!(request["method"], "elicitation/create");
    assert_eq!(request["params"]["message"], "Your name?");
    let ignored = json!({"made-up": {"action": "cancel"}});
    let ack = task.update(ignored).await.unwrap();
    assert_eq!(ack["resultType"], "complete");
    assert_eq!(task.get().await.unwrap(), asked);
    // A wrong answer: asked again, under another key.
    let wrong = json!({(key): {"action": "accept", "content": {"name": "Wilhelmina"}}});
    task.update(wrong.clone()).await.unwrap();
    let again = loop {
        let state = task.get().await.unwrap();
        if state["status"] == "input_required" {
            break state;
        }
        sleep(Duration::from_millis(1)).await;
    };
    let (next, request) = again["inputRequests"]
        .as_object()
        .unwrap()
        .iter()
        .next()
        .unwrap();
    assert_ne!(next, key);
    let message = request["params"]["message"].as_str().unwrap();
    assert!(message.contains("must have at most 5"), "{message}");
    task.update(wrong).await.unwrap();
    assert_eq!(
        task.get().await.unwrap()["status"],
        "input_required",
        "answered before"
    );
    let right = json!({(next): {"action": "accept", "content": {"name": "Ada"}}});
    task.update(right).await.unwrap();
    assert_eq!(task.result().await.text(), "Hello, Ada!");

    // A client that declares no elicitation is not asked.
    let client = tasks(&server).await;
    let failed = client.call_as_task("greet", json!({})).await.ended().await;
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["error"]["code"], -32021);
    let missing = client.task("x").update(Value::Null).await;
    assert_eq!(code_of(missing), -32602);
}

/// Waits until a task asks; returns the key of its question.
async fn question_of(task: &TestTask<'_>) -> String {
    loop {
        let state = task.get().await.unwrap();
        if state["status"] == "input_required" {
            let requests = state["inputRequests"].as_object().unwrap();
            return requests.keys().next().unwrap().clone();
        }
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn task_lends_the_permit_of_its_tool_while_it_waits_for_an_answer() {
    let gates = Gates::default();
    let server = server(&gates);
    let client = modern(&server)
        .capabilities(json!({"elicitation": {}}))
        .tasks();
    let client = client.connect().await;
    let first = client.call_as_task("greet_one", json!({})).await;
    let question = question_of(&first).await;
    // The permit is free: another task of the tool runs, and asks too.
    let second = client.call_as_task("greet_one", json!({})).await;
    let other = question_of(&second).await;
    let answer =
        |key: &str, name: &str| json!({(key): {"action": "accept", "content": {"name": name}}});
    first.update(answer(&question, "Ada")).await.unwrap();
    gates.started.notified().await;
    // Now the first one has the permit, so the second one waits for it.
    second.update(answer(&other, "Eve")).await.unwrap();
    let waited = timeout(Duration::from_secs(60), gates.started.notified()).await;
    assert!(waited.is_err());
    gates.open.notify_one();
    assert_eq!(first.result().await.text(), "Hello, Ada!");
    gates.started.notified().await;
    gates.open.notify_one();
    assert_eq!(second.result().await.text(), "Hello, Eve!");
}

#[tokio::test(start_paused = true)]
async fn unanswered_question_ends_with_words() {
    let server = server(&Gates::default());
    let client = modern(&server)
        .capabilities(json!({"elicitation": {}}))
        .tasks();
    let client = client.connect().await;
    let result = client.call_as_task("greet", json!({})).await.result().await;
    assert!(result.is_error());
    assert!(
        result.text().contains("did not answer"),
        "{}",
        result.text()
    );
}

#[tokio::test(start_paused = true)]
async fn handler_asks_before_and_after_its_task_begins() {
    let server = server(&Gates::default());
    let accept = |name: &str| Answer::accept(json!({"name": name}));
    let client = modern(&server).answers([accept("Ada"), accept("Bob")]);
    let client = client.tasks().connect().await;
    let task = client.call_as_task("order", json!({})).await;
    assert_eq!(client.asked().len(), 1);
    assert!(task.created().get("requestState").is_none());
    assert_eq!(task.result().await.text(), "for Ada, paid by Bob");
    // It need not become one.
    let client = modern(&server).answers([Answer::decline()]);
    let client = client.tasks().connect().await;
    let result = client.call("order", json!({})).await;
    assert_eq!(result.text(), "Nothing was ordered.");
    // Without a script of answers, the first answer is the question.
    let client = modern(&server).capabilities(json!({"elicitation": {}}));
    let client = client.tasks().connect().await;
    let asked = client.call("order", json!({})).await;
    assert_eq!(asked.json()["resultType"], "input_required");
    assert!(asked.json().get("taskId").is_none());
    // A client that waits for the result answers both.
    let client = modern(&server).answers([accept("Ada"), accept("Eve")]);
    let client = client.connect().await;
    let result = client.call("order", json!({})).await;
    assert_eq!(result.text(), "for Ada, paid by Eve");
}
