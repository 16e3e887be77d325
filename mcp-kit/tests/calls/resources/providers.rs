//! Providers: resources that are known only when they are listed or read.

use super::*;

/// Numbered rows, of which some are gone.
struct Rows {
    definition: ResourceDefinition,
    rows: std::sync::Mutex<Vec<u32>>,
    lists: AtomicUsize,
    page: usize,
}

impl Rows {
    fn new(template: &'static str, rows: impl IntoIterator<Item = u32>, page: usize) -> Self {
        Self {
            definition: ResourceDefinition::new(template, "rows").with_mime_type("text/plain"),
            rows: std::sync::Mutex::new(rows.into_iter().collect()),
            lists: AtomicUsize::new(0),
            page,
        }
    }

    fn uri(&self, row: u32) -> String {
        let template = self.definition.template().unwrap();
        template
            .expand([("row", row.to_string().as_str())])
            .unwrap()
    }
}

#[mcp_kit::async_trait]
impl ResourceProvider for Rows {
    fn definition(&self) -> &ResourceDefinition {
        &self.definition
    }

    async fn list(&self, call: Call, cursor: Option<&str>) -> Result<ResourcePage, Error> {
        self.lists.fetch_add(1, Ordering::Relaxed);
        assert!(call.uri().is_none());
        let after = match cursor {
            None => 0,
            Some(cursor) => cursor
                .parse()
                .map_err(|_| Error::not_found("unknown cursor"))?,
        };
        let rows = self.rows.lock().unwrap();
        let later: Vec<u32> = rows.iter().copied().filter(|row| *row > after).collect();
        let page = later.iter().take(self.page);
        let links = page.map(|row| ResourceLink::new(self.uri(*row), format!("row {row}")));
        let page = ResourcePage::new(links.collect());
        Ok(match later.get(self.page - 1) {
            Some(last) if later.len() > self.page => page.with_next(last.to_string()),
            _ => page,
        })
    }

    async fn read(&self, call: Call) -> Result<Option<ResourceResult>, Error> {
        let row = call
            .uri()
            .and_then(|uri| uri.value("row")?.parse::<u32>().ok());
        let rows = self.rows.lock().unwrap();
        let row = row.filter(|row| rows.contains(row));
        Ok(row.map(|row| ResourceContents::from_text(format!("row {row}")).into()))
    }
}

fn uris(list: &[Value]) -> Vec<&str> {
    list.iter()
        .map(|item| item["uri"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn provider_completes_the_list_and_is_read() {
    let rows = std::sync::Arc::new(Rows::new("row://{row}", 1..=5, 2));
    let more = std::sync::Arc::new(Rows::new("more://{row}", 1..=2, 5));
    let server = Server::builder("test", "1")
        .resource_provider(std::sync::Arc::clone(&rows))
        .resource_provider(more)
        .resource::<index>()
        .build()
        .unwrap();
    let [legacy, modern] = both(&server).await;
    for client in [&legacy, &modern] {
        let list = client.list_resources().await;
        assert_eq!(
            uris(&list),
            [
                "docs://index",
                "row://1",
                "row://2",
                "row://3",
                "row://4",
                "row://5",
                "more://1",
                "more://2",
            ]
        );
        assert_eq!(list[1]["mimeType"], "text/plain");
        assert_eq!(client.list_resource_templates().await, [] as [Value; 0]);
        let row = client.read_resource("row://3").await;
        assert_eq!(
            row.contents(),
            [json!({"uri": "row://3", "mimeType": "text/plain", "text": "row 3"})]
        );
    }
    assert_eq!(failure(&legacy, "row://9").await.0, -32002);
    assert_eq!(failure(&modern, "row://9").await.0, -32602);
    // The first page has the server's own resources and the provider's first.
    let first = modern.request("resources/list", json!({})).await.unwrap();
    assert_eq!(uris(first["resources"].as_array().unwrap()).len(), 3);
    assert_eq!(first["cacheScope"], "private");
    // Rows that go and resources that come do not disturb a cursor.
    rows.rows
        .lock()
        .unwrap()
        .retain(|row| *row != 2 && *row != 3);
    server.registry().add(fixed("late://one")).unwrap();
    let params = json!({"cursor": first["nextCursor"]});
    let second = modern
        .request("resources/list", params.clone())
        .await
        .unwrap();
    assert_eq!(
        uris(second["resources"].as_array().unwrap()),
        ["row://4", "row://5"]
    );
    // A provider that is gone is passed over.
    server
        .registry()
        .remove(Kind::ResourceTemplate, "row://{row}")
        .unwrap();
    let third = modern.request("resources/list", params).await.unwrap();
    assert_eq!(
        uris(third["resources"].as_array().unwrap()),
        ["more://1", "more://2"]
    );
}

#[tokio::test]
async fn a_cursor_that_was_made_up_is_refused() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let rows = std::sync::Arc::new(Rows::new("row://{row}", 1..=5, 2));
    let server = Server::builder("test", "1")
        .resource_provider(rows)
        .build()
        .unwrap();
    for client in both(&server).await {
        for cursor in ["", "x", "0", "07", "99", "99:1", "1:many", ":", "-1:"] {
            let cursor = URL_SAFE_NO_PAD.encode(format!("resources{cursor}"));
            let list = client.request("resources/list", json!({"cursor": cursor}));
            let error = list.await.unwrap_err();
            assert_eq!(error.code(), Some(-32602), "{cursor}");
            assert!(error.to_string().contains("unknown cursor"), "{error}");
        }
    }
}

/// A provider that breaks its promises.
struct Wrong(ResourceDefinition, fn() -> ResourcePage);

#[mcp_kit::async_trait]
impl ResourceProvider for Wrong {
    fn definition(&self) -> &ResourceDefinition {
        &self.0
    }

    async fn list(&self, _: Call, _: Option<&str>) -> Result<ResourcePage, Error> {
        Ok(self.1())
    }

    async fn read(&self, _: Call) -> Result<Option<ResourceResult>, Error> {
        Ok(None)
    }
}

#[tokio::test]
async fn a_providers_mistakes_are_internal_errors() {
    let pages: [fn() -> ResourcePage; 3] = [
        || ResourcePage::new(vec![ResourceLink::new("other://1", "row")]),
        || ResourcePage::new(vec![ResourceLink::new("row://1", "row"); 11]),
        || ResourcePage::new(Vec::new()).with_next("x".repeat(1_025)),
    ];
    for page in pages {
        let definition = ResourceDefinition::new("row://{row}", "rows");
        let server = Server::builder("test", "1")
            .resource_provider(Wrong(definition, page))
            .limits(|limits| limits.page_items = 10);
        let server = server.build().unwrap();
        for client in both(&server).await {
            let error = client
                .request("resources/list", json!({}))
                .await
                .unwrap_err();
            assert_eq!(error.code(), Some(-32603), "{error}");
            assert!(
                error.to_string().starts_with("An internal error occurred"),
                "{error}"
            );
        }
    }
    let fixed = ResourceDefinition::new("row://1", "rows");
    let error = Server::builder("test", "1")
        .resource_provider(Wrong(fixed, ResourcePage::default))
        .build();
    let error = error.unwrap_err().to_string();
    assert!(error.contains("a provider needs a template"), "{error}");
}

#[tokio::test]
async fn a_providers_scope_hides_its_list_and_its_resources() {
    let rows = std::sync::Arc::new(Rows::new("row://{row}", 1..=5, 9));
    let registration = mcp_kit::registry::Registration::of_provider(std::sync::Arc::clone(&rows));
    let router = Router::new().add(registration).scope("rows");
    let server = Server::builder("test", "1")
        .merge(router)
        .local_scopes(["other"]);
    let server = server.build().unwrap();
    for client in both(&server).await {
        assert_eq!(client.list_resources().await, [] as [Value; 0]);
        let (_, message, data) = failure(&client, "row://1").await;
        assert_eq!(
            (message.as_str(), data),
            ("Resource not found", json!({"uri": "row://1"}))
        );
    }
    assert_eq!(rows.lists.load(Ordering::Relaxed), 0);
    let known = TestClient::builder(&server).principal(Principal::new("ada", ["rows"]));
    assert_eq!(known.connect().await.list_resources().await.len(), 5);
}

#[tokio::test]
async fn readable_by_filters_a_providers_list() {
    let rows = std::sync::Arc::new(Rows::new("row://{row}", 1..=5, 9));
    let odd = |_: &Principal, uri: &ResourceUri| {
        uri.value("row")
            .is_some_and(|row| row.ends_with(['1', '3', '5']))
    };
    let registration = mcp_kit::registry::Registration::of_provider(rows).readable_by(odd);
    let server = Server::builder("test", "1")
        .add(registration)
        .build()
        .unwrap();
    for client in both(&server).await {
        assert_eq!(
            uris(&client.list_resources().await),
            ["row://1", "row://3", "row://5"]
        );
        assert_eq!(failure(&client, "row://2").await.1, "Resource not found");
        assert_eq!(client.read_resource("row://3").await.text(), "row 3");
    }
}

#[tokio::test]
async fn the_page_limit_holds_in_front_of_a_provider() {
    let rows = std::sync::Arc::new(Rows::new("row://{row}", 1..=3, 2));
    let server = Server::builder("test", "1")
        .add(fixed("a://1"))
        .add(fixed("a://2"))
        .add(fixed("a://3"))
        .resource_provider(rows)
        .limits(|limits| limits.page_items = 2)
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let mut pages = Vec::new();
    let mut params = json!({});
    loop {
        let page = client.request("resources/list", params).await.unwrap();
        pages.push(uris(page["resources"].as_array().unwrap()).join(" "));
        match page.get("nextCursor") {
            Some(cursor) => params = json!({"cursor": cursor}),
            None => break,
        }
    }
    assert_eq!(pages, ["a://1 a://2", "a://3 row://1 row://2", "row://3"]);
}

/// An extractor sees the URI like a handler.
#[tokio::test]
async fn the_uri_reaches_handlers_middlewares_and_extractors() {
    struct Seen(String);
    impl FromCall for Seen {
        async fn from_call(call: &mut Call) -> Result<Self, Error> {
            let uri = call.uri().map(ResourceUri::as_str).unwrap_or_default();
            Ok(Self(format!(
                "{} {} {uri}",
                call.kind().as_str(),
                call.name()
            )))
        }
    }
    #[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
    struct Where {
        #[garde(skip)]
        path: String,
    }
    /// Tells how it was read.
    #[resource(uri = "where://{+path}")]
    async fn place(args: Where, Seen(seen): Seen) -> String {
        format!("{seen} {}", args.path)
    }
    let server = Server::builder("test", "1")
        .resource::<place>()
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let uri = "where://..%2F..%2Fetc/pass%2577d";
    let seen = client.read_resource(uri).await;
    assert_eq!(
        seen.text(),
        format!("resource_template where://{{+path}} {uri} ../../etc/pass%77d")
    );
}

/// A provider that changes announces it to callers that see it, and to no others.
#[tokio::test(start_paused = true)]
async fn a_provider_announces_that_its_resources_have_changed() {
    let rows = std::sync::Arc::new(Rows::new("row://{row}", 1..=2, 9));
    let registration = mcp_kit::registry::Registration::of_provider(std::sync::Arc::clone(&rows));
    let router = Router::new().add(registration).scope("rows");
    let server = Server::builder("test", "1").merge(router).build().unwrap();
    mcp_kit::testing::tick_on_timers(&server);
    let follow = async |scope: &'static str| {
        let client = TestClient::builder(&server)
            .principal(Principal::new("me", [scope]))
            .version(mcp_kit::protocol::ProtocolVersion::V2026_07_28)
            .connect()
            .await;
        let filter = mcp_kit::testing::SubscriptionFilter::new().resources();
        let changes = client.subscribe(filter).await.unwrap();
        (client, changes)
    };
    let (client, mut seen) = follow("rows").await;
    let (_other, mut unseen) = follow("other").await;
    rows.rows.lock().unwrap().push(3);
    server.registry().provider_changed("row://{row}");
    server.registry().provider_changed("other://{row}");
    let patience = Duration::from_secs(5);
    let change = tokio::time::timeout(patience, seen.next()).await;
    let change = change.unwrap().unwrap();
    assert_eq!(change["method"], "notifications/resources/list_changed");
    assert_eq!(client.list_resources().await.len(), 3);
    assert!(tokio::time::timeout(patience, unseen.next()).await.is_err());
}
