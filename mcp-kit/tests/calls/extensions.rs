//! Extensions of the protocol: their methods, their notifications, and what `build()`
//! refuses.

use std::time::Duration;

use garde::Validate;
use mcp_kit::extension::{ExtensionMethod, ProtocolExtension};
use mcp_kit::limits::Rate;
use mcp_kit::prelude::*;
use mcp_kit::protocol::ProtocolVersion;
use mcp_kit::server::ServerBuilder;
use mcp_kit::testing::{RequestError, TestClient};
use mcp_kit::{Error, Router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use crate::log::Log;

const NOTES: &str = "com.example/notes";

#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
struct Search {
    /// The text.
    #[garde(length(chars, min = 1, max = 20))]
    text: String,
    /// The most notes.
    #[serde(default)]
    #[garde(range(max = 10))]
    most: u8,
}

#[derive(Serialize)]
struct Found {
    notes: Vec<String>,
}

async fn search(search: Search, principal: Principal) -> Json<Found> {
    let note = format!("{} {} {}", search.text, search.most, principal.name());
    Json(Found { notes: vec![note] })
}

async fn clear() {}

async fn secret() -> Map<String, Value> {
    Map::from_iter([("secret".to_owned(), json!(true))])
}

async fn leaks() -> Result<(), Error> {
    Err(std::io::Error::other("postgres://admin:hunter2@db"))?
}

async fn refuses() -> Result<(), Error> {
    Err(Error::user("The notebook is closed."))
}

async fn panics() {
    panic!("hunter2");
}

async fn hangs() {
    std::future::pending().await
}

async fn list() -> Json<Vec<u8>> {
    Json(vec![1])
}

async fn reserved() -> Json<Value> {
    Json(json!({"resultType": "note"}))
}

async fn large() -> Json<Value> {
    Json(json!({"text": "x".repeat(5_000)}))
}

async fn announces(client: Client) -> Result<(), Error> {
    client.notify("notifications/notes/changed", json!({"notes": 3}))?;
    client.notify("notifications/tools/list_changed", json!({}))
}

async fn asks(client: Client) -> Result<(), Error> {
    client.elicit_url("Open it", "https://example.com").await?;
    Ok(())
}

fn notes() -> ProtocolExtension {
    ProtocolExtension::new(NOTES)
        .settings(json!({"maxNotes": 100}))
        .method("notes/search", search)
        .method("notes/clear", clear)
        .method_with("notes/secret", secret, |method| method.scope("notes:admin"))
        .method("notes/leaks", leaks)
        .method("notes/refuses", refuses)
        .method("notes/panics", panics)
        .method_with("notes/hangs", hangs, |method: ExtensionMethod| {
            method.timeout(Duration::from_millis(50))
        })
        .method_with("notes/rare", clear, |method| {
            method.rate_limit(Rate::per_minute(1))
        })
        .method_with("notes/open", clear, ExtensionMethod::for_every_client)
        .method("notes/list", list)
        .method("notes/reserved", reserved)
        .method_with("notes/large", large, |method| method.result_bytes(1_024))
        .method("notes/announces", announces)
        .method("notes/asks", asks)
        .sends("notifications/notes/changed")
}

fn builder() -> ServerBuilder {
    Server::builder("test", "1").local_scopes([""; 0])
}

fn declaring() -> Value {
    json!({"extensions": {NOTES: {}}})
}

async fn connect(server: &Server, version: ProtocolVersion) -> TestClient {
    let client = TestClient::builder(server)
        .version(version)
        .capabilities(declaring());
    client.connect().await
}

async fn modern(server: &Server) -> TestClient {
    connect(server, ProtocolVersion::V2026_07_28).await
}

#[track_caller]
fn protocol(error: RequestError) -> (i64, String, Value) {
    match error {
        RequestError::Protocol {
            code,
            message,
            data,
        } => (code, message, data.unwrap_or_default()),
        error => panic!("{error}"),
    }
}

#[track_caller]
fn problems(builder: ServerBuilder) -> Vec<String> {
    match builder.build() {
        Ok(_) => panic!("the server was built"),
        Err(error) => error.problems().to_vec(),
    }
}

#[tokio::test]
async fn a_method_answers_with_its_object() {
    let server = builder().extension(notes()).build().unwrap();
    let client = modern(&server).await;
    let params = json!({"text": "milk"});
    let found = client.request("notes/search", params).await.unwrap();
    assert_eq!(found["notes"], json!(["milk 0 local"]));
    assert_eq!(found["resultType"], "complete");
    let empty = client.request("notes/clear", json!({})).await.unwrap();
    let members: Vec<_> = empty.as_object().unwrap().keys().collect();
    assert_eq!(members, ["_meta", "resultType"]);
}

#[tokio::test]
async fn discover_declares_the_extension_with_its_settings() {
    let server = builder().extension(notes()).build().unwrap();
    let client = modern(&server).await;
    let discovered = client.request("server/discover", json!({})).await.unwrap();
    let expected = json!({NOTES: {"maxNotes": 100}});
    assert_eq!(discovered["capabilities"]["extensions"], expected);
    assert!(discovered["capabilities"].get("methods").is_none());
}

#[tokio::test]
async fn arguments_are_validated_like_those_of_a_tool() {
    let server = builder().extension(notes()).build().unwrap();
    let client = modern(&server).await;
    let params = json!({"text": "", "most": 11, "colour": "hunter2"});
    let error = client.request("notes/search", params).await.unwrap_err();
    let (code, message, data) = protocol(error);
    assert_eq!(code, -32602);
    assert_eq!(data["reason"], "invalid_arguments");
    for part in ["text: must have", "most: must be at most 10", r#""colour""#] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!message.contains("hunter2"), "{message}");
    let error = client.request("notes/clear", json!({"colour": 1})).await;
    assert_eq!(error.unwrap_err().code(), Some(-32602));
}

#[tokio::test]
async fn failures_of_methods_are_protocol_errors_that_leak_nothing() {
    let log = Log::capture();
    let server = builder().extension(notes()).build().unwrap();
    let client = modern(&server).await;
    for (method, reason, text) in [
        (
            "notes/leaks",
            "internal_error",
            "An internal error occurred (reference",
        ),
        (
            "notes/panics",
            "panic",
            "An internal error occurred (reference",
        ),
        (
            "notes/list",
            "internal_error",
            "An internal error occurred (reference",
        ),
        (
            "notes/reserved",
            "internal_error",
            "An internal error occurred (reference",
        ),
        ("notes/refuses", "user_error", "The notebook is closed."),
        (
            "notes/hangs",
            "timeout",
            "The method timed out after 50 ms.",
        ),
        (
            "notes/large",
            "result_too_large",
            "more than the 1024 that this method may return",
        ),
    ] {
        let error = client.request(method, json!({})).await.unwrap_err();
        let (code, message, data) = protocol(error);
        let has_reference = message.contains("(reference");
        let expected = if has_reference {
            Value::Null
        } else {
            json!(reason)
        };
        assert_eq!((code, &data["reason"]), (-32603, &expected), "{method}");
        assert!(message.contains(text), "{method}: {message}");
        assert!(!message.contains("hunter2"), "{message}");
        let line = log.call(method);
        assert_eq!((line.get("kind"), line.get("outcome")), ("method", reason));
    }
    let leak = log.lines().into_iter().map(|line| line.fields);
    assert!(
        leak.clone()
            .any(|line| format!("{line:?}").contains("hunter2"))
    );
    // The connection goes on.
    assert!(client.request("notes/clear", json!({})).await.is_ok());
}

#[tokio::test]
async fn a_rate_holds_for_a_method() {
    let server = builder().extension(notes()).build().unwrap();
    let client = modern(&server).await;
    assert!(client.request("notes/rare", json!({})).await.is_ok());
    let error = client.request("notes/rare", json!({})).await.unwrap_err();
    assert_eq!(protocol(error).2["reason"], "rate_limited");
}

#[tokio::test]
async fn a_client_that_has_not_declared_the_extension_is_refused() {
    let server = builder().extension(notes().legacy()).build().unwrap();
    let client = TestClient::modern(&server).await;
    let error = client.request("notes/clear", json!({})).await.unwrap_err();
    let (code, message, data) = protocol(error);
    assert_eq!(code, -32021, "{message}");
    assert_eq!(data["requiredCapabilities"], declaring());
    assert!(client.request("notes/open", json!({})).await.is_ok());

    let client = TestClient::new(&server).await;
    let error = client.request("notes/clear", json!({})).await.unwrap_err();
    let (code, message, data) = protocol(error);
    assert_eq!(
        (code, &data["reason"]),
        (-32603, &json!("missing_capability"))
    );
    assert!(message.contains(NOTES), "{message}");
    assert!(client.request("notes/open", json!({})).await.is_ok());
}

#[tokio::test]
async fn only_an_extension_for_legacy_clients_is_offered_to_them() {
    let newest = ProtocolVersion::NEWEST_LEGACY;
    let server = builder().extension(notes()).build().unwrap();
    let client = connect(&server, newest).await;
    let error = client.request("notes/clear", json!({})).await.unwrap_err();
    assert_eq!(error.to_string(), "Method not found: notes/clear (-32601)");

    let server = builder().extension(notes().legacy()).build().unwrap();
    let client = TestClient::builder(&server)
        .version(newest)
        .connect_silently();
    let params = json!({"protocolVersion": newest.as_str(), "capabilities": declaring(), "clientInfo": {"name": "test"}});
    let initialized = client.request("initialize", params).await.unwrap();
    let expected = json!({NOTES: {"maxNotes": 100}});
    assert_eq!(initialized["capabilities"]["extensions"], expected);
    client.notify("notifications/initialized", json!({}));
    let params = json!({"text": "milk", "_meta": {"progressToken": 1}});
    let found = client.request("notes/search", params).await.unwrap();
    assert_eq!(found, json!({"notes": ["milk 0 local"]}));
    let empty = client.request("notes/clear", json!({})).await.unwrap();
    assert_eq!(empty, json!({}));
}

#[tokio::test]
async fn a_hidden_method_is_answered_like_an_unknown_one() {
    let server = builder().extension(notes()).build().unwrap();
    let client = modern(&server).await;
    let hidden = client.request("notes/secret", json!({"x": 1})).await;
    let unknown = client.request("notes/sesame", json!({"x": 1})).await;
    let hidden = hidden.unwrap_err().to_string().replace("secret", "sesame");
    assert_eq!(hidden, unknown.unwrap_err().to_string());

    let server = builder().local_scopes(["notes:admin"]);
    let server = server.extension(notes()).build().unwrap();
    let client = modern(&server).await;
    let secret = client.request("notes/secret", json!({})).await.unwrap();
    assert_eq!(secret["secret"], true);
    use mcp_kit::primitive::Kind;
    server
        .registry()
        .hide(Kind::Method, "notes/secret")
        .unwrap();
    let hidden = client.request("notes/secret", json!({})).await;
    assert_eq!(hidden.unwrap_err().code(), Some(-32601));
}

#[tokio::test]
async fn a_method_cannot_ask_in_the_modern_era() {
    let server = builder().extension(notes()).build().unwrap();
    let client = TestClient::builder(&server)
        .version(ProtocolVersion::V2026_07_28)
        .capabilities(json!({"elicitation": {"url": {}}, "extensions": {NOTES: {}}}))
        .connect()
        .await;
    let error = client.request("notes/asks", json!({})).await.unwrap_err();
    let (code, message, _) = protocol(error);
    assert_eq!(code, -32603);
    assert_eq!(
        message,
        "This method must ask its client, and this call has no way to do so."
    );
}

/// Asks for nothing.
#[tool]
async fn announce(client: Client) -> Result<&'static str, Error> {
    client.notify("notifications/notes/changed", json!({"notes": 4}))?;
    Ok("announced")
}

#[tokio::test]
async fn handlers_send_the_notifications_that_are_declared() {
    let log = Log::capture();
    let server = builder().extension(notes().legacy()).tool::<announce>();
    let server = server.build().unwrap();
    for version in [ProtocolVersion::V2026_07_28, ProtocolVersion::NEWEST_LEGACY] {
        let client = connect(&server, version).await;
        assert_eq!(client.call("announce", json!({})).await.text(), "announced");
        let sent = client.next_message().await.unwrap();
        assert_eq!(sent["method"], "notifications/notes/changed");
        assert_eq!(sent["params"], json!({"notes": 4}));
    }
    let client = modern(&server).await;
    // The second one belongs to the protocol.
    let error = client.request("notes/announces", json!({})).await;
    assert_eq!(error.unwrap_err().code(), Some(-32603));
    let sent = client.next_message().await.unwrap();
    assert_eq!(sent["params"], json!({"notes": 3}));
    let why = log.call("notes/announces");
    assert!(
        why.get("error").contains("ProtocolExtension::sends"),
        "{why:?}"
    );

    // A client that does not know the extension receives none.
    let client = TestClient::modern(&server).await;
    assert_eq!(client.call("announce", json!({})).await.text(), "announced");
    client.close().await;
    assert_eq!(client.next_message().await, None);
}

#[derive(Clone)]
struct Seen(mpsc::UnboundedSender<String>);

async fn read(note: Search, State(seen): State<Seen>, principal: Principal) -> Result<(), Error> {
    let _ = seen.0.send(format!("{} {}", note.text, principal.name()));
    match &*note.text {
        "panic" => panic!("hunter2"),
        _ => Ok(()),
    }
}

#[tokio::test]
async fn notifications_of_clients_run_their_function() {
    let log = Log::capture();
    let (seen, mut notes) = mpsc::unbounded_channel();
    let reading = ProtocolExtension::new(NOTES)
        .legacy()
        .notification("notifications/notes/read", read)
        .notification_with("notifications/notes/burnt", read, |method| {
            method.scope("fire")
        });
    let server = builder().state(Seen(seen)).extension(reading);
    let server = server.build().unwrap();
    for version in [ProtocolVersion::V2026_07_28, ProtocolVersion::NEWEST_LEGACY] {
        let client = connect(&server, version).await;
        for (name, text) in [
            ("read", ""),
            ("burnt", "hidden"),
            ("unknown", "unknown"),
            ("read", "panic"),
            ("read", "milk"),
        ] {
            let method = format!("notifications/notes/{name}");
            client.notify(&method, json!({"text": text}));
        }
        let mut read = [notes.recv().await.unwrap(), notes.recv().await.unwrap()];
        read.sort();
        assert_eq!(read, ["milk local", "panic local"]);
        client.close().await;
        assert_eq!(client.next_message().await, None, "none is answered");
        assert!(notes.try_recv().is_err());
    }
    let lines = log.calls("notifications/notes/read");
    assert!(lines.iter().all(|line| line.get("kind") == "notification"));
    let outcomes = |outcome: &str| {
        lines
            .iter()
            .filter(|line| line.get("outcome") == outcome)
            .count()
    };
    assert_eq!(
        (
            outcomes("invalid_arguments"),
            outcomes("panic"),
            outcomes("ok")
        ),
        (2, 2, 2)
    );
}

async fn waits(State(seen): State<Seen>) {
    let _ = seen.0.send("began".to_owned());
    std::future::pending().await
}

#[tokio::test]
async fn a_notification_without_room_is_dropped_with_a_line_in_the_log() {
    let log = Log::capture();
    let (seen, mut notes) = mpsc::unbounded_channel();
    let waiting = ProtocolExtension::new(NOTES).notification("notifications/notes/read", waits);
    let server = builder()
        .limits(|limits| limits.calls_per_connection = 1)
        .state(Seen(seen))
        .extension(waiting)
        .build()
        .unwrap();
    let client = modern(&server).await;
    client.notify("notifications/notes/read", json!({}));
    assert_eq!(notes.recv().await.unwrap(), "began");
    client.notify("notifications/notes/read", json!({}));
    // It is read before this request is answered.
    client.request("tools/list", json!({})).await.unwrap();
    assert_eq!(log.call("notifications/notes/read").get("outcome"), "busy");
    assert!(notes.try_recv().is_err());
}

/// Every method and notification of the protocol, in either era.
const CORE: &[&str] = &[
    "initialize",
    "ping",
    "server/discover",
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "completion/complete",
    "logging/setLevel",
    "subscriptions/listen",
    "tasks/get",
    "tasks/update",
    "tasks/cancel",
    "tasks/list",
    "tasks/result",
    "sampling/createMessage",
    "elicitation/create",
    "roots/list",
    "rpc.discover",
];

const CORE_NOTIFICATIONS: &[&str] = &[
    "notifications/initialized",
    "notifications/cancelled",
    "notifications/progress",
    "notifications/message",
    "notifications/tools/list_changed",
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
    "notifications/resources/updated",
    "notifications/roots/list_changed",
    "notifications/subscriptions/acknowledged",
    "notifications/elicitation/complete",
    "notifications/tasks/status",
];

#[test]
fn an_extension_cannot_redefine_the_protocol() {
    let mut all = Vec::new();
    for name in CORE {
        all.push((name, ProtocolExtension::new(NOTES).method(name, clear)));
    }
    for name in CORE_NOTIFICATIONS {
        all.push((
            name,
            ProtocolExtension::new(NOTES).notification(name, clear),
        ));
        all.push((name, ProtocolExtension::new(NOTES).sends(*name)));
        all.push((name, ProtocolExtension::new(NOTES).method(name, clear)));
    }
    for (name, extension) in all {
        let problems = problems(builder().extension(extension));
        let [problem] = problems.as_slice() else {
            panic!("{name}: {problems:#?}");
        };
        assert!(
            problem.contains(name) && problem.contains("cannot redefine"),
            "{problem}"
        );
    }
}

#[test]
fn mistakes_in_extensions_are_errors_of_build() {
    let named = ProtocolExtension::new;
    let too_long = "x".repeat(129);
    for (extensions, problem) in [
        (vec![named("notes")], "is not a valid extension identifier"),
        (
            vec![named("com..example/notes")],
            "is not a valid extension identifier",
        ),
        (
            vec![named("com.example/")],
            "is not a valid extension identifier",
        ),
        (
            vec![named("1com.example/notes")],
            "is not a valid extension identifier",
        ),
        (
            vec![named("com.example/-notes")],
            "is not a valid extension identifier",
        ),
        (
            vec![named("io.modelcontextprotocol/tasks")],
            "is the server's own",
        ),
        (vec![named(NOTES), named(NOTES)], "it is declared twice"),
        (
            vec![named(NOTES).settings(1)],
            "must serialise to a JSON object",
        ),
        (
            vec![
                named(NOTES).method("a/b", clear),
                named("com.example/b").method("a/b", clear),
            ],
            r#"declare the method "a/b""#,
        ),
        (
            vec![
                named(NOTES).sends("notifications/a"),
                named("com.example/b").sends("notifications/a"),
            ],
            "declared twice",
        ),
        (
            vec![named(NOTES).method("notifications/a", clear)],
            "must not begin with",
        ),
        (
            vec![named(NOTES).notification("a/b", clear)],
            "must begin with",
        ),
        (vec![named(NOTES).sends("a/b")], "must begin with"),
        (
            vec![named(NOTES).method("a b", clear)],
            "is not a valid method name",
        ),
        (
            vec![named(NOTES).method("", clear)],
            "is not a valid method name",
        ),
        (
            vec![named(NOTES).method(too_long, clear)],
            "is not a valid method name",
        ),
        (
            vec![named(NOTES).notification("notifications/a", read)],
            "needs State<",
        ),
        (
            vec![named(NOTES).method_with("a/b", clear, |method| method.concurrency(0))],
            "its concurrency is 0",
        ),
    ] {
        let builder = extensions
            .into_iter()
            .fold(builder(), |builder, extension| builder.extension(extension));
        let problems = problems(builder);
        let [found] = problems.as_slice() else {
            panic!("{problem}: {problems:#?}");
        };
        assert!(found.contains(problem), "{found}");
    }
    let official = named("io.modelcontextprotocol/skills").method("skills/get", clear);
    assert!(builder().extension(official).build().is_ok());
}

/// A note.
#[resource(uri = "notes://one")]
async fn one() -> &'static str {
    "one"
}

#[tokio::test]
async fn what_an_extensions_router_has_is_offered_to_every_client() {
    let router = Router::new()
        .resource::<one>()
        .tool::<announce>()
        .prefix("notes_");
    let server = builder().extension(notes().router(router)).build().unwrap();
    for client in [
        TestClient::new(&server).await,
        TestClient::modern(&server).await,
    ] {
        assert_eq!(client.read_resource("notes://one").await.text(), "one");
        assert_eq!(
            client.call("notes_announce", json!({})).await.text(),
            "announced"
        );
    }
}
