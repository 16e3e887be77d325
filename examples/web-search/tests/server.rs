//! The server as a client sees it, through the whole protocol.

use mcp_kit::testing::TestClient;
use serde_json::json;
use web_search::{ApiKey, Brave, BraveOptions, Corpus, corpus_server, web_server};

async fn client() -> TestClient {
    let corpus = Corpus::embedded().expect("the index is built");
    TestClient::new(&corpus_server(corpus).expect("a server")).await
}

#[tokio::test]
async fn documents_can_be_searched_and_read_and_the_web_searched_only() {
    let tools = client().await.list_tools().await;
    let names: Vec<_> = tools.iter().map(|tool| &tool["name"]).collect();
    assert_eq!(names, ["search_web", "read_page"]);
    let query = &tools[0]["inputSchema"]["properties"]["query"];
    assert_eq!(query["maxLength"], 400);
    let words = query["description"].as_str().expect("a description");
    assert!(words.contains("control characters"), "{words}");

    let key = ApiKey::new("key").expect("a good key");
    let brave = Brave::new(key, BraveOptions::default()).expect("good options");
    let client = TestClient::new(&web_server(brave).expect("a server")).await;
    let tools = client.list_tools().await;
    let names: Vec<_> = tools.iter().map(|tool| &tool["name"]).collect();
    assert_eq!(names, ["search_web"]);
}

#[tokio::test]
async fn results_are_structured() {
    let client = client().await;
    let query = json!({"query": "rate limits"});
    let result = client.call("search_web", query).await;
    assert!(!result.is_error());
    let found = result.structured().expect("structured content");
    assert_eq!(found["searched"], "notes on running a web service");
    assert_eq!(found["results"].as_array().map(Vec::len), Some(5));
    assert_eq!(found["results"][0]["title"], "Limits › Rate limits");
}

#[tokio::test]
async fn wrong_arguments_are_explained_all_at_once() {
    let client = client().await;
    let wrong = json!({"query": "a\u{0}b", "maxResults": 11, "max_results": 3});
    let result = client.call("search_web", wrong).await;
    assert!(result.is_error());
    let text = result.text();
    for part in [
        "query: ",
        "no control characters",
        "maxResults: must be at most 10",
        "unknown argument \"max_results\" (did you mean \"maxResults\"?)",
    ] {
        assert!(text.contains(part), "{text}");
    }
}
