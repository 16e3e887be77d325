//! An MCP server that lets a model search: the web, through Brave, or a folder
//! of documents, through SQLite's full-text index.
//!
//! Read it in this order: [`provider`](SearchProvider) is what the two sources
//! share, [`Brave`] and [`Corpus`] are the sources.

#![forbid(unsafe_code)]

mod brave;
mod corpus;
mod provider;
mod query;

pub use brave::{ApiKey, BRAVE_BASE_URL, Brave, BraveOptions, BraveSetupError};
pub use corpus::{Corpus, Document, FolderError, MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES};
pub use provider::{Search, SearchError, SearchHit, SearchProvider};
pub use query::{MAX_QUERY_CHARS, MAX_QUERY_WORDS, searchable};
