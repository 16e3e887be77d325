//! An MCP server that lets a model search: the web, through Brave, or a folder
//! of documents, through SQLite's full-text index.
//!
//! Read it in this order: [`search_web`](fn@search_web) is the tool,
//! [`SearchProvider`] is what its sources share, [`Brave`] and [`Corpus`] are the sources, and
//! [`web_server`] and [`corpus_server`] put them together.

#![forbid(unsafe_code)]

mod brave;
mod corpus;
mod provider;
mod query;
mod server;
mod tools;

pub use brave::{ApiKey, BRAVE_BASE_URL, Brave, BraveOptions, BraveSetupError};
pub use corpus::{Corpus, Document, FolderError, MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES};
pub use provider::{Search, SearchError, SearchHit, SearchProvider};
pub use query::{MAX_QUERY_CHARS, MAX_QUERY_WORDS, searchable};
pub use server::{
    brave_from_env, corpus_server, document_tools, instructions, search_tools, web_server,
};
pub use tools::{ReadArgs, SearchArgs, SearchResults, read_page, search_web};
