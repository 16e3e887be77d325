//! Calls from code: through the whole chain, as for a client.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mcp_kit::limits::Rate;
use mcp_kit::middleware::from_fn;
use mcp_kit::prelude::*;
use mcp_kit::primitive::Kind;
use mcp_kit::resource::ResourceUri;
use mcp_kit::server::{CallError, Limits};
use mcp_kit::testing::TestClient;
use mcp_kit::tool::ErrorKind;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::log::Log;

#[derive(Deserialize, JsonSchema, garde::Validate, ToolArgs)]
struct Sum {
    #[garde(range(max = 100))]
    a: u8,
    #[garde(skip)]
    b: u8,
}

/// Adds.
#[tool]
async fn add(sum: Sum) -> u32 {
    u32::from(sum.a) + u32::from(sum.b)
}

/// Adds by another tool.
#[tool]
async fn add_twice(sum: Sum, server: Server, principal: Principal) -> Result<String, ToolError> {
    let sum = json!({ "a": sum.a, "b": sum.b });
    let once = server.call(&principal, "add", &sum).await?;
    let again = server.call(principal, "add", sum).await?;
    Ok(format!("{:?} {:?}", once.as_text(), again.as_text()))
}

/// Needs a scope.
#[tool(scope = "admin")]
async fn admin() -> &'static str {
    "welcome"
}

/// Fails with a secret.
#[tool]
async fn leak() -> Result<String, ToolError> {
    Err(std::io::Error::other("hunter2"))?
}

/// Never ends.
#[tool(timeout = "1s")]
async fn hang() {
    std::future::pending().await
}

/// Calls itself.
#[tool]
async fn loops(server: Server, principal: Principal) -> Result<String, ToolError> {
    let result = server.call(principal, "loops", ()).await?;
    Ok(result.as_text().unwrap_or_default().to_owned())
}

/// Is large.
#[tool]
async fn large() -> String {
    "x".repeat(2_000)
}

/// Reports the id of its request.
#[tool]
async fn request_id(request: RequestInfo) -> String {
    request.id().to_string()
}

#[tokio::test]
async fn each_call_from_code_has_an_id_of_its_own() {
    let server = Server::builder("test", "1").tool::<request_id>();
    let server = server.build().unwrap();
    let mut ids = Vec::new();
    for _ in 0..3 {
        let result = server.call(Principal::new("ada", [""; 0]), "request_id", ());
        ids.push(result.await.unwrap().as_text().unwrap().to_owned());
    }
    assert!(
        ids.iter().all(|id| id.starts_with("server.call/")),
        "{ids:?}"
    );
    ids.dedup();
    assert_eq!(ids.len(), 3, "{ids:?}");
}

/// Waits until its caller has left.
#[tool(blocking)]
fn waits(cancellation: Cancellation, State(ended): State<Arc<AtomicUsize>>) {
    while !cancellation.is_cancelled() {
        std::thread::sleep(Duration::from_millis(1));
    }
    ended.fetch_add(1, Ordering::SeqCst);
}

fn server(ended: &Arc<AtomicUsize>) -> Server {
    Server::builder("test", "1")
        .state(Arc::clone(ended))
        .limits(|limits: &mut Limits| limits.calls_per_server = 1)
        .tool_with::<add>(|tool| tool.rate_limit(Rate::per_minute(5)))
        .tool::<add_twice>()
        .tool::<admin>()
        .tool::<leak>()
        .tool::<hang>()
        .tool::<loops>()
        .tool_with::<large>(|tool| tool.result_bytes(1_000))
        .tool::<waits>()
        .build()
        .unwrap()
}

fn kind(error: &CallError) -> ErrorKind {
    match error {
        CallError::Failed { kind, .. } => *kind,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_from_code_goes_through_the_whole_chain() {
    let log = Log::capture();
    let server = server(&Arc::default());
    let ada = Principal::new("ada", ["read"]);
    let sum = server.call(&ada, "add", json!({ "a": 1, "b": 2 })).await;
    assert_eq!(sum.unwrap().as_text(), Some("3"));
    let line = log.call("add");
    assert_eq!((line.get("principal"), line.get("outcome")), ("ada", "ok"));

    let wrong = json!({ "a": 101, "c": 1 });
    let wrong = server.call(&ada, "add", wrong).await.unwrap_err();
    assert_eq!(kind(&wrong), ErrorKind::InvalidArguments);
    assert!(
        wrong.to_string().contains("a: must be at most 100"),
        "{wrong}"
    );
    let list = server.call(&ada, "add", [1]).await.unwrap_err();
    assert_eq!(kind(&list), ErrorKind::InvalidArguments);
    let unknown = server.call(&ada, "no_such_tool", ()).await;
    assert_eq!(unknown.unwrap_err(), CallError::Unknown(Kind::Tool));
    let forbidden = server.call(&ada, "admin", ()).await.unwrap_err();
    assert_eq!(kind(&forbidden), ErrorKind::Forbidden);
    let root = Principal::new("root", ["admin"]);
    let welcome = server.call(root, "admin", ()).await.unwrap();
    assert_eq!(welcome.as_text(), Some("welcome"));
    let leak = server.call(&ada, "leak", ()).await.unwrap_err();
    assert_eq!(kind(&leak), ErrorKind::Internal);
    assert!(leak.to_string().contains(log.call("leak").get("reference")));
    assert!(!leak.to_string().contains("hunter2"), "{leak}");
    let late = server.call(&ada, "hang", ()).await.unwrap_err();
    assert_eq!(kind(&late), ErrorKind::Timeout);
    let large = server.call(&ada, "large", ()).await.unwrap_err();
    assert!(matches!(
        large,
        CallError::ResultTooLarge { limit: 1_000, .. }
    ));
    for _ in 0..5 {
        let _ = server.call(&ada, "add", json!({ "a": 1, "b": 2 })).await;
    }
    let often = server.call(&ada, "add", json!({ "a": 1, "b": 2 })).await;
    assert_eq!(kind(&often.unwrap_err()), ErrorKind::RateLimited);
}

/// One call may run at once, and the handler has it.
#[tokio::test]
async fn a_handler_calls_tools_of_its_server_and_waits_for_no_place() {
    let client = TestClient::new(&server(&Arc::default())).await;
    let result = client.call("add_twice", json!({ "a": 1, "b": 2 })).await;
    assert_eq!(result.text(), r#"Some("3") Some("3")"#);
    let looped = client.call("loops", json!({})).await;
    assert!(looped.is_error());
    assert!(
        looped.text().contains("internal error"),
        "{}",
        looped.text()
    );
}

#[tokio::test]
async fn dropping_a_call_from_code_cancels_its_handler() {
    let ended = Arc::<AtomicUsize>::default();
    let server = server(&ended);
    let local = Principal::unrestricted("test");
    let call = server.call(local, "waits", ());
    assert!(
        tokio::time::timeout(Duration::from_millis(20), call)
            .await
            .is_err()
    );
    while ended.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn middlewares_see_calls_from_code() {
    let server = Server::builder("test", "1")
        .tool::<add>()
        .layer(from_fn(async |_, _| Err(ToolError::user("Not today."))))
        .build()
        .unwrap();
    let refused = server.call(
        Principal::new("ada", [""; 0]),
        "add",
        json!({ "a": 1, "b": 2 }),
    );
    let refused = refused.await.unwrap_err();
    assert_eq!(kind(&refused), ErrorKind::User);
    assert_eq!(refused.to_string(), "Not today.");
}

/// Greets.
#[prompt(scope = "read")]
async fn greet(sum: Sum) -> String {
    format!("{} and {}", sum.a, sum.b)
}

#[derive(Deserialize, JsonSchema, garde::Validate, ToolArgs)]
struct Owned {
    #[garde(skip)]
    owner: String,
    #[garde(range(max = 9))]
    id: u8,
}

/// The notes of one person.
#[resource(uri = "note://{owner}/{id}", mime_type = "text/plain")]
async fn note(note: Owned, principal: Principal) -> Option<String> {
    (note.id > 0).then(|| format!("{} of {} for {}", note.id, note.owner, principal.name()))
}

/// Reads a note and gets a prompt.
#[tool]
async fn both(server: Server, principal: Principal) -> Result<String, ToolError> {
    let note = server.read_resource(&principal, "note://ada/2").await?;
    let prompt = server.get_prompt(principal, "greet", json!({ "a": "1", "b": "2" }));
    Ok(format!(
        "{:?}, {}",
        note.as_text(),
        prompt.await?.messages().len()
    ))
}

fn primitives() -> Server {
    let own =
        |principal: &Principal, uri: &ResourceUri| uri.value("owner") == Some(principal.name());
    Server::builder("test", "1")
        .prompt_with::<greet>(|greet| greet.rate_limit(Rate::per_minute(5)))
        .resource_with::<note>(|note| note.readable_by(own).result_bytes(1_000))
        .tool::<both>()
        .build()
        .unwrap()
}

#[tokio::test]
async fn prompts_and_resources_are_called_from_code_through_their_whole_chain() {
    let log = Log::capture();
    let server = primitives();
    let ada = Principal::new("ada", ["read"]);
    let sum = json!({ "a": "1", "b": "2" });
    let prompt = server.get_prompt(&ada, "greet", &sum).await.unwrap();
    assert_eq!(prompt.messages().len(), 1);
    let line = log.call("greet");
    assert_eq!((line.get("kind"), line.get("outcome")), ("prompt", "ok"));
    let wrong = server
        .get_prompt(&ada, "greet", json!({ "a": "101" }))
        .await;
    let wrong = wrong.unwrap_err();
    assert_eq!(kind(&wrong), ErrorKind::InvalidArguments);
    assert!(
        wrong.to_string().contains("a: must be at most 100"),
        "{wrong}"
    );
    let unknown = server.get_prompt(&ada, "add", ()).await.unwrap_err();
    assert_eq!(unknown, CallError::Unknown(Kind::Prompt));
    assert_eq!(unknown.to_string(), "unknown prompt");
    let bob = Principal::new("bob", ["write"]);
    let forbidden = server.get_prompt(&bob, "greet", &sum).await.unwrap_err();
    assert_eq!(kind(&forbidden), ErrorKind::Forbidden);

    let read = server.read_resource(&ada, "note://ada/2").await.unwrap();
    assert_eq!(read.as_text(), Some("2 of ada for ada"));
    let contents = &read.contents()[0];
    assert_eq!(contents.uri(), Some("note://ada/2"));
    assert_eq!(contents.mime_type(), Some("text/plain"));
    for (principal, uri) in [(&ada, "note://none"), (&bob, "note://ada/2")] {
        let unknown = server.read_resource(principal, uri).await.unwrap_err();
        assert_eq!(unknown, CallError::Unknown(Kind::Resource), "{uri}");
    }
    for (uri, expected) in [
        ("note://ada/10", ErrorKind::InvalidArguments),
        ("no uri", ErrorKind::InvalidArguments),
        ("note://ada/0", ErrorKind::NotFound),
    ] {
        let failed = server.read_resource(&ada, uri).await.unwrap_err();
        assert_eq!(kind(&failed), expected, "{uri}: {failed}");
    }
}

#[tokio::test]
async fn a_handler_calls_primitives_of_every_kind() {
    let server = primitives();
    let client = TestClient::builder(&server).principal(Principal::new("ada", ["read"]));
    let result = client.connect().await.call("both", json!({})).await;
    assert_eq!(result.text(), r#"Some("2 of ada for ada"), 1"#);
}
