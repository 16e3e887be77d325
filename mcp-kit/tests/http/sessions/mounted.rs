//! The service mounted in an application: the callers that it admits.

use http::StatusCode;
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use mcp_kit::testing::{TestClient, TestHttpClient};

use super::tools::wait;
use crate::client::{Ask as _, Names, initialize};

const HERE: Option<&str> = Some("127.0.0.1:4000");
const ELSEWHERE: Option<&str> = Some("192.0.2.7:4000");

fn server() -> ServerBuilder {
    Server::builder("test", "1").tool::<wait>()
}

fn client(server: ServerBuilder) -> TestHttpClient {
    TestClient::http(&server.build().unwrap())
        .header("host", "localhost")
        .header("x-forwarded-for", "192.0.2.8")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
}

async fn status(client: &TestHttpClient, peer: Option<&str>, method: &str) -> StatusCode {
    let client = client.clone().peer(peer.map(|peer| peer.parse().unwrap()));
    let message = initialize("2025-11-25").to_string();
    client.bare(method, "/mcp", &[], &message).await.status()
}

#[tokio::test]
async fn without_authentication_only_this_machine_is_served() {
    let client = client(server());
    // Which host it names is the client's to choose.
    assert_eq!(status(&client, None, "POST").await, 403);
    assert_eq!(status(&client, ELSEWHERE, "POST").await, 403);
    assert_eq!(status(&client, Some("[::1]:4000"), "POST").await, 200);
    let mapped = Some("[::ffff:127.0.0.1]:4000");
    assert_eq!(status(&client, mapped, "POST").await, 200);
    assert_eq!(status(&client, HERE, "POST").await, 200);
}

#[tokio::test]
async fn request_through_a_local_proxy_is_not_local() {
    let server = server().http(|http| http.trust_proxy("loopback"));
    let client = client(server);
    assert_eq!(status(&client, HERE, "POST").await, 403);
}

#[tokio::test]
async fn preflight_from_another_machine_is_refused_without_authentication() {
    let server = server().http(|http| http.cors_origin("https://app.example.com"));
    let client = client(server);
    assert_eq!(status(&client, None, "OPTIONS").await, 403);
    assert_eq!(status(&client, ELSEWHERE, "OPTIONS").await, 403);
    assert_eq!(status(&client, HERE, "OPTIONS").await, 204);
}

#[tokio::test]
async fn allow_unauthenticated_serves_every_address() {
    let server = server().http(|http| http.allow_unauthenticated());
    let client = client(server);
    assert_eq!(status(&client, None, "POST").await, 200);
    assert_eq!(status(&client, ELSEWHERE, "POST").await, 200);
}

#[tokio::test]
async fn with_authentication_credentials_are_required_from_every_address() {
    let server = server().http(|http| http.authenticate(Names));
    let client = client(server);
    for peer in [None, HERE, ELSEWHERE] {
        assert_eq!(status(&client, peer, "POST").await, 401);
    }
}
