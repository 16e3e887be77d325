//! How prompts fail, and what their clients read.

use super::*;

/// Fails with a secret in its source.
#[prompt]
async fn leak() -> Result<String, Error> {
    Err(std::io::Error::other("postgres://admin:hunter2@db"))?
}

/// Panics with a secret.
#[prompt]
async fn panics() -> String {
    panic!("hunter2")
}

/// Fails with words.
#[prompt]
async fn refuses() -> Result<String, Error> {
    Err(Error::user("Not today."))
}

/// Fails since there is nothing.
#[prompt]
async fn finds_nothing() -> Result<String, Error> {
    Err(Error::not_found("There is no such incident."))
}

/// Has no room.
#[prompt]
async fn full() -> Result<String, Error> {
    Err(Error::busy("Too much to do."))
}

/// Never ends.
#[prompt(timeout = "2s")]
async fn endless() -> String {
    std::future::pending().await
}

/// May be requested once.
#[prompt(rate = Rate::per_hour(1))]
async fn rated() -> &'static str {
    "once"
}

/// Is larger than it may be.
#[prompt(result_bytes = 2_000)]
async fn large() -> String {
    "x".repeat(3_000)
}

#[tokio::test(start_paused = true)]
async fn failures_are_protocol_errors_with_their_reason() {
    let log = Log::capture();
    let server = Server::builder("test", "1")
        .prompt::<leak>()
        .prompt::<panics>()
        .prompt::<refuses>()
        .prompt::<finds_nothing>()
        .prompt::<full>()
        .prompt::<endless>()
        .prompt::<rated>()
        .prompt::<large>()
        .build()
        .unwrap();
    let client = TestClient::new(&server).await;
    client.get_prompt("rated", json!({})).await;
    for (name, code, text, reason) in [
        (
            "leak",
            -32603,
            "An internal error occurred (reference ",
            "internal_error",
        ),
        (
            "panics",
            -32603,
            "An internal error occurred (reference ",
            "panic",
        ),
        ("refuses", -32603, "Not today.", "user_error"),
        (
            "finds_nothing",
            -32602,
            "There is no such incident.",
            "not_found",
        ),
        ("full", -32603, "Too much to do.", "busy"),
        (
            "endless",
            -32603,
            "The prompt timed out after 2 s.",
            "timeout",
        ),
        (
            "rated",
            -32603,
            "Rate limit of 1/h reached for this prompt. ",
            "rate_limited",
        ),
        (
            "large",
            -32603,
            "The result has 3064 bytes, more than the 2000 that this prompt",
            "result_too_large",
        ),
    ] {
        let failed = client
            .get_prompt(name, json!({}))
            .outcome()
            .await
            .unwrap_err();
        let (found, message, why) = message(&failed);
        let masked = message.contains("reference");
        assert_eq!((found, why), (code, (!masked).then_some(reason)), "{name}");
        assert!(message.starts_with(text), "{name}: {message}");
        assert!(!message.contains("hunter2"), "{message}");
        let lines = log.calls(name);
        let line = lines.last().unwrap();
        assert_eq!((line.get("kind"), line.get("outcome")), ("prompt", reason));
        if masked {
            assert!(message.contains(line.get("reference")), "{message}");
        }
    }
}
