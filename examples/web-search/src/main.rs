//! The program: picks what to search, and leaves the rest to mcp-kit.

use std::{error::Error, path::PathBuf, process::ExitCode};

use mcp_kit::Server;
use web_search::{Corpus, brave_from_env, corpus_server, web_server};

/// Search the web (with a key for Brave's API in BRAVE_API_KEY), or a folder of
/// documents, or, with neither, the built-in notes on running a web service.
#[derive(clap::Args)]
struct Options {
    /// Search the .md and .txt files in this folder, whatever BRAVE_API_KEY says.
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
}

fn main() -> ExitCode {
    mcp_kit::cli::run(build)
}

fn build(options: Options) -> Result<Server, Box<dyn Error>> {
    if let Some(folder) = options.corpus {
        return Ok(corpus_server(Corpus::folder(&folder)?)?);
    }
    if let Some(brave) = brave_from_env()? {
        return Ok(web_server(brave)?);
    }
    Ok(corpus_server(Corpus::embedded()?)?)
}
