//! The tools as functions: what a model reads for a search that worked, and for
//! one that did not.

mod support;

use mcp_kit::{Json, State, ToolError};
use support::{http, stand_in};
use web_search::{
    ApiKey, Brave, BraveOptions, Corpus, ReadArgs, Search, SearchArgs, SearchResults, read_page,
    search_web,
};

async fn ask(search: Search, query: &str) -> Result<SearchResults, ToolError> {
    let args = SearchArgs {
        query: query.to_owned(),
        max_results: 3,
    };
    let Json(results) = search_web(args, State(search)).await?;
    Ok(results)
}

/// Searches a stand-in for Brave that gives one answer.
async fn ask_brave(answer: String) -> Result<SearchResults, ToolError> {
    let mut stand_in = stand_in(answer).await;
    let options = BraveOptions {
        base_url: stand_in.base_url.clone(),
        ..BraveOptions::default()
    };
    let key = ApiKey::new("BSA-very-secret").expect("a good key");
    let brave = Brave::new(key, options).expect("good options");
    let outcome = ask(Search::new(brave), "rust").await;
    assert!(stand_in.requests.try_recv().is_ok());
    assert!(stand_in.requests.try_recv().is_err(), "Brave is asked once");
    outcome
}

#[tokio::test]
async fn an_answer_names_what_was_searched() {
    let corpus = Corpus::embedded().expect("the index is built");
    let found = ask(Search::new(corpus), "rate limits").await.expect("hits");
    assert_eq!(found.searched, "notes on running a web service");
    assert_eq!(found.results.len(), 3);

    let found = ask_brave(http("200 OK", "", "{}")).await.expect("no hits");
    assert_eq!(found.searched, "the web, with Brave Search");
    assert!(found.results.is_empty());
}

#[tokio::test]
async fn what_goes_wrong_at_brave_is_put_in_words_of_our_own() {
    for (status, headers, words) in [
        (
            "429 Too Many Requests",
            "retry-after: 60\r\n",
            "Search rate limit reached. Try again in 60 seconds.",
        ),
        (
            "401 Unauthorized",
            "",
            "The search service refused this server's API key.",
        ),
        (
            "500 Internal Server Error",
            "",
            "The search service has a problem of its own.",
        ),
    ] {
        let answer = http(status, headers, "words of the service");
        let error = ask_brave(answer).await.expect_err(status);
        let message = error.message().expect("a message for the model");
        assert!(message.starts_with(words), "{message}");
        assert!(!format!("{error:?}").contains("words of the service"));
        assert!(!format!("{error:?}").contains("BSA-very-secret"));
    }
}

#[tokio::test]
async fn what_a_search_finds_can_be_read() {
    let corpus = Corpus::embedded().expect("the index is built");
    let found = ask(Search::new(corpus.clone()), "idempotency key").await;
    let url = found.expect("hits").results[0].url.clone();
    let text = read_page(ReadArgs { url }, State(corpus.clone())).await;
    assert!(
        text.expect("a page")
            .starts_with("## What may be retried\n")
    );

    let url = "corpus:../secret.md".to_owned();
    let error = read_page(ReadArgs { url }, State(corpus)).await;
    let error = error.expect_err("no such page");
    assert!(error.message().expect("a message").contains("search_web"));
}
