//! The service in an application of somebody's: whom it lets in.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use mcp_kit::prelude::*;
use mcp_kit::server::ServerBuilder;
use mcp_kit::transport::http::{HttpService, PeerAddr};
use tower_service::Service as _;

use crate::client::{Names, initialize};
use crate::tools::wait;

const HERE: Option<&str> = Some("127.0.0.1:4000");
const ELSEWHERE: Option<&str> = Some("192.0.2.7:4000");

fn server() -> ServerBuilder {
    Server::builder("test", "1").tool::<wait>()
}

async fn status(service: &HttpService, peer: Option<&str>, method: &str) -> StatusCode {
    let mut request = Request::builder()
        .method(method)
        .uri("/mcp")
        .header("host", "localhost")
        .header("x-forwarded-for", "192.0.2.8")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream");
    if let Some(peer) = peer {
        let peer: SocketAddr = peer.parse().unwrap();
        request = request.extension(PeerAddr(peer));
    }
    let body = Full::<Bytes>::from(initialize("2025-11-25").to_string());
    let request = request.body(body).unwrap();
    service.clone().call(request).await.unwrap().status()
}

#[tokio::test]
async fn without_credentials_this_machine_alone_is_served() {
    let service = server().build().unwrap().http_service();
    // Which host it names is the client's to choose.
    assert_eq!(status(&service, None, "POST").await, 403);
    assert_eq!(status(&service, ELSEWHERE, "POST").await, 403);
    assert_eq!(status(&service, Some("[::1]:4000"), "POST").await, 200);
    let mapped = Some("[::ffff:127.0.0.1]:4000");
    assert_eq!(status(&service, mapped, "POST").await, 200);
    assert_eq!(status(&service, HERE, "POST").await, 200);
}

#[tokio::test]
async fn who_comes_through_a_proxy_of_this_machine_is_elsewhere() {
    let server = server().http(|http| http.trust_proxy("loopback"));
    let service = server.build().unwrap().http_service();
    assert_eq!(status(&service, HERE, "POST").await, 403);
}

#[tokio::test]
async fn pages_are_told_no_more_than_others() {
    let server = server().http(|http| http.cors_origin("https://app.example.com"));
    let service = server.build().unwrap().http_service();
    assert_eq!(status(&service, None, "OPTIONS").await, 403);
    assert_eq!(status(&service, ELSEWHERE, "OPTIONS").await, 403);
    assert_eq!(status(&service, HERE, "OPTIONS").await, 204);
}

#[tokio::test]
async fn everybody_is_served_where_that_is_said() {
    let service = server().http(|http| http.allow_unauthenticated());
    let service = service.build().unwrap().http_service();
    assert_eq!(status(&service, None, "POST").await, 200);
    assert_eq!(status(&service, ELSEWHERE, "POST").await, 200);
}

#[tokio::test]
async fn credentials_are_asked_for_wherever_a_request_comes_from() {
    let service = server().http(|http| http.authenticate(Names));
    let service = service.build().unwrap().http_service();
    for peer in [None, HERE, ELSEWHERE] {
        assert_eq!(status(&service, peer, "POST").await, 401);
    }
}
