//! Puts a source of results and the tools together.

use std::error::Error;

use mcp_kit::{Server, server::BuildError};

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
    builder(Search::new(brave)).build()
}

/// A server that searches documents, and reads them too: nothing else could
/// open their URLs.
///
/// # Errors
///
/// When mcp-kit finds something wrong with the tools.
pub fn corpus_server(corpus: Corpus) -> Result<Server, BuildError> {
    builder(Search::new(corpus.clone()))
        .state(corpus)
        .tool::<read_page>()
        .build()
}

fn builder(search: Search) -> mcp_kit::server::ServerBuilder {
    let instructions = format!("search_web searches {}.", search.searches());
    Server::builder("web-search", env!("CARGO_PKG_VERSION"))
        .instructions(instructions)
        .state(search)
        .tool::<search_web>()
}

/// Brave as the environment describes it: `BRAVE_API_KEY`, and `BRAVE_BASE_URL`
/// where it is not the usual one. `None` without a key.
///
/// # Errors
///
/// When one of the two cannot be used.
pub fn brave_from_env() -> Result<Option<Brave>, Box<dyn Error>> {
    // Hosts pass on a setting that nobody filled in as an empty one.
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
