//! What Brave can answer, and what becomes of it.

mod support;

use std::time::Duration;

use support::{http, stand_in};
use web_search::{ApiKey, Brave, BraveOptions, SearchError, SearchHit, SearchProvider};

const KEY: &str = "BSA-very-secret";

fn brave(base_url: &str) -> Brave {
    brave_with(BraveOptions {
        base_url: base_url.to_owned(),
        ..BraveOptions::default()
    })
}

fn brave_with(options: BraveOptions) -> Brave {
    Brave::new(ApiKey::new(KEY).expect("a good key"), options).expect("good options")
}

/// Searches a stand-in that gives one answer.
async fn search(answer: impl Into<Vec<u8>>) -> Result<Vec<SearchHit>, SearchError> {
    let stand_in = stand_in(answer).await;
    brave(&stand_in.base_url).search("rust", 5).await
}

#[tokio::test]
async fn hits_are_plain_text_and_the_request_is_what_brave_documents() {
    let body = r#"{
        "type": "search",
        "query": {"original": "c++ & rust"},
        "web": {"type": "search", "results": [
            {"title": "The <strong>Rust</strong> Book", "url": "https://doc.example/book",
             "description": "Ownership &amp; <strong>borrowing</strong>&#x27;s rules",
             "page_age": "2025-06-01T00:00:00", "profile": {"name": "Docs"}},
            {"title": "No description", "url": "https://other.example/"}
        ]}
    }"#;
    let mut stand_in = stand_in(http("200 OK", "", body)).await;
    let hits = brave(&stand_in.base_url).search(" c++ & rust ", 5).await;
    let hits = hits.expect("a good answer");
    assert_eq!(hits.len(), 2);
    assert_eq!(
        hits[0],
        SearchHit {
            title: "The Rust Book".to_owned(),
            url: "https://doc.example/book".to_owned(),
            snippet: "Ownership & borrowing's rules".to_owned(),
            published: Some("2025-06-01T00:00:00".to_owned()),
        }
    );
    assert_eq!(hits[1].snippet, "");

    let request = stand_in.requests.recv().await.expect("a request");
    let line = request.lines().next().unwrap_or_default();
    assert!(line.starts_with("GET /web/search?q=c%2B%2B+%26+rust&count=5&"));
    assert!(request.contains(&format!("x-subscription-token: {KEY}\r\n")));
}

#[tokio::test]
async fn more_hits_than_asked_for_are_cut() {
    let page = r#"{"title": "t", "url": "u", "description": "d"}"#;
    let body = format!(r#"{{"web": {{"results": [{}]}}}}"#, [page; 9].join(","));
    assert_eq!(
        search(http("200 OK", "", &body)).await.expect("hits").len(),
        5
    );
}

#[tokio::test]
async fn a_refused_key_has_its_own_message() {
    let wrong_key = r#"{"type": "ErrorResponse", "error": {"id": "1", "status": 422,
        "code": "SUBSCRIPTION_TOKEN_INVALID", "detail": "…"}, "time": 1}"#;
    for (status, body) in [
        ("401 Unauthorized", "bad key"),
        ("403 Forbidden", ""),
        ("422 Unprocessable Entity", wrong_key),
    ] {
        let error = search(http(status, "", body)).await.expect_err(status);
        assert!(matches!(error, SearchError::Unauthorized { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_rate_limit_says_how_long_to_wait_when_brave_does() {
    let wait = async |headers: &str| {
        let answer = http("429 Too Many Requests", headers, "{}");
        match search(answer).await {
            Err(SearchError::RateLimited { retry_after }) => retry_after.map(|d| d.as_secs()),
            other => panic!("not a rate limit: {other:?}"),
        }
    };
    assert_eq!(wait("retry-after: 60\r\n").await, Some(60));
    assert_eq!(wait("").await, None);
    let windows = "x-ratelimit-remaining: 0, 812\r\nx-ratelimit-reset: 1, 1419704\r\n";
    assert_eq!(wait(windows).await, Some(1));
}

#[tokio::test]
async fn other_statuses_are_kept_and_their_texts_are_not() {
    for (answer, expected) in [
        (http("500 Internal Server Error", "", "stack trace"), 500),
        (http("422 Unprocessable Entity", "", "stack trace"), 422),
        (
            http(
                "422 Unprocessable Entity",
                "",
                r#"{"error": {"code": "VALIDATION", "detail": "stack trace"}}"#,
            ),
            422,
        ),
    ] {
        let error = search(answer).await.expect_err("no hits");
        assert!(!format!("{error:?}").contains("stack trace"));
        match error {
            SearchError::BadStatus { status } => assert_eq!(status, expected),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut elsewhere = stand_in(http("200 OK", "", "{}")).await;
    let location = format!("location: {}/\r\n", elsewhere.base_url);
    let error = search(http("302 Found", &location, ""))
        .await
        .expect_err("no hits");
    assert!(matches!(error, SearchError::BadAnswer { .. }), "{error:?}");
    assert!(elsewhere.requests.try_recv().is_err());
}

#[tokio::test]
async fn a_slow_answer_is_a_timeout() {
    let error = slow(Vec::new()).await;
    assert!(matches!(error, SearchError::Timeout), "{error:?}");
    // The head alone, and half of the body.
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
    let error = slow(half).await;
    assert!(matches!(error, SearchError::Timeout), "{error:?}");
}

async fn slow(answer: impl Into<Vec<u8>>) -> SearchError {
    let stand_in = stand_in(answer).await;
    let brave = brave_with(BraveOptions {
        base_url: stand_in.base_url.clone(),
        timeout: Duration::from_millis(50),
        ..BraveOptions::default()
    });
    brave.search("rust", 5).await.expect_err("no answer")
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused_whatever_it_claims() {
    let page = format!(
        r#"{{"web": {{"results": [], "padding": "{}"}}}}"#,
        "x".repeat(4096)
    );
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{page}\r\n0\r\n\r\n",
        page.len()
    );
    for answer in [http("200 OK", "", &page), chunked] {
        let stand_in = stand_in(answer).await;
        let brave = brave_with(BraveOptions {
            base_url: stand_in.base_url.clone(),
            max_answer_bytes: 1024,
            ..BraveOptions::default()
        });
        let error = brave.search("rust", 5).await.expect_err("too large");
        assert!(matches!(error, SearchError::BadAnswer { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_the_documented_json_is_refused() {
    for body in [
        "",
        "<html>",
        r#"{"web": 5}"#,
        r#"{"web": {"results": [{}]}}"#,
    ] {
        let error = search(http("200 OK", "", body)).await.expect_err(body);
        assert!(matches!(error, SearchError::BadAnswer { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn no_connection_and_a_broken_one_are_unreachable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let address = listener.expect("a port").local_addr().expect("an address");
    // The listener is gone, so the port refuses.
    let error = brave(&format!("http://{address}"))
        .search("secret words", 5)
        .await;
    let error = error.expect_err("no process listens");
    assert!(matches!(error, SearchError::Unreachable(_)), "{error:?}");
    assert!(
        !format!("{error:?}").contains("secret"),
        "the query stays out of the log"
    );

    let error = search("not HTTP at all\r\n\r\n")
        .await
        .expect_err("no HTTP");
    assert!(matches!(error, SearchError::Unreachable(_)), "{error:?}");
}

#[test]
fn a_client_can_be_logged_without_its_key() {
    let brave = brave("https://api.example/");
    assert!(!format!("{brave:?}").contains(KEY));
}
