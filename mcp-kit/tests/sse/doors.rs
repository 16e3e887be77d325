//! Who may open a stream, and send to it.

use std::time::Duration;

use mcp_kit::Server;
use mcp_kit::middleware::Rate;
use serde_json::json;
use tokio::time::sleep;

use crate::client::{Caller, Names, initialize, ping};
use crate::tools::server;

#[tokio::test]
async fn it_is_served_where_it_is_asked_for() {
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
    let allow = |answer: crate::client::Answer| {
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
        let told = told["error"]["message"].as_str().unwrap();
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
    let json = [("content-type", "application/json")];
    let refused = caller.ask("POST", &client.endpoint, &json, "{").await;
    assert_eq!(refused.refusal(400)["error"]["code"], -32700);
    let refused = caller.post(&client.endpoint, &json!({"id": 7})).await;
    assert_eq!(refused.refusal(400)["id"], 7);
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
    let nobody = Caller {
        name: None,
        ..bob.clone()
    };
    nobody.post(&hers.endpoint, &ping(1)).await.refusal(401);
    nobody.no_stream().await.refusal(401);
    hers.assert_silent().await;
}

#[tokio::test(start_paused = true)]
async fn streams_and_sessions_share_the_places_that_there_are() {
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
async fn open_streams_take_no_request_its_place() {
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
