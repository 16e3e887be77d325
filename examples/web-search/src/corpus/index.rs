//! The SQLite index: one row for each section, ranked by bm25.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Document, sections};
use crate::SearchHit;

/// A word in the title counts as much as this many in the text.
const TITLE_WEIGHT: f64 = 5.0;
/// About this many words around a match are shown. FTS5 allows at most 64.
const SNIPPET_WORDS: i64 = 40;

const SCHEMA: &str = "
    CREATE TABLE section (
        id INTEGER PRIMARY KEY,
        document TEXT NOT NULL,
        url TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        heading TEXT NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX section_by_document ON section (document);
    -- English words match in all their forms (tool, tools), accents are ignored.
    CREATE VIRTUAL TABLE section_text USING fts5 (
        title, body,
        content = 'section', content_rowid = 'id',
        tokenize = 'porter unicode61 remove_diacritics 2'
    );
";

const SEARCH: &str = "
    SELECT section.title, section.url, snippet(section_text, 1, '', '', ' … ', ?3)
    FROM section_text JOIN section ON section.id = section_text.rowid
    WHERE section_text MATCH ?1
    ORDER BY bm25(section_text, ?4, 1.0), section.id
    LIMIT ?2
";

pub(super) struct Index(Connection);

impl Index {
    /// Indexes the documents in memory. Two with the same path are an error.
    pub(super) fn build(documents: impl IntoIterator<Item = Document>) -> rusqlite::Result<Self> {
        let mut connection = Connection::open_in_memory()?;
        connection.execute_batch(SCHEMA)?;
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare(
                "INSERT INTO section (document, url, title, heading, body)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for document in documents {
                let url = sections::document_url(&document.path);
                for section in sections::of(&document) {
                    insert.execute(params![
                        url,
                        section.url,
                        section.title,
                        section.heading,
                        section.body
                    ])?;
                }
            }
        }
        transaction.execute(
            "INSERT INTO section_text (section_text) VALUES ('rebuild')",
            [],
        )?;
        transaction.commit()?;
        Ok(Self(connection))
    }

    /// The best sections for an FTS5 expression.
    pub(super) fn search(
        &self,
        expression: &str,
        limit: usize,
    ) -> rusqlite::Result<Vec<SearchHit>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut search = self.0.prepare(SEARCH)?;
        let hits = search.query_map(
            params![expression, limit, SNIPPET_WORDS, TITLE_WEIGHT],
            |row| {
                let snippet: String = row.get(2)?;
                Ok(SearchHit {
                    title: row.get(0)?,
                    url: row.get(1)?,
                    snippet: snippet.split_whitespace().collect::<Vec<_>>().join(" "),
                    published: None,
                })
            },
        )?;
        hits.collect()
    }

    /// The text of a document or of one section.
    pub(super) fn read(&self, url: &str) -> rusqlite::Result<Option<String>> {
        let mut document = self
            .0
            .prepare("SELECT heading, body FROM section WHERE document = ?1 ORDER BY id")?;
        let mut text = String::new();
        let mut rows = document.query([url])?;
        while let Some(row) = rows.next()? {
            text.push_str(&whole(row)?);
        }
        if !text.is_empty() {
            return Ok(Some(text));
        }
        self.0
            .prepare("SELECT heading, body FROM section WHERE url = ?1")?
            .query_row([url], whole)
            .optional()
    }
}

/// A section as it stands in the file.
fn whole(row: &rusqlite::Row<'_>) -> rusqlite::Result<String> {
    let (heading, body): (String, String) = (row.get(0)?, row.get(1)?);
    if heading.is_empty() {
        return Ok(body);
    }
    Ok(format!("{heading}\n{body}"))
}
