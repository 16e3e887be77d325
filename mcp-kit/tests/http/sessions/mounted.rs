//! The service in an application of somebody's: whom it lets in.

use http::StatusCode;
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use mcp_kit::testing::{Client, HttpClient};

use super::tools::wait;
use crate::client::{Ask as _, Names, initialize};

const HERE: Option<&str> = Some("127.0.0.1:4000");
const ELSEWHERE: Option<&str> = Some("192.0.2.7:4000");

fn server() -> ServerBuilder {
    Server::builder("test", "1").tool::<wait>()
}

fn client(server: ServerBuilder) -> HttpClient {
    Client::http(&server.build().unwrap())
        .header("host", "localhost")
        .header("x-forwarded-for", "192.0.2.8")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
}

async fn status(client: &HttpClient, peer: Option<&str>, method: &str) -> StatusCode {
    let client = client.clone().peer(peer.map(|peer| peer.parse().unwrap()));
    let message = initialize("2025-11-25").to_string();
    client.bare(method, "/mcp", &[], &message).await.status()
}

#[tokio::test]
async fn without_credentials_this_machine_alone_is_served() {
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
async fn who_comes_through_a_proxy_of_this_machine_is_elsewhere() {
    let server = server().http(|http| http.trust_proxy("loopback"));
    let client = client(server);
    assert_eq!(status(&client, HERE, "POST").await, 403);
}

#[tokio::test]
async fn pages_are_told_no_more_than_others() {
    let server = server().http(|http| http.cors_origin("https://app.example.com"));
    let client = client(server);
    assert_eq!(status(&client, None, "OPTIONS").await, 403);
    assert_eq!(status(&client, ELSEWHERE, "OPTIONS").await, 403);
    assert_eq!(status(&client, HERE, "OPTIONS").await, 204);
}

#[tokio::test]
async fn everybody_is_served_where_that_is_said() {
    let server = server().http(|http| http.allow_unauthenticated());
    let client = client(server);
    assert_eq!(status(&client, None, "POST").await, 200);
    assert_eq!(status(&client, ELSEWHERE, "POST").await, 200);
}

#[tokio::test]
async fn credentials_are_asked_for_wherever_a_request_comes_from() {
    let server = server().http(|http| http.authenticate(Names));
    let client = client(server);
    for peer in [None, HERE, ELSEWHERE] {
        assert_eq!(status(&client, peer, "POST").await, 401);
    }
}
