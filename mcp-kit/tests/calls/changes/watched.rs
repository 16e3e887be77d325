//! Resources that clients watch, and their updates.

use super::*;

const COUNTER: &str = "watched://counter";

/// Never the same.
#[resource(uri = "watched://counter")]
async fn counter() -> &'static str {
    "1"
}

/// Needs the scope `admin`.
#[resource(uri = "secret://admin", scope = "admin")]
async fn secrets() -> &'static str {
    "secret"
}

/// Announces a change of the counter.
#[tool]
async fn bump(updates: ResourceUpdates) -> &'static str {
    updates.notify(COUNTER);
    "bumped"
}

fn watched() -> (Server, ResourceUpdates) {
    let updates = ResourceUpdates::new();
    let server = Server::builder("test", "1")
        .resource_updates(updates.clone())
        .resource::<counter>()
        .resource::<secrets>()
        .add(mcp_kit::resource::from_fn(
            ResourceDefinition::new("item://{id}", "item"),
            async |_: Call| Ok::<_, Error>("an item"),
        ))
        .tool::<bump>()
        .without_call_log()
        .limits(|limits| limits.uris_per_subscription = 3)
        .build()
        .unwrap();
    tick_on_timers(&server);
    (server, updates)
}

async fn watch(client: &TestClient, uri: &str) -> Subscription {
    let filter = SubscriptionFilter::new().resource(uri);
    client.subscribe(filter).await.unwrap()
}

async fn assert_updated(changes: &mut Subscription, uri: &str) {
    let update = timeout(Duration::from_secs(5), changes.next()).await;
    let update = update.unwrap().unwrap();
    assert_eq!(update["method"], "notifications/resources/updated");
    assert_eq!(update["params"]["uri"], uri);
    assert_silent(changes).await;
}

#[tokio::test(start_paused = true)]
async fn updates_reach_clients_that_watch_the_resource() {
    for version in ERAS {
        let (server, updates) = watched();
        let client = connect(&server, version, &[]).await;
        updates.notify(COUNTER); // before anybody watches
        let mut counter = watch(&client, COUNTER).await;
        assert_eq!(
            counter.acknowledged()["resourceSubscriptions"],
            json!([COUNTER])
        );
        let mut item = watch(&client, "item://%61").await;
        assert_silent(&mut counter).await;

        updates.notify(COUNTER);
        assert_updated(&mut counter, COUNTER).await;
        client.call("bump", json!({})).await;
        assert_updated(&mut counter, COUNTER).await;
        // Many at once are one.
        for _ in 0..10_000 {
            server.updates().notify(COUNTER);
        }
        assert_updated(&mut counter, COUNTER).await;
        // The client's own way to write the URI.
        assert_silent(&mut item).await;
        updates.notify("item://a");
        assert_updated(&mut item, "item://%61").await;
        for none in ["item://b", "secret://admin", "no uri", ""] {
            updates.notify(none);
        }
        assert_silent(&mut item).await;
        assert_silent(&mut counter).await;
    }
}

#[tokio::test(start_paused = true)]
async fn watching_ends_when_the_client_ends_it() {
    let (server, updates) = watched();
    let modern = connect(&server, ERAS[1], &[]).await;
    let one = watch(&modern, COUNTER).await;
    let mut two = watch(&modern, COUNTER).await;
    one.cancel().await;
    updates.notify(COUNTER);
    assert_updated(&mut two, COUNTER).await;
    two.cancel().await;

    let legacy = connect(&server, ERAS[0], &[]).await;
    let mut counter = watch(&legacy, COUNTER).await;
    updates.notify(COUNTER);
    assert_updated(&mut counter, COUNTER).await;
    let params = json!({"uri": COUNTER});
    for _ in 0..2 {
        let done = legacy
            .request("resources/unsubscribe", params.clone())
            .await;
        assert_eq!(done.unwrap(), json!({}));
    }
    updates.notify(COUNTER);
    assert_silent(&mut counter).await;
    assert_eq!(format!("{updates:?}"), "ResourceUpdates { watched: 0 }");

    // A client that leaves watches nothing any more.
    let _all = watch(&legacy, COUNTER).await;
    assert_eq!(format!("{updates:?}"), "ResourceUpdates { watched: 1 }");
    legacy.close().await;
    assert_eq!(format!("{updates:?}"), "ResourceUpdates { watched: 0 }");
}

#[tokio::test(start_paused = true)]
async fn resource_that_a_client_may_not_read_cannot_be_watched() {
    let (server, updates) = watched();
    let legacy = connect(&server, ERAS[0], &[]).await;
    let mut refusals = Vec::new();
    for uri in ["secret://admin", "never://there"] {
        let filter = SubscriptionFilter::new().resource(uri);
        let refused = legacy.subscribe(filter).await.unwrap_err();
        assert_eq!(refused.code(), Some(-32002));
        refusals.push(format!("{refused:?}").replace(uri, ""));
    }
    assert_eq!(refusals[0], refusals[1]);

    let modern = connect(&server, ERAS[1], &[]).await;
    let filter = SubscriptionFilter::new()
        .resource("secret://admin")
        .resource("never://there")
        .resource(COUNTER);
    let mut some = modern.subscribe(filter).await.unwrap();
    let honoured = json!({"resourceSubscriptions": [COUNTER]});
    assert_eq!(*some.acknowledged(), honoured);
    updates.notify("secret://admin");
    assert_silent(&mut some).await;

    let admin = connect(&server, ERAS[1], &["admin"]).await;
    let mut secret = watch(&admin, "secret://admin").await;
    updates.notify("secret://admin");
    assert_updated(&mut secret, "secret://admin").await;
    // What is hidden later is not announced any more.
    server
        .registry()
        .hide(Kind::Resource, "secret://admin")
        .unwrap();
    updates.notify("secret://admin");
    assert_silent(&mut secret).await;
}

#[tokio::test(start_paused = true)]
async fn watched_resources_are_limited() {
    let (server, _updates) = watched();
    let modern = connect(&server, ERAS[1], &[]).await;
    let items = |number: usize| {
        let numbers = 0..number;
        let uris = numbers.map(|number| format!("item://{number}"));
        uris.fold(SubscriptionFilter::new(), SubscriptionFilter::resource)
    };
    let open = modern.subscribe(items(3)).await.unwrap();
    assert_eq!(open.acknowledged()["resourceSubscriptions"][2], "item://2");
    let refused = modern.subscribe(items(4)).await.unwrap_err();
    assert_eq!(refused.code(), Some(-32602));
    let large = format!("item://{}", "x".repeat(300 * 1024));
    let refused = modern
        .subscribe(SubscriptionFilter::new().resource(large))
        .await;
    assert_eq!(refused.unwrap_err().code(), Some(-32602));
    for wrong in [json!({}), json!([1]), json!("item://1"), json!([null])] {
        let params = json!({"notifications": {"resourceSubscriptions": wrong}});
        let refused = modern.request("subscriptions/listen", params).await;
        assert_eq!(refused.unwrap_err().code(), Some(-32602), "{wrong}");
    }

    let legacy = connect(&server, ERAS[0], &[]).await;
    let refused = legacy.subscribe(items(4)).await.unwrap_err();
    assert_eq!(refused.code(), Some(-32602));
    // An answer does not repeat a URI that is too long.
    let params = json!({"uri": format!("none://{}", "x".repeat(1 << 20))});
    let refused = legacy.request("resources/subscribe", params).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Some(-32602));
    assert!(refused.to_string().len() < 4_096);
    // The three that fitted are watched; one can be given up for another.
    let params = |uri: &str| json!({ "uri": uri });
    let unsubscribed = legacy.request("resources/unsubscribe", params("item://0"));
    unsubscribed.await.unwrap();
    legacy
        .subscribe(items(4).resource("item://0"))
        .await
        .unwrap_err();
}

#[tokio::test]
async fn server_without_resources_has_no_subscriptions_to_them() {
    let server = server();
    let legacy = connect(&server, ERAS[0], &[]).await;
    for method in ["resources/subscribe", "resources/unsubscribe"] {
        let refused = legacy.request(method, json!({"uri": COUNTER})).await;
        assert_eq!(refused.unwrap_err().code(), Some(-32601), "{method}");
    }
    let modern = connect(&server, ERAS[1], &[]).await;
    let filter = SubscriptionFilter::new().resource(COUNTER);
    let nothing = modern.subscribe(filter).await.unwrap();
    assert_eq!(*nothing.acknowledged(), json!({}));

    let (server, _updates) = watched();
    let modern = connect(&server, ERAS[1], &[]).await;
    let discovered = modern.request("server/discover", json!({})).await.unwrap();
    let declared = json!({"listChanged": true, "subscribe": true});
    assert_eq!(discovered["capabilities"]["resources"], declared);
}
