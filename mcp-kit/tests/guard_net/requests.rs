//! What is sent, and the limits around a request as a whole.

use std::time::Duration;

use mcp_kit::ToolError;
use mcp_kit::guard::{HttpClient, HttpErrorKind};
use mcp_kit::http::header;
use mcp_kit::http::header::{HeaderName, HeaderValue};
use mcp_kit::http::{Method, StatusCode};

use crate::site::{Answer, Site, answer, builder, client, here, ok};

use HttpErrorKind::{BadAnswer, Request, Status, Timeout};

const NAMES: &[&str] = &["a.example"];

#[tokio::test]
async fn a_request_is_sent_as_it_was_made() {
    let mut site = Site::start(|_| answer("201 Created", "x-answer: yes\r\n", "done")).await;
    let client = builder(here(NAMES)).user_agent("probe/1").build().unwrap();
    let answer = client
        .request(Method::PATCH, &site.on("a.example", "/p?q=1"))
        .header(
            HeaderName::from_static("x-one"),
            HeaderValue::from_static("1"),
        )
        .json(&serde_json::json!({"a": 1}))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(answer.headers()["x-answer"], "yes");
    assert_eq!(
        answer.url().as_str(),
        site.on("a.example", "/p?q=1").as_str()
    );
    assert_eq!(answer.bytes().await.unwrap(), "done");
    let seen = site.next().await;
    assert_eq!((seen.method(), seen.path()), ("PATCH", "/p?q=1"));
    assert_eq!(
        seen.header("host"),
        Some(&*format!("a.example:{}", site.address.port()))
    );
    assert_eq!(seen.header("user-agent"), Some("probe/1"));
    assert_eq!(seen.header("accept-encoding"), Some("gzip"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("x-one"), Some("1"));
    assert_eq!(seen.body, br#"{"a":1}"#);
}

#[tokio::test]
async fn headers_of_the_connection_cannot_be_set() {
    let mut site = Site::with_body("here").await;
    for name in [
        header::HOST,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
        header::UPGRADE,
        header::ACCEPT_ENCODING,
        header::PROXY_AUTHORIZATION,
    ] {
        let error = client(here(NAMES))
            .get(&site.on("a.example", "/"))
            .header(name.clone(), HeaderValue::from_static("internal"))
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), Request, "{name}");
        // The author's mistake is not the client's.
        assert!(!ToolError::from(error).has_message());
    }
    for method in [Method::CONNECT, Method::TRACE] {
        let request = client(here(NAMES)).request(method, &site.on("a.example", "/"));
        assert_eq!(request.send().await.unwrap_err().kind(), Request);
    }
    assert!(site.is_quiet());
}

#[tokio::test]
async fn a_status_is_an_answer_and_an_error_for_those_who_ask() {
    let site = Site::start(|_| answer("404 Not Found", "", "no such page")).await;
    let url = site.on("a.example", "/");
    let answer = client(here(NAMES)).get(&url).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(answer.text().await.unwrap(), "no such page");
    let answer = client(here(NAMES)).get(&url).send().await.unwrap();
    let error = answer.error_for_status().unwrap_err();
    assert_eq!(error.kind(), Status(StatusCode::NOT_FOUND));
    assert_eq!(
        ToolError::from(error).message(),
        Some("The server answered with status 404 Not Found.")
    );
}

/// A limit for requests that are not answered. Those that are take far less, also on a
/// busy machine.
const BRIEF: Duration = Duration::from_secs(2);

/// A client with little time.
fn hurried() -> HttpClient {
    builder(here(NAMES)).timeout(BRIEF).build().unwrap()
}

#[tokio::test]
async fn the_longest_durations_are_limits_and_not_panics() {
    let site = Site::with_body("here").await;
    for longest in [Duration::MAX, Duration::from_secs(1 << 62)] {
        let client = builder(here(NAMES))
            .timeout(longest)
            .connect_timeout(longest)
            .build()
            .unwrap();
        let answer = client.get(&site.on("a.example", "/")).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "here");
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_a_timeout_and_is_left() {
    let client = hurried();
    let cases = [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ];
    let cases = cases.map(|held| {
        let client = client.clone();
        tokio::spawn(async move {
            let mut site = Site::start(move |_| Answer::Held(held.into())).await;
            let url = site.on("a.example", "/");
            let fetch = async { client.get(&url).send().await?.text().await };
            assert_eq!(fetch.await.unwrap_err().kind(), Timeout(BRIEF), "{held}");
            site.end_of_connection().await;
        })
    });
    for case in cases {
        case.await.unwrap();
    }
}

#[tokio::test]
async fn a_timeout_says_after_how_long() {
    let site = Site::start(|_| Answer::Held(Vec::new())).await;
    for (limit, text) in [
        (Duration::from_millis(250), "within 0.2 s"),
        (Duration::from_secs(1), "within 1 s"),
    ] {
        let client = builder(here(NAMES)).timeout(limit).build().unwrap();
        let error = client
            .get(&site.on("a.example", "/"))
            .send()
            .await
            .unwrap_err();
        let error = ToolError::from(error);
        let message = error.message().unwrap();
        assert!(
            message.contains("timed out") && message.contains(text),
            "{message}"
        );
    }
}

#[tokio::test]
async fn dropping_a_request_or_its_answer_ends_it() {
    let mut site = Site::start(|_| Answer::Held(Vec::new())).await;
    let request = client(here(NAMES)).get(&site.on("a.example", "/")).send();
    let request = tokio::spawn(request);
    site.next().await;
    request.abort();
    site.end_of_connection().await;

    let mut site = Site::start(|_| {
        Answer::Held(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec())
    })
    .await;
    let client = client(here(NAMES));
    let answer = client.get(&site.on("a.example", "/")).send().await.unwrap();
    drop(answer);
    site.end_of_connection().await;
}

#[tokio::test]
async fn floods_of_headers_are_refused() {
    let head = "HTTP/1.1 200 OK\r\n".to_owned();
    let many: String = (0..101).map(|n| format!("x-{n}: y\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(1 << 20));
    for flood in [
        Answer::Whole(format!("{head}{many}\r\n").into()),
        Answer::Whole(format!("{head}{long}\r\n").into()),
        Answer::Endless(head.clone().into(), b"x: y\r\n".to_vec()),
        Answer::Endless(head.clone().into(), vec![b'x'; 1_000]),
        Answer::Endless(Vec::new(), vec![b'x'; 1_000]),
    ] {
        let flood = std::sync::Mutex::new(Some(flood));
        let mut site = Site::start(move |_| flood.lock().unwrap().take().unwrap()).await;
        let error = client(here(NAMES))
            .get(&site.on("a.example", "/"))
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), BadAnswer);
        site.end_of_connection().await;
    }
}

#[tokio::test]
async fn what_is_not_http_is_a_bad_answer() {
    for text in [
        "",
        "SSH-2.0-OpenSSH_9.9\r\n",
        "+OK redis\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
    ] {
        let site = Site::start(move |_| Answer::Whole(text.into())).await;
        let error = client(here(NAMES))
            .get(&site.on("a.example", "/"))
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), BadAnswer, "{text:?}");
    }
}

#[tokio::test]
async fn requests_above_the_concurrency_wait_for_an_answer_to_be_dropped() {
    let mut site = Site::with_body("here").await;
    let client: HttpClient = builder(here(NAMES)).concurrency(1).build().unwrap();
    let url = site.on("a.example", "/");
    let first = client.get(&url).send().await.unwrap();
    site.next().await;
    let mut second = Box::pin(client.get(&url).send());
    let waits = std::future::poll_fn(|context| {
        std::task::Poll::Ready(second.as_mut().poll(context).is_pending())
    });
    assert!(waits.await && site.is_quiet());
    drop(first);
    assert_eq!(second.await.unwrap().text().await.unwrap(), "here");
    // A clone shares the limit, and what waits has no more time than it was given.
    let client = builder(here(NAMES))
        .concurrency(1)
        .timeout(BRIEF)
        .build()
        .unwrap();
    let _held = loop {
        match client.get(&url).send().await {
            Ok(answer) => break answer,
            Err(error) => assert_eq!(error.kind(), Timeout(BRIEF)),
        }
    };
    let late = client.clone().get(&url).send().await.unwrap_err();
    assert_eq!(late.kind(), Timeout(BRIEF));
}

#[tokio::test]
async fn a_slow_server_is_served_by_its_own_time_alone() {
    // Bytes that trickle do not move the deadline.
    let site = Site::start(|_| Answer::Held(b"HTTP/1.1 200 OK\r\n\r\n".to_vec())).await;
    let client = hurried();
    let mut answer = client.get(&site.on("a.example", "/")).send().await.unwrap();
    assert_eq!(answer.chunk().await.unwrap_err().kind(), Timeout(BRIEF));
    let quick = Site::start(|_| ok("quick")).await;
    let answer = client
        .get(&quick.on("a.example", "/"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.text().await.unwrap(), "quick");
}
