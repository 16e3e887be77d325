//! What every source of search results has in common: the trait, the hits, and
//! the ways in which a search can fail.
//!
//! A new source implements [`SearchProvider`] and is put into a [`Search`]; the
//! tools do not change.

use std::{error::Error, sync::Arc, time::Duration};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Serialize;

/// A source of search results.
#[async_trait]
pub trait SearchProvider: Send + Sync + 'static {
    /// What is searched, in words for the model: `the web, with Brave Search`.
    fn searches(&self) -> &str;

    /// The best hits for `query`, best first, at most `limit` of them.
    ///
    /// Nothing found is an empty list, not an error.
    async fn search(&self, query: &str, limit: usize) -> Result<Vec<SearchHit>, SearchError>;
}

/// The provider that the server was started with, as the tools hold it.
#[derive(Clone)]
pub struct Search(Arc<dyn SearchProvider>);

impl Search {
    /// Searches with `provider`.
    pub fn new(provider: impl SearchProvider) -> Self {
        Self(Arc::new(provider))
    }
}

impl std::ops::Deref for Search {
    type Target = dyn SearchProvider;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

/// One search result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SearchHit {
    /// The title of the page.
    pub title: String,
    /// Where the page is.
    pub url: String,
    /// The part of the page that fits the query, as plain text.
    pub snippet: String,
    /// When the page was published or last changed, where the source knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
}

impl SearchHit {
    /// A hit with its text on one line and of a length that suits a list: a
    /// page decides neither how much of an answer it fills nor how it looks.
    pub fn new(title: &str, url: impl Into<String>, snippet: &str) -> Self {
        Self {
            title: one_line(title, 200),
            url: url.into(),
            snippet: one_line(snippet, 600),
            published: None,
        }
    }
}

/// `text` with single spaces, cut after `max` characters.
fn one_line(text: &str, max: usize) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(max) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// Why a search failed. One variant for each thing that the caller, or the
/// person who runs the server, would do next.
///
/// The texts are for the log. What the model reads is written in
/// `tools.rs`, so nothing that a remote service says can reach it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// Too many searches; the service may say for how long.
    #[error("the search service limits the rate (wait: {retry_after:?})")]
    RateLimited {
        /// How long to wait, where the service said so.
        retry_after: Option<Duration>,
    },
    /// The key is missing, wrong, expired, or not allowed to search.
    #[error("the search service refused the key (status {status})")]
    Unauthorized {
        /// The HTTP status. Brave uses 401, 403 and 422.
        status: u16,
    },
    /// No answer in time.
    #[error("the search service did not answer in time")]
    Timeout,
    /// An HTTP status that is none of the above.
    #[error("the search service answered with status {status}")]
    BadStatus {
        /// The HTTP status.
        status: u16,
    },
    /// An answer that is too large, or not of the documented shape.
    #[error("the search service sent an answer that cannot be used: {reason}")]
    BadAnswer {
        /// What is wrong with it, without quoting it.
        reason: &'static str,
    },
    /// No connection, or one that broke.
    #[error("the search service cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// The search index failed.
    #[error("the search index failed")]
    Index(#[source] Box<dyn Error + Send + Sync>),
}
