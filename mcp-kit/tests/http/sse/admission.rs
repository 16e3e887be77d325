//! Admission: which callers may open a stream and send to it.

use std::time::Duration;

use mcp_kit::auth::{AuthError, Authenticator, Credentials, ProtectedResource};
use mcp_kit::limits::Rate;
use mcp_kit::transport::http::HttpOptions;
use mcp_kit::{Principal, Server, async_trait};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::client::{Caller, Names, initialize, ping};
use super::tools::server;
use crate::client::Ask as _;

#[tokio::test]
async fn sse_is_served_only_if_it_is_turned_on() {
    let plain = Server::builder("plain", "1").build().unwrap();
    let caller = Caller::of(&plain);
    caller.no_stream().await.refusal(404);
    let post = caller.post("/messages?sessionId=x", &ping(1)).await;
    post.refusal(404);
    for path in ["/sse", "/messages"] {
        let taken = server().http(|http| http.path(path)).build();
        let problem = taken.unwrap_err().to_string();
        assert!(problem.contains(path), "{problem}");
    }
}

#[tokio::test]
async fn requests_are_refused_as_on_the_endpoint() {
    let server = server().build().unwrap();
    let caller = Caller::of(&server);
    let client = caller.greeted("2024-11-05").await;
    let allow = |answer: super::client::Answer| {
        answer.refusal(405);
        answer.headers["allow"].to_str().unwrap().to_owned()
    };
    // Clients of the newer transport try here, and then open a stream.
    assert_eq!(allow(caller.post("/sse", &ping(1)).await), "GET");
    assert_eq!(
        allow(caller.ask("GET", &client.endpoint, &[], "").await),
        "POST"
    );
    let json = [("accept", "application/json")];
    caller.ask("GET", "/sse", &json, "").await.refusal(406);
    caller.post("/messages", &ping(1)).await.refusal(400);
    caller
        .post("/messages?session=x", &ping(1))
        .await
        .refusal(400);
    for unknown in ["", "x", "AAAAAAAAAAAAAAAAAAAAAA"] {
        let target = format!("/messages?sessionId={unknown}");
        let told = caller.post(&target, &ping(1)).await.refusal(404);
        assert!(told.contains("/sse"), "{told}");
    }
    let plain = [("content-type", "text/plain")];
    let refused = caller.ask("POST", &client.endpoint, &plain, "{}").await;
    refused.refusal(415);
    let foreign = [
        ("content-type", "application/json"),
        ("origin", "https://evil.example"),
    ];
    for (method, target) in [("GET", "/sse"), ("POST", &*client.endpoint)] {
        let refused = caller.ask(method, target, &foreign, "{}").await;
        refused.refusal(403);
    }
    let evil = [("accept", "text/event-stream"), ("host", "evil.example")];
    caller.ask("GET", "/sse", &evil, "").await.refusal(403);
    let json = [("content-type", "application/json")];
    let large = " ".repeat(5 << 20);
    let refused = caller.ask("POST", &client.endpoint, &json, &large).await;
    refused.refusal(413);
    let refused = caller.ask("POST", &client.endpoint, &json, "{").await;
    refused.refusal(400);
    assert_eq!(refused.json()["error"]["code"], -32700);
    let refused = caller.post(&client.endpoint, &json!({"id": 7})).await;
    refused.refusal(400);
    assert_eq!(refused.json()["id"], 7);
}

#[tokio::test]
async fn a_stream_is_of_use_to_its_owner_alone() {
    let server = server()
        .http(|http| http.authenticate(Names))
        .build()
        .unwrap();
    let alice = Caller::of(&server).named("alice");
    let mut hers = alice.greeted("2024-11-05").await;
    let bob = alice.named("bob");
    bob.post(&hers.endpoint, &ping(1)).await.refusal(404);
    let keyless = Caller(bob.0.clone().without_header("x-api-key"));
    keyless.post(&hers.endpoint, &ping(1)).await.refusal(401);
    keyless.no_stream().await.refusal(401);
    hers.assert_silent().await;
}

#[tokio::test]
async fn sessions_of_the_two_transports_are_not_mixed() {
    let server = server().build().unwrap();
    let caller = Caller::of(&server);
    let client = caller.greeted("2024-11-05").await;
    let (path, id) = client.endpoint.split_once("?sessionId=").unwrap();
    let here = caller.0.clone().session(id);
    here.ask(&ping(1)).await.refusal(404);
    let session = caller.0.clone().opened("2025-11-25").await;
    let target = format!("{path}?sessionId={}", session.session_id().unwrap());
    caller.post(&target, &ping(1)).await.refusal(404);
}

#[tokio::test(start_paused = true)]
async fn streams_and_sessions_share_one_limit() {
    let server = server()
        .http(|http| {
            http.authenticate(Names).limits(|limits| {
                limits.sessions = 4;
                limits.sessions_per_principal = 3;
            })
        })
        .build()
        .unwrap();
    let alice = Caller::of(&server).named("alice");
    let session = async |caller: &Caller| {
        let headers = [("content-type", "application/json")];
        let body = initialize("2025-11-25").to_string();
        caller.ask("POST", "/mcp", &headers, &body).await
    };
    let first = alice.open().await;
    let _second = alice.open().await;
    assert_eq!(session(&alice).await.status, 200);
    // Her session gives way to another, and then to a stream; a stream does not.
    assert_eq!(session(&alice).await.status, 200);
    let _third = alice.open().await;
    let refused = session(&alice).await;
    refused.refusal(429);
    assert_eq!(refused.headers["retry-after"], "1800");
    alice.no_stream().await.refusal(429);
    let bob = alice.named("bob");
    let _his = bob.open().await;
    bob.no_stream().await.refusal(503);
    drop(first);
    assert_eq!(session(&alice).await.status, 200);
    bob.no_stream().await.refusal(503);
    sleep(Duration::from_secs(1)).await;
    // Hers has been idle for long enough to make room for him.
    let _another = bob.open().await;
    bob.no_stream().await.refusal(503);
    alice.no_stream().await.refusal(503);
}

#[tokio::test]
async fn open_streams_do_not_count_as_requests() {
    let server = server()
        .http(|http| http.limits(|limits| limits.requests = 2))
        .build()
        .unwrap();
    let caller = Caller::of(&server);
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(caller.greeted("2024-11-05").await);
    }
    for client in &mut clients {
        client.assert_silent().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_opens_so_many_streams_in_a_while() {
    let server = server()
        .http(|http| {
            http.stream_rate(Rate::per_minute(2))
                .allow_unauthenticated()
        })
        .build()
        .unwrap();
    let caller = Caller::of(&server).at("192.0.2.1:1");
    let _first = caller.open().await;
    drop(caller.open().await);
    let refused = caller.no_stream().await;
    refused.refusal(429);
    assert_eq!(refused.headers["retry-after"], "30");
    caller.at("192.0.2.2:1").open().await;
    sleep(Duration::from_secs(30)).await;
    caller.open().await;
}

#[tokio::test]
async fn clients_are_sent_where_the_public_url_is() {
    for (url, path, endpoint) in [
        ("https://mcp.example.com/mcp", "/mcp", "/messages"),
        (
            "https://mcp.example.com/tools/mcp",
            "/mcp",
            "/tools/messages",
        ),
        (
            "https://mcp.example.com/tools/mcp/",
            "/mcp",
            "/tools/messages",
        ),
        ("https://mcp.example.com/", "/mcp", "/messages"),
        ("https://mcp.example.com/else", "/mcp", "/messages"),
        ("https://mcp.example.com/a/", "/", "/a/messages"),
    ] {
        let server = server()
            .http(|http| http.public_url(url).path(path).allow_unauthenticated())
            .build()
            .unwrap();
        let client = Caller::of(&server).open().await;
        let (at, id) = client.endpoint.split_once("?sessionId=").unwrap();
        assert_eq!(at, endpoint, "{url}");
        assert_eq!(id.len(), 22);
    }
}

/// An app's router may have taken a part of the path away.
#[tokio::test]
async fn clients_of_a_mounted_service_are_sent_beside_the_stream() {
    let server = server().build().unwrap();
    let begin = Caller::of(&server).get().await.chunk().await.unwrap();
    let text = String::from_utf8(begin.into()).unwrap();
    assert!(text.contains("\ndata: messages?sessionId="), "{text}");
}

#[tokio::test]
async fn browsers_ask_first_where_pages_may_read() {
    let server = server()
        .http(|http| http.cors_origin("https://app.example.com"))
        .http(|http| http.allow_unauthenticated())
        .build()
        .unwrap();
    let caller = Caller::of(&server);
    let asks = [
        ("origin", "https://app.example.com"),
        ("access-control-request-method", "POST"),
    ];
    for target in ["/sse", "/messages?sessionId=x"] {
        let answer = caller.ask("OPTIONS", target, &asks, "").await;
        assert!(answer.status.is_success(), "{answer:?}");
        let origin = &answer.headers["access-control-allow-origin"];
        assert_eq!(origin, "https://app.example.com");
    }
}

/// Takes every token, for the endpoint that clients know under `url`.
struct Tokens(ProtectedResource);

impl Tokens {
    fn of(url: &str) -> Self {
        let resource = ProtectedResource::new(url).unwrap();
        Self(resource.authorization_server("https://auth.example.com"))
    }
}

#[async_trait]
impl Authenticator for Tokens {
    async fn authenticate(&self, of: &Credentials<'_>) -> Result<Option<Principal>, AuthError> {
        // Shows which audience a token may name.
        let name = of.resource().unwrap_or("the endpoint");
        Ok(of.api_key().map(|_| Principal::new(name, [""; 0])))
    }

    fn challenge(&self) -> Option<String> {
        Some(self.0.challenge())
    }

    fn protected_resource(&self) -> Option<&ProtectedResource> {
        Some(&self.0)
    }
}

/// Clients compare the document's `resource` with the URL that they were given,
/// and ask for a token with it as audience.
#[tokio::test]
async fn clients_find_where_to_get_a_token_for_each_transport() {
    const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
    for (url, path, sse) in [
        ("https://mcp.example.com/mcp", "/mcp", "/sse"),
        ("https://mcp.example.com/tools/mcp", "/mcp", "/tools/sse"),
        ("https://mcp.example.com", "/", "/sse"),
    ] {
        let http = |http: HttpOptions| http.authenticate(Tokens::of(url)).path(path);
        let server = server().http(http).build().unwrap();
        let caller = Caller::of(&server);
        let resource = async |document: &str| {
            let answer = caller.ask("GET", document, &[], "").await;
            assert_eq!(answer.status, 200, "{document}");
            let document: Value = serde_json::from_str(&answer.text).unwrap();
            assert_eq!(
                document["authorization_servers"][0],
                "https://auth.example.com"
            );
            document["resource"].as_str().unwrap().to_owned()
        };
        let challenge = async |method: &str, at: &str| {
            let refused = caller.ask(method, at, &[], "").await;
            refused.refusal(401);
            refused.headers["www-authenticate"]
                .to_str()
                .unwrap()
                .to_owned()
        };
        let host = "https://mcp.example.com";
        assert_eq!(resource(WELL_KNOWN).await, url);
        let own = url.strip_prefix(host).unwrap();
        assert_eq!(resource(&format!("{WELL_KNOWN}{own}")).await, url);
        assert_eq!(
            resource(&format!("{WELL_KNOWN}{sse}")).await,
            format!("{host}{sse}")
        );
        let endpoint = challenge("POST", path).await;
        assert!(
            endpoint.contains(&format!("\"{host}{WELL_KNOWN}{own}\"")),
            "{endpoint}"
        );
        for (method, at) in [("GET", "/sse"), ("POST", "/messages?sessionId=x")] {
            let challenge = challenge(method, at).await;
            assert!(
                challenge.contains(&format!("\"{host}{WELL_KNOWN}{sse}\"")),
                "{challenge}"
            );
        }
        let mut client = caller.named("token").greeted("2024-11-05").await;
        assert_eq!(
            client.call(1, "whoami", json!({})).await,
            format!("{host}{sse}")
        );
    }
    let without = Server::builder("test", "1")
        .http(|http| http.authenticate(Tokens::of("https://mcp.example.com/mcp")))
        .build()
        .unwrap();
    let caller = Caller::of(&without);
    let other = caller
        .ask("GET", &format!("{WELL_KNOWN}/sse"), &[], "")
        .await;
    other.refusal(404);
    let asks = [
        ("origin", "http://localhost:6274"),
        ("access-control-request-method", "GET"),
    ];
    caller
        .ask("OPTIONS", WELL_KNOWN, &asks, "")
        .await
        .refusal(405);
}

#[tokio::test]
async fn browsers_may_ask_first_for_the_documents_too() {
    const PAGE: &str = "https://app.example.com";
    let server = server()
        .http(|http| http.authenticate(Tokens::of("https://mcp.example.com/mcp")))
        .http(|http| http.cors_origin(PAGE))
        .build()
        .unwrap();
    let caller = Caller::of(&server);
    let asks = |origin| {
        [
            ("origin", origin),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "mcp-protocol-version"),
        ]
    };
    for document in ["", "/mcp", "/sse"] {
        let document = format!("/.well-known/oauth-protected-resource{document}");
        let answer = caller.ask("OPTIONS", &document, &asks(PAGE), "").await;
        assert_eq!(answer.status, 204, "{answer:?}");
        assert_eq!(answer.headers["access-control-allow-origin"], PAGE);
        assert_eq!(
            answer.headers["access-control-allow-headers"],
            "mcp-protocol-version"
        );
        let other = caller
            .ask("OPTIONS", &document, &asks("https://evil.example"), "")
            .await;
        other.refusal(403);
        let answer = caller.ask("GET", &document, &asks(PAGE), "").await;
        assert_eq!(answer.headers["access-control-allow-origin"], PAGE);
    }
}
