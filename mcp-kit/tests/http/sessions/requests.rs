//! What handlers and middlewares read of the request, and authenticators of the
//! application's extensions.

use mcp_kit::auth::{
    ApiKeys, AuthError, Authenticator, Credentials, KeyDigest, KeyEntry, KeyStore,
};
use mcp_kit::call::{Call, Reply};
use mcp_kit::middleware::{Middleware, Next};
use mcp_kit::prelude::*;
use mcp_kit::testing::TestClient;
use mcp_kit::{RequestInfo, async_trait};
use serde_json::{Value, json};

use crate::client::{Ask as _, call, http, initialize};

/// Shows the request.
#[tool]
async fn show(request: RequestInfo) -> String {
    let client = request.client().map_or_else(
        || "nobody".to_owned(),
        |client| format!("{}/{}", client.name(), client.version()),
    );
    format!(
        "{} {} {client} {:?} {:?}",
        request.id(),
        request.protocol_version().as_str(),
        request.address(),
        request.header("X-Region"),
    )
}

/// The session's name.
#[tool]
async fn session(request: RequestInfo) -> String {
    request.session_id().unwrap_or("none").to_owned()
}

/// A user of the application, whose token must not show.
#[derive(Clone, Debug)]
struct User {
    id: u64,
    _token: &'static str,
}

/// The user's id.
#[tool]
async fn user(caller: Principal, Extension(user): Extension<User>) -> String {
    assert!(!format!("{caller:?}").contains("hunter2"));
    format!("{} {}", caller.name(), user.id)
}

/// Knows whom the application has logged in.
struct Login;

#[async_trait]
impl Authenticator for Login {
    async fn authenticate(&self, of: &Credentials<'_>) -> Result<Option<Principal>, AuthError> {
        let user = of.extensions().get::<User>();
        Ok(user.map(|user| {
            let address = of.address().unwrap();
            Principal::new(format!("user@{address}"), ["read"]).with_extension(user.clone())
        }))
    }

    fn challenge(&self) -> Option<String> {
        Some("Session realm=\"app\"".to_owned())
    }

    fn expects(&self) -> Option<std::borrow::Cow<'static, str>> {
        Some("the session cookie of https://app.example.com".into())
    }
}

fn modern(tool: &str, more: &Value) -> Value {
    let mut call = call("a-1", tool, json!({}));
    call["params"]["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let meta = call["params"]["_meta"].as_object_mut().unwrap();
    meta.extend(more.as_object().unwrap().clone());
    call
}

fn server() -> mcp_kit::server::ServerBuilder {
    let server = Server::builder("test", "1");
    server
        .tool::<show>()
        .tool::<session>()
        .tool::<user>()
        .without_call_log()
}

#[tokio::test]
async fn handlers_see_client_version_address_and_chosen_headers() {
    let server = server()
        .http(|http| http.expose_header("X-Region").trust_proxy("127.0.0.1"))
        .http(|http| http.allow_unauthenticated())
        .build()
        .unwrap();
    let client = TestClient::http(&server);
    let from = (client.clone())
        .header("x-forwarded-for", "192.0.2.7")
        .header("x-region", "north")
        .header("x-other", "hidden");
    let info = json!({"name": "Claude Code", "version": "2.1", "icons": []});
    let key = "io.modelcontextprotocol/clientInfo";
    let known = modern("show", &json!({ key: info }));
    let answer = from.ask(&known).await;
    let shown = "a-1 2026-07-28 Claude Code/2.1 Some(192.0.2.7) Some(\"north\")";
    assert_eq!(answer.result(), shown);
    // One with large icons, and one that says nothing of itself.
    let icons = ["x".repeat(5000)];
    let info = json!({"name": "Big", "version": "1", "icons": icons});
    let answer = from.ask(&modern("show", &json!({ key: info }))).await;
    assert!(answer.result().contains(" Big/1 "), "{answer:?}");
    let answer = client.ask(&modern("show", &json!({}))).await;
    assert_eq!(
        answer.result(),
        "a-1 2026-07-28 nobody Some(127.0.0.1) None"
    );
    let answer = from.ask(&modern("session", &json!({}))).await;
    assert_eq!(answer.result(), "none");
}

#[tokio::test]
async fn a_session_knows_its_client_and_has_a_name_that_is_no_secret() {
    let server = server()
        .http(|http| http.allow_unauthenticated())
        .build()
        .unwrap();
    let stranger = http(&server);
    let mut names = Vec::new();
    for _ in 0..2 {
        let client = stranger.clone().opened("2025-06-18").await;
        let shown = client.ask(&call(7, "show", json!({}))).await.result();
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!("7 2025-06-18 mcp-kit-testing/{version} None None");
        assert_eq!(shown, expected);
        let name = client.ask(&call(8, "session", json!({}))).await.result();
        assert_eq!(
            client.ask(&call(9, "session", json!({}))).await.result(),
            name
        );
        assert_ne!(Some(&*name), client.session_id());
        names.push(name);
    }
    assert_ne!(names[0], names[1]);
    // The digest of the session does not open it.
    let thief = stranger.session(&names[0]);
    thief.ask(&call(1, "show", json!({}))).await.refusal(404);
}

#[test]
fn no_handler_is_given_a_header_with_credentials() {
    for name in [
        "Authorization",
        "X-API-Key",
        "cookie",
        "Mcp-Session-Id",
        "Proxy-Authorization",
    ] {
        let problem = server().http(|http| http.expose_header(name)).build();
        let problem = problem.unwrap_err().to_string();
        assert!(
            problem.contains(name) && problem.contains("with_extension"),
            "{problem}"
        );
    }
    let problem = server()
        .http(|http| http.expose_header("no header"))
        .build();
    assert!(
        problem
            .unwrap_err()
            .to_string()
            .contains("not the name of a header")
    );
}

#[tokio::test]
async fn what_the_application_knows_of_a_user_reaches_the_handler() {
    let server = server()
        .http(|http| http.authenticate(Login))
        .build()
        .unwrap();
    let client = TestClient::http(&server);
    let message = modern("user", &json!({}));
    let logged_in = client.clone().extension(User {
        id: 7,
        _token: "hunter2",
    });
    let answer = logged_in.ask(&message).await;
    assert_eq!(answer.result(), "user@127.0.0.1 7");
    // A refusal asks for what this server takes, and for nothing else.
    let refused = client.ask(&message).await;
    let text = refused.refusal(401);
    assert_eq!(
        text,
        "Unauthorized: send the session cookie of https://app.example.com"
    );
    assert_eq!(refused.headers["www-authenticate"], "Session realm=\"app\"");
    let refused = client.key("a-key").ask(&message).await;
    assert_eq!(
        refused.refusal(401),
        "Unauthorized: the credentials are not known"
    );
    assert_eq!(refused.headers["www-authenticate"], "Session realm=\"app\"");
}

/// Says nothing of what it wants.
struct Silent;

#[async_trait]
impl Authenticator for Silent {
    async fn authenticate(&self, _: &Credentials<'_>) -> Result<Option<Principal>, AuthError> {
        Ok(None)
    }
}

#[tokio::test]
async fn a_refusal_names_what_the_authenticators_take() {
    let of = |http: fn(
        mcp_kit::transport::http::HttpOptions,
    ) -> mcp_kit::transport::http::HttpOptions| {
        let server = server().http(http).build().unwrap();
        async move {
            TestClient::http(&server)
                .ask(&initialize("2025-11-25"))
                .await
        }
    };
    let silent = of(|http| http.authenticate(Silent)).await;
    let text = silent.refusal(401);
    assert!(
        text.ends_with("no credentials that this server accepts"),
        "{text}"
    );
    assert!(!silent.headers.contains_key("www-authenticate"));
    let keys = of(|http| http.authenticate(ApiKeys::from_list("a:key").unwrap())).await;
    let text = keys.refusal(401);
    assert!(
        text.contains("send an API key") && text.contains("X-API-Key"),
        "{text}"
    );
    assert_eq!(keys.headers["www-authenticate"], "Bearer realm=\"mcp\"");
    let both = of(|http| {
        let keys = ApiKeys::from_list("a:key").unwrap();
        http.authenticate(Login).authenticate(keys)
    });
    let text = both.await.refusal(401);
    assert!(
        text.contains("cookie") && text.contains(", or an API key"),
        "{text}"
    );
}

/// Finds a tenant beside each key.
struct Tenants;

#[async_trait]
impl KeyStore for Tenants {
    async fn find(
        &self,
        _: &KeyDigest,
    ) -> Result<Option<KeyEntry>, Box<dyn std::error::Error + Send + Sync>> {
        let user = User {
            id: 42,
            _token: "hunter2",
        };
        Ok(Some(KeyEntry::new("alice").with_extension(user)))
    }
}

/// Refuses one client's program.
struct NoRobots;

#[async_trait]
impl Middleware for NoRobots {
    async fn handle(&self, call: Call, next: Next<'_>) -> Result<Reply, ToolError> {
        let user = call.principal().extension::<User>();
        let is_robot = call
            .request()
            .client()
            .is_some_and(|client| client.name() == "robot");
        if is_robot && user.is_some_and(|user| user.id == 42) {
            return Err(ToolError::user("no robots"));
        }
        next.run(call).await
    }
}

#[tokio::test]
async fn a_middleware_decides_by_what_a_key_store_has_found() {
    let keys = ApiKeys::from_store(Tenants);
    let server = server()
        .layer(NoRobots)
        .http(|http| http.authenticate(keys));
    let client = TestClient::http(&server.build().unwrap()).key("key");
    let answer = client.ask(&modern("user", &json!({}))).await;
    assert_eq!(answer.result(), "alice 42");
    let robot = json!({"io.modelcontextprotocol/clientInfo": {"name": "robot", "version": "1"}});
    let answer = client.ask(&modern("user", &robot)).await;
    assert_eq!(answer.result(), "no robots");
}
