//! Resources: listed, read and refused like every other primitive.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use garde::Validate;
use mcp_kit::call::Call;
use mcp_kit::content::ResourceLink;
use mcp_kit::extract::FromCall;
use mcp_kit::prelude::*;
use mcp_kit::primitive::Kind;
use mcp_kit::resource::{
    ResourceAnnotations, ResourceContents, ResourceDefinition, ResourcePage, ResourceProvider,
    ResourceResult, ResourceUri, Role, from_fn,
};
use mcp_kit::testing::TestClient;
use mcp_kit::{Error, Router};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// The first page.
#[resource(
    uri = "docs://index",
    title = "Index",
    mime_type = "text/markdown",
    size = 7,
    audience(user, assistant),
    priority = 0.5
)]
async fn index() -> &'static str {
    "# Index"
}

/// A point.
#[resource(uri = "blob://pixel", name = "pixel.png", mime_type = "image/png")]
async fn pixel() -> Vec<u8> {
    b"\x89PNG".to_vec()
}

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct NoteArgs {
    /// The owner of the note.
    #[garde(length(chars, min = 1, max = 20), ascii)]
    owner: String,
    /// The number of the note.
    #[garde(range(min = 1, max = 100))]
    id: u8,
    /// How it is shown.
    #[garde(skip)]
    form: Option<Form>,
}

#[derive(Debug, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "lowercase")]
enum Form {
    Plain,
    Loud,
}

/// A note.
#[resource(uri = "note://{owner}/{id}{?form}", mime_type = "text/plain")]
async fn note(args: NoteArgs, uri: ResourceUri) -> Option<String> {
    assert_eq!(uri.value("owner"), Some(args.owner.as_str()));
    let text = format!("note {} of {}", args.id, args.owner);
    (args.id != 13).then(|| match args.form {
        Some(Form::Loud) => text.to_uppercase(),
        Some(Form::Plain) | None => text,
    })
}

fn server() -> Server {
    let server = Server::builder("test", "1")
        .resource::<index>()
        .resource::<pixel>()
        .resource::<note>();
    server.build().unwrap()
}

/// One client of each era.
async fn both(server: &Server) -> [TestClient; 2] {
    [
        TestClient::new(server).await,
        TestClient::modern(server).await,
    ]
}

/// The code, message and data of a failed read.
async fn failure(client: &TestClient, uri: &str) -> (i64, String, Value) {
    let error = client.read_resource(uri).outcome().await.unwrap_err();
    let mcp_kit::testing::RequestError::Protocol {
        code,
        message,
        data,
    } = error
    else {
        panic!("{error}");
    };
    (code, message, data.unwrap_or_default())
}

#[tokio::test]
async fn resources_are_listed_as_the_specification_has_them() {
    for client in both(&server()).await {
        assert_eq!(
            client.list_resources().await,
            [
                json!({
                    "uri": "docs://index",
                    "name": "index",
                    "title": "Index",
                    "description": "The first page.",
                    "mimeType": "text/markdown",
                    "size": 7,
                    "annotations": {"audience": ["user", "assistant"], "priority": 0.5},
                }),
                json!({
                    "uri": "blob://pixel",
                    "name": "pixel.png",
                    "description": "A point.",
                    "mimeType": "image/png",
                }),
            ]
        );
        assert_eq!(
            client.list_resource_templates().await,
            [json!({
                "uriTemplate": "note://{owner}/{id}{?form}",
                "name": "note",
                "description": "A note.",
                "mimeType": "text/plain",
            })]
        );
    }
    let definition = &server().resources()[0];
    let annotations = ResourceAnnotations::new()
        .with_audience(Role::User)
        .with_audience(Role::Assistant)
        .with_priority(0.5);
    assert_eq!(definition.annotations(), &annotations);
}

#[tokio::test]
async fn text_bytes_and_templates_are_read() {
    let server = server();
    let [legacy, modern] = both(&server).await;
    for client in [&legacy, &modern] {
        let index = client.read_resource("docs://index").await;
        assert_eq!(
            index.contents(),
            [json!({"uri": "docs://index", "mimeType": "text/markdown", "text": "# Index"})]
        );
        let pixel = client.read_resource("blob://pixel").await;
        assert_eq!(pixel.bytes().as_deref(), Some(b"\x89PNG".as_slice()));
        assert_eq!(pixel.contents()[0]["mimeType"], "image/png");
        let note = client.read_resource("note://ada/7").await;
        assert_eq!(note.text(), "note 7 of ada");
        assert_eq!(note.contents()[0]["uri"], "note://ada/7");
        let note = client.read_resource("note://%61da/7?form=loud").await;
        assert_eq!(note.text(), "NOTE 7 OF ADA");
    }
    let modern = modern.read_resource("docs://index").await;
    let result = modern.json();
    assert_eq!(result["resultType"], "complete");
    assert_eq!(
        (&result["ttlMs"], &result["cacheScope"]),
        (&json!(0), &json!("private"))
    );
    let legacy = legacy.read_resource("docs://index").await;
    assert_eq!(legacy.json().as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn unknown_uris_have_the_code_of_their_era() {
    let server = server();
    let [legacy, modern] = both(&server).await;
    // `note` returns `None` for the last.
    for uri in [
        "docs://other",
        "other://index",
        "note://ada",
        "note://ada/13",
    ] {
        for (client, code) in [(&legacy, -32002), (&modern, -32602)] {
            let expected = (code, "Resource not found".to_owned(), json!({"uri": uri}));
            assert_eq!(failure(client, uri).await, expected);
        }
    }
    for (uri, words) in [
        ("index", "must begin with a scheme"),
        ("docs://a b", "percent-encode"),
        ("docs://%zz", "hexadecimal"),
        (
            &format!("docs://{}", "x".repeat(2_048)),
            "longer than 2048 bytes",
        ),
    ] {
        for client in [&legacy, &modern] {
            let (code, message, _) = failure(client, uri).await;
            assert_eq!(code, -32602, "{uri}");
            assert!(message.contains(words), "{uri}: {message}");
        }
    }
    let missing = legacy
        .request("resources/read", json!({}))
        .await
        .unwrap_err();
    assert_eq!(missing.code(), Some(-32602));
}

#[tokio::test]
async fn values_that_break_rules_are_refused_with_the_whole_report() {
    for client in both(&server()).await {
        let uri = "note://%C3%A9/101?form=quiet&frm=loud";
        let (code, message, data) = failure(&client, uri).await;
        assert_eq!(
            (code, &data["reason"]),
            (-32602, &json!("invalid_arguments"))
        );
        assert_eq!(
            message,
            "Invalid arguments: owner: must contain only ASCII characters; id: must be at most 100; form: must be \"plain\", \"loud\" or null; unknown argument \"frm\" (did you mean \"form\"?)",
        );
        let (_, message, _) = failure(&client, "note://ada/x").await;
        assert_eq!(message, "Invalid arguments: id: must be a whole number");
        let (_, message, _) = failure(&client, "note://ada/1?form=loud&form=plain").await;
        assert!(message.contains("form"), "{message}");
    }
}

/// Text from a URI is the only form that a value can have, so strictness changes
/// nothing.
#[tokio::test]
async fn values_are_read_as_text_by_a_strict_server_too() {
    let server = Server::builder("test", "1")
        .resource::<note>()
        .strict_arguments();
    let server = server.build().unwrap();
    for client in both(&server).await {
        let note = client.read_resource("note://ada/7").await;
        assert_eq!(note.text(), "note 7 of ada");
    }
}

#[tokio::test]
async fn failures_are_protocol_errors_and_leak_nothing() {
    /// Fails.
    #[resource(uri = "leak://db")]
    async fn leak() -> Result<String, Error> {
        Err(std::io::Error::other("postgres://prod_admin:hunter2@db"))?
    }
    /// Panics.
    #[resource(uri = "panic://now")]
    async fn panics() -> String {
        panic!("hunter2")
    }
    /// Sleeps.
    #[resource(uri = "slow://now", timeout = "500ms")]
    async fn slow() -> &'static str {
        tokio::time::sleep(Duration::from_secs(60)).await;
        "slept"
    }
    /// Refuses.
    #[resource(uri = "busy://now")]
    async fn busy() -> Result<&'static str, Error> {
        Err(Error::user("Try again at noon."))
    }
    /// Is large.
    #[resource(uri = "big://now", result_bytes = 65_536)]
    async fn big() -> String {
        "x".repeat(70_000)
    }
    let server = Server::builder("test", "1")
        .resource::<leak>()
        .resource::<panics>()
        .resource::<slow>()
        .resource::<busy>()
        .resource::<big>()
        .build()
        .unwrap();
    tokio::time::pause();
    for client in both(&server).await {
        for uri in ["leak://db", "panic://now"] {
            let (code, message, data) = failure(&client, uri).await;
            assert_eq!(code, -32603);
            assert!(
                message.starts_with("An internal error occurred (reference "),
                "{message}"
            );
            let all = format!("{message} {data}");
            assert!(
                !all.contains("hunter2") && !all.contains("postgres"),
                "{all}"
            );
        }
        let (code, message, data) = failure(&client, "slow://now").await;
        assert_eq!((code, &data["reason"]), (-32603, &json!("timeout")));
        assert!(
            message.starts_with("The resource timed out after 500 ms."),
            "{message}"
        );
        let (code, message, _) = failure(&client, "busy://now").await;
        assert_eq!((code, message.as_str()), (-32603, "Try again at noon."));
        let (code, message, _) = failure(&client, "big://now").await;
        assert_eq!(code, -32603);
        assert!(message.contains("more than the 65536"), "{message}");
    }
}

#[tokio::test]
async fn hidden_resources_do_not_exist() {
    /// For administrators.
    #[resource(uri = "secret://admin", scope = "admin")]
    async fn secret() -> &'static str {
        "welcome"
    }
    #[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
    struct Room {
        #[garde(skip)]
        name: String,
    }
    /// For administrators.
    #[resource(uri = "secret://rooms/{name}", scope = "admin")]
    async fn room(room: Room) -> String {
        room.name
    }
    let fallback = ResourceDefinition::new("secret://{+rest}", "rest");
    let fallback = from_fn(fallback, async |call: Call| {
        call.uri().map(|uri| uri.as_str().to_owned())
    });
    let server = Server::builder("test", "1")
        .resource::<secret>()
        .resource::<room>()
        .add(fallback)
        .local_scopes(["other"]);
    let server = server.build().unwrap();
    for client in both(&server).await {
        assert_eq!(client.list_resources().await, [] as [Value; 0]);
        let templates = client.list_resource_templates().await;
        assert_eq!(templates.len(), 1, "{templates:?}");
        for uri in ["secret://admin", "secret://%61dmin", "secret://rooms/7"] {
            let (code, message, data) = failure(&client, uri).await;
            assert!([-32002, -32602].contains(&code));
            assert_eq!(message, "Resource not found");
            assert_eq!(data, json!({"uri": uri}));
        }
        // What is hidden uncovers nothing else, and hides nothing else.
        let other = client.read_resource("secret://other").await;
        assert_eq!(other.text(), "secret://other");
    }
    let list = TestClient::modern(&server)
        .await
        .request("resources/list", json!({}));
    assert_eq!(list.await.unwrap()["cacheScope"], "private");
}

#[tokio::test]
async fn readable_by_decides_lists_and_reads() {
    let own = |principal: &Principal, uri: &ResourceUri| {
        assert_ne!(uri.value("owner"), Some("panic"), "a panic is a refusal");
        uri.value("owner").unwrap_or("ada") == principal.name()
    };
    let server = Server::builder("test", "1")
        .resource_with::<note>(|note| note.readable_by(own))
        .resource_with::<index>(|index| index.readable_by(own))
        .build()
        .unwrap();
    for (name, is_hers) in [("ada", true), ("bob", false)] {
        let client = TestClient::builder(&server).principal(Principal::new(name, [""; 0]));
        let client = client.connect().await;
        assert_eq!(client.list_resources().await.len(), usize::from(is_hers));
        for uri in ["docs://index", "note://ada/7"] {
            match is_hers {
                true => assert!(client.read_resource(uri).outcome().await.is_ok()),
                false => {
                    let expected = (-32002, "Resource not found".to_owned(), json!({"uri": uri}));
                    assert_eq!(failure(&client, uri).await, expected);
                }
            }
        }
        assert_eq!(failure(&client, "note://panic/7").await.0, -32002);
    }
    let of_tool = Server::builder("test", "1").tool_with::<ping>(|tool| tool.readable_by(own));
    let error = of_tool.build().unwrap_err().to_string();
    assert!(error.contains("`readable_by` is for resources"), "{error}");
}

/// Answers.
#[tool]
async fn ping() -> &'static str {
    "pong"
}

fn fixed(uri: &'static str) -> impl mcp_kit::resource::Resource {
    from_fn(
        ResourceDefinition::new(uri, "fixed"),
        move |_: Call| async move { uri },
    )
}

#[tokio::test]
async fn the_most_specific_template_is_read() {
    let server = Server::builder("test", "1")
        .add(fixed("a://{+all}"))
        .add(fixed("a://{one}/{two}"))
        .add(fixed("a://x/{two}"))
        .add(fixed("a://x/y"))
        .add(fixed("a://{one}.md"))
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    for (uri, from) in [
        ("a://x/y", "a://x/y"),
        ("a://x/z", "a://x/{two}"),
        ("a://w/z", "a://{one}/{two}"),
        ("a://w.md", "a://{one}.md"),
        ("a://w/z/y", "a://{+all}"),
        ("A://%78/%79", "a://x/y"),
    ] {
        assert_eq!(client.read_resource(uri).await.text(), from, "{uri}");
    }
}

#[test]
fn what_cannot_work_is_an_error_of_build() {
    #[derive(Deserialize, JsonSchema, Validate, ToolArgs)]
    #[allow(dead_code, reason = "only its shape matters")]
    struct Args {
        #[garde(skip)]
        page: String,
        #[garde(skip)]
        needed: u8,
        #[garde(skip)]
        list: Vec<String>,
        #[garde(skip)]
        extra: Option<String>,
    }
    /// Disagrees with its template.
    #[resource(uri = "docs://{pge}/{list}{?needed}")]
    async fn page(_: Args) -> &'static str {
        ""
    }
    /// Has arguments without variables.
    #[resource(uri = "docs://all")]
    async fn all(_: Args) -> &'static str {
        ""
    }
    /// Has variables without arguments.
    #[resource(uri = "docs://one/{a}/{b}")]
    async fn none() -> &'static str {
        ""
    }
    let error = Server::builder("test", "1")
        .resource::<page>()
        .resource::<all>()
        .resource::<none>()
        .add(fixed("a://{x}/b"))
        .add(fixed("a://a/{y}"))
        .add(fixed("a://{broken"))
        .add(fixed("A://upper"))
        .add(fixed("b://one"))
        .add(fixed("b://one"))
        .build()
        .unwrap_err()
        .to_string();
    for expected in [
        "resource template \"docs://{pge}/{list}{?needed}\": its variable {pge} has no field",
        "its argument \"page\" is not in the template, so no URI can give it a value; write {page} or {?page}",
        "its argument \"needed\" is required, but a URI may omit {?needed}",
        "its argument \"list\" is a list, but the parts of a URI are texts",
        "resource \"docs://all\": its function takes arguments, but its URI has no variable",
        "its template has variables (a, b), but its function takes no argument struct",
        "the templates \"a://{x}/b\" and \"a://a/{y}\" are ambiguous",
        "\"a://{broken\": its template: \"{broken\" has no closing brace",
        "its URI must be written in its normal form: a://upper",
        "two resources have the URI \"b://one\"; change one",
    ] {
        assert!(error.contains(expected), "{expected}\n{error}");
    }
}

#[tokio::test]
async fn a_run_time_change_keeps_templates_apart() {
    let server = Server::builder("test", "1")
        .add(fixed("a://{x}"))
        .build()
        .unwrap();
    let registry = server.registry();
    let error = registry.add(fixed("a://{y}")).unwrap_err();
    assert!(error.to_string().contains("are ambiguous"), "{error}");
    registry.add(fixed("a://b-{y}")).unwrap();
    let client = TestClient::new(&server).await;
    assert_eq!(client.read_resource("a://b-1").await.text(), "a://b-{y}");
    registry.hide(Kind::ResourceTemplate, "a://b-{y}").unwrap();
    assert_eq!(failure(&client, "a://b-1").await.0, -32002);
    registry
        .remove(Kind::ResourceTemplate, "a://b-{y}")
        .unwrap();
    assert_eq!(client.read_resource("a://b-1").await.text(), "a://{x}");
    registry
        .update(|changes| {
            changes.remove(Kind::ResourceTemplate, "a://{x}");
            changes.add(fixed("a://{y}"));
        })
        .unwrap();
    assert_eq!(client.read_resource("a://b-1").await.text(), "a://{y}");
}

/// A prefix is for names: the URI of a resource stays.
#[tokio::test]
async fn routers_prefix_names_and_not_uris() {
    let router = Router::new().resource::<index>().scope("docs");
    let server = Server::builder("test", "1")
        .nest("manual_", router)
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    let listed = client.list_resources().await;
    assert_eq!(listed[0]["name"], "manual_index");
    assert_eq!(listed[0]["uri"], "docs://index");
}

#[tokio::test]
async fn a_server_without_resources_has_no_such_methods() {
    let server = Server::builder("test", "1").tool::<ping>().build().unwrap();
    for client in both(&server).await {
        for method in [
            "resources/list",
            "resources/templates/list",
            "resources/read",
        ] {
            let error = client
                .request(method, json!({"uri": "a://b"}))
                .await
                .unwrap_err();
            assert_eq!(error.code(), Some(-32601), "{method}");
        }
    }
    let only_template = Server::builder("test", "1")
        .resource::<note>()
        .build()
        .unwrap();
    let client = TestClient::modern(&only_template).await;
    assert_eq!(client.list_resources().await, [] as [Value; 0]);
    let discovered = client.request("server/discover", json!({})).await.unwrap();
    assert!(
        discovered["capabilities"]["resources"].is_object(),
        "{discovered}"
    );
}

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
