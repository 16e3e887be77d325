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

mod building;
mod providers;

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
