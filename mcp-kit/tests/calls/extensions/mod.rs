//! Extensions of the protocol: their methods, their notifications, and what `build()`
//! refuses.

use std::time::Duration;

use crate::protocol;
use garde::Validate;
use mcp_kit::extension::{ExtensionMethod, ProtocolExtension};
use mcp_kit::limits::Rate;
use mcp_kit::prelude::*;
use mcp_kit::protocol::ProtocolVersion;
use mcp_kit::server::ServerBuilder;
use mcp_kit::testing::TestClient;
use mcp_kit::{Error, Router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use crate::log::Log;

mod building;
mod notifications;

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

async fn can_ask(client: Client) -> Json<Value> {
    Json(json!({"can": client.can_elicit_url()}))
}

async fn asks(client: Client) -> Result<(), Error> {
    client.elicit_url("Open it", "https://example.com").await?;
    Ok(())
}

/// Asks for nothing.
#[tool]
async fn announce(client: Client) -> Result<&'static str, Error> {
    client.notify("notifications/notes/changed", json!({"notes": 4}))?;
    Ok("announced")
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
        .method("notes/can", can_ask)
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
    // The handler knows it beforehand.
    let known = client.request("notes/can", json!({})).await.unwrap();
    assert_eq!(known["can"], false);
    let server = builder().extension(notes().legacy()).build().unwrap();
    let client = TestClient::builder(&server)
        .version(ProtocolVersion::NEWEST_LEGACY)
        .capabilities(json!({"elicitation": {"url": {}}, "extensions": {NOTES: {}}}))
        .connect()
        .await;
    let known = client.request("notes/can", json!({})).await.unwrap();
    assert_eq!(known["can"], true);
}
