//! The web-search tools on the network. What to search is picked as the
//! web-search example does; what is different is how it is served.
//!
//! Where to listen, the keys, the public name and the proxies are the business
//! of its operator: they are options and environment variables of the
//! command `http`. What belongs to these tools is set here.

use std::{error::Error, path::PathBuf, process::ExitCode};

use mcp_kit::Server;
use mcp_kit::limits::{Rate, RedisLimits};
use web_search::{
    Corpus, Search, SearchProvider as _, brave_from_env, document_tools, instructions, search_tools,
};

/// Search the web (with a key for Brave's API in BRAVE_API_KEY), or a folder of
/// documents, or, with neither, the built-in notes on running a web service;
/// over HTTP, for callers with a key.
#[derive(clap::Args)]
struct Options {
    /// Search the .md and .txt files in this folder, whatever BRAVE_API_KEY says.
    #[arg(long, value_name = "DIR", env = "SEARCH_CORPUS")]
    corpus: Option<PathBuf>,
}

fn main() -> ExitCode {
    mcp_kit::cli::run(build)
}

fn build(options: Options) -> Result<Server, Box<dyn Error>> {
    let (corpus, search) = match (options.corpus, brave_from_env()?) {
        (Some(folder), _) => documents(Corpus::folder(&folder)?),
        // The web has no readiness check: a search costs money, and if Brave is out of
        // order it is so for all replicas. Then the tool's own words help more than a
        // proxy that has no server left.
        (None, Some(brave)) => (None, Search::new(brave)),
        (None, None) => documents(Corpus::embedded()?),
    };
    let mut server = Server::builder("remote-search", env!("CARGO_PKG_VERSION"))
        .instructions(instructions(&search))
        .state(search)
        // One caller's share of each tool.
        .rate_limit(Rate::per_minute(60))
        // And of everything, lists and failed calls included.
        .http(|http| http.principal_rate(Rate::per_minute(300)))
        // Several replicas count together, and know each other's sessions,
        // through the Redis or Valkey of MCP_REDIS_URL.
        .shared_limits(RedisLimits::from_env()?);
    server = match corpus {
        None => server.merge(search_tools()),
        Some(corpus) => {
            let index = corpus.clone();
            server
                .state(corpus)
                .merge(document_tools())
                .http(|http| http.ready_check("index", move || answers(index.clone())))
        }
    };
    Ok(server.build()?)
}

/// Documents, and what searches them.
fn documents(corpus: Corpus) -> (Option<Corpus>, Search) {
    let search = Search::new(corpus.clone());
    (Some(corpus), search)
}

/// Whether a search comes to an end without an error.
async fn answers(index: Corpus) -> bool {
    index.search("ready", 1).await.is_ok()
}
