//! Puts a source of results and the tools together.

use std::error::Error;

use mcp_kit::{Router, Server, server::BuildError};

use crate::{
    ApiKey, Brave, BraveOptions, Corpus, Search,
    tools::{read_page, search_web},
};

/// A server that searches the web.
///
/// # Errors
///
/// When mcp-kit finds something wrong with the tools.
pub fn web_server(brave: Brave) -> Result<Server, BuildError> {
    let search = Search::new(brave);
    Server::builder("web-search", env!("CARGO_PKG_VERSION"))
        .instructions(instructions(&search))
        .state(search)
        .merge(search_tools())
        .build()
}

/// A server that searches documents, and reads them too: nothing else could
/// open their URLs.
///
/// # Errors
///
/// When mcp-kit finds something wrong with the tools.
pub fn corpus_server(corpus: Corpus) -> Result<Server, BuildError> {
    let search = Search::new(corpus.clone());
    Server::builder("web-search", env!("CARGO_PKG_VERSION"))
        .instructions(instructions(&search))
        .state(search)
        .state(corpus)
        .merge(document_tools())
        .build()
}

/// The tool that searches. It requires a [`Search`] among the server's states.
pub fn search_tools() -> Router {
    // A source answers so many searches at once; further ones wait.
    Router::new().tool_with::<search_web>(|tool| tool.concurrency(32))
}

/// The tools that search documents and read them. They require a [`Search`] and a
/// [`Corpus`] among the server's states.
pub fn document_tools() -> Router {
    search_tools().tool::<read_page>()
}

/// What a model should know of a server with these tools.
#[must_use]
pub fn instructions(search: &Search) -> String {
    format!("search_web searches {}.", search.searches())
}

/// Brave as the environment describes it: `BRAVE_API_KEY`, and `BRAVE_BASE_URL`
/// where it is not the usual one. `None` without a key.
///
/// # Errors
///
/// When one of the two cannot be used.
pub fn brave_from_env() -> Result<Option<Brave>, Box<dyn Error>> {
    // Hosts pass on a setting that the user left blank as an empty one.
    let setting = |name| {
        std::env::var(name)
            .ok()
            .filter(|value| !value.trim().is_empty())
    };
    let Some(key) = setting("BRAVE_API_KEY") else {
        return Ok(None);
    };
    let mut options = BraveOptions::default();
    if let Some(base_url) = setting("BRAVE_BASE_URL") {
        options.base_url = base_url;
    }
    Ok(Some(Brave::new(ApiKey::new(&key)?, options)?))
}
