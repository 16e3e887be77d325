//! A folder of text and markdown files, searched with SQLite's full-text index.
//!
//! The index lives in memory and is built once, when the server starts. What
//! the model sees of a file is its path inside the folder, never the host's.

mod embedded;
mod folder;
mod index;
mod sections;
mod terms;

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use tokio::{sync::Mutex, task::spawn_blocking};

use crate::{SearchError, SearchHit, SearchProvider};
use index::Index;

pub use folder::{FolderError, MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES};

/// Documents, indexed for search. Clones share one index.
#[derive(Clone)]
pub struct Corpus {
    index: Arc<Mutex<Index>>,
    searches: Arc<str>,
}

/// A document: its path inside the corpus, with `/` between folders, and its
/// text. Names that end in `.md` are read as markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// `guide/limits.md`
    pub path: String,
    /// All of its text.
    pub text: String,
}

impl Corpus {
    /// Notes on running a web service, which are part of the program.
    ///
    /// # Errors
    ///
    /// When SQLite fails, which means that there is no memory left.
    pub fn embedded() -> Result<Self, SearchError> {
        Self::new("notes on running a web service", embedded::documents())
    }

    /// The `.md` and `.txt` files in `folder` and in the folders below it.
    ///
    /// Files that cannot be used are left out and named in the log: too large,
    /// not UTF-8, unreadable, or a link that leads out of the folder.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, or holds more than the bounds allow.
    pub fn folder(folder: &Path) -> Result<Self, FolderError> {
        let contents = folder::read(folder)?;
        for skipped in &contents.skipped {
            tracing::warn!(file = ?skipped.path, reason = skipped.reason, "left out of the search");
        }
        tracing::info!(documents = contents.documents.len(), "folder indexed");
        Self::new("a folder of documents", contents.documents).map_err(FolderError::Index)
    }

    /// The given documents. `searches` says in words what they are.
    ///
    /// # Errors
    ///
    /// When SQLite fails, or two documents have the same path.
    pub fn new(
        searches: &str,
        documents: impl IntoIterator<Item = Document>,
    ) -> Result<Self, SearchError> {
        let index = Index::build(documents).map_err(index_error)?;
        Ok(Self {
            index: Arc::new(Mutex::new(index)),
            searches: searches.into(),
        })
    }

    /// The text behind a hit's `url`: one section, or the whole document if the
    /// URL has no `#`. `None` if there is no such document.
    ///
    /// # Errors
    ///
    /// When SQLite fails.
    pub async fn read(&self, url: &str) -> Result<Option<String>, SearchError> {
        let url = url.to_owned();
        self.with_index(move |index| index.read(&url)).await
    }

    /// Runs `work` on the blocking pool. The index is awaited first, so calls
    /// that wait for it hold no thread and can still be cancelled.
    async fn with_index<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Index) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, SearchError> {
        let index = Arc::clone(&self.index).lock_owned().await;
        spawn_blocking(move || work(&index))
            .await
            .map_err(|error| SearchError::Index(error.into()))?
            .map_err(index_error)
    }
}

#[async_trait]
impl SearchProvider for Corpus {
    fn searches(&self) -> &str {
        &self.searches
    }

    async fn search(&self, query: &str, limit: usize) -> Result<Vec<SearchHit>, SearchError> {
        let terms = terms::of(query);
        if terms.is_empty() {
            return Ok(Vec::new());
        }
        self.with_index(move |index| {
            let hits = index.search(&terms.all(), limit)?;
            if hits.is_empty() {
                return index.search(&terms.any(), limit);
            }
            Ok(hits)
        })
        .await
    }
}

fn index_error(error: rusqlite::Error) -> SearchError {
    SearchError::Index(error.into())
}
