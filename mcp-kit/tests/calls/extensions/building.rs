//! What `build()` refuses in extensions, and what an extension's router adds.

use super::*;

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
