//! Skills that are loaded again while the server runs.

use std::time::Duration;

use mcp_kit::testing::{Subscription, SubscriptionFilter, TestClient, tick_on_timers};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Folder, serve, skill_md, uris};

async fn next(changes: &mut Subscription) -> Value {
    let next = timeout(Duration::from_secs(5), changes.next()).await;
    next.expect("a change").expect("an open subscription")
}

async fn assert_silent(changes: &mut Subscription) {
    let more = timeout(Duration::from_secs(5), changes.next()).await;
    assert!(more.is_err(), "{more:?}");
}

async fn listed(client: &TestClient) -> Vec<String> {
    let list = client.request("skills/list", json!({})).await.unwrap();
    uris(list["skills"].as_array().unwrap())
}

#[tokio::test(start_paused = true)]
async fn reload_serves_the_new_files_and_notifies_those_who_follow_them() {
    let folder = Folder::with(&[
        ("a/SKILL.md", &skill_md("a")),
        ("a/steps.md", "one"),
        ("a/same.md", "same"),
    ]);
    let skills = folder.load().unwrap();
    let server = serve(&skills);
    tick_on_timers(&server);
    let client = TestClient::modern(&server).await;
    let filter = SubscriptionFilter::new().resources();
    let filter = filter
        .resource("skill://a/steps.md")
        .resource("skill://a/same.md");
    let mut changes = client.subscribe(filter).await.unwrap();

    assert!(!skills.reload(&server).unwrap());
    assert_silent(&mut changes).await;

    folder.write("a/steps.md", "two");
    folder.write("b/SKILL.md", skill_md("b"));
    assert!(skills.reload(&server).unwrap());
    let mut methods = [next(&mut changes).await, next(&mut changes).await].map(|change| {
        let uri = change["params"]["uri"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        (
            change["method"].as_str().unwrap_or_default().to_owned(),
            uri,
        )
    });
    methods.sort();
    let expected = [
        ("notifications/resources/list_changed", ""),
        ("notifications/resources/updated", "skill://a/steps.md"),
    ];
    assert_eq!(
        methods,
        expected.map(|(method, uri)| (method.to_owned(), uri.to_owned()))
    );
    assert_silent(&mut changes).await;
    assert_eq!(
        listed(&client).await,
        ["skill://a/SKILL.md", "skill://b/SKILL.md"]
    );
    assert_eq!(
        client.read_resource("skill://a/steps.md").await.text(),
        "two"
    );
    assert_eq!(skills.entries().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn failed_reload_changes_nothing() {
    let folder = Folder::with(&[("a/SKILL.md", &skill_md("a"))]);
    let skills = folder.load().unwrap();
    let server = serve(&skills);
    tick_on_timers(&server);
    let client = TestClient::modern(&server).await;
    let filter = SubscriptionFilter::new().resources();
    let mut changes = client.subscribe(filter).await.unwrap();
    folder.write("a/SKILL.md", "broken");
    folder.write("b/SKILL.md", skill_md("b"));
    let error = skills.reload(&server).unwrap_err();
    assert_eq!(error.problems().len(), 1, "{error}");
    assert_silent(&mut changes).await;
    assert_eq!(listed(&client).await, ["skill://a/SKILL.md"]);
    let text = client.read_resource("skill://a/SKILL.md").await.text();
    assert_eq!(text, skill_md("a"));
}
