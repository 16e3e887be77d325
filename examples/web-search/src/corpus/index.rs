//! The SQLite index: one row for each section, ranked by bm25.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Document, sections};
use crate::SearchHit;

/// A word in a section's own heading counts as much as this many in its text.
const HEADING_WEIGHT: f64 = 5.0;
/// The same for the headings above it, and the title of the document.
const TITLE_WEIGHT: f64 = 2.0;
/// About this many words around a match are shown. FTS5 allows at most 64.
const SNIPPET_WORDS: i64 = 40;

const SCHEMA: &str = "
    CREATE TABLE section (
        id INTEGER PRIMARY KEY,
        document TEXT NOT NULL,
        url TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        level INTEGER NOT NULL,
        heading TEXT NOT NULL,
        line TEXT NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX section_by_document ON section (document);
    -- English words match in all their forms (tool, tools), accents are ignored.
    CREATE VIRTUAL TABLE section_text USING fts5 (
        heading, title, body,
        content = 'section', content_rowid = 'id',
        tokenize = 'porter unicode61 remove_diacritics 2'
    );
";

const SEARCH: &str = "
    SELECT section.title, section.url, snippet(section_text, 2, '', '', ' … ', ?3)
    FROM section_text JOIN section ON section.id = section_text.rowid
    WHERE section_text MATCH ?1
    ORDER BY bm25(section_text, ?4, ?5, 1.0), section.id
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
            let mut keep = transaction.prepare(
                "INSERT INTO section (document, url, title, level, heading, line, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            let mut index = transaction.prepare(
                "INSERT INTO section_text (rowid, heading, title, body) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for document in documents {
                let url = sections::document_url(&document.path);
                for section in sections::of(&document) {
                    let id = keep.insert(params![
                        url,
                        section.url,
                        section.title,
                        section.level,
                        section.heading,
                        section.line,
                        section.body
                    ])?;
                    if !section.only_sections {
                        index.execute(params![id, section.heading, section.title, section.body])?;
                    }
                }
            }
        }
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
            params![
                expression,
                limit,
                SNIPPET_WORDS,
                HEADING_WEIGHT,
                TITLE_WEIGHT
            ],
            |row| {
                let (title, url, snippet): (String, String, String) =
                    (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(SearchHit::new(&title, url, &snippet))
            },
        )?;
        hits.collect()
    }

    /// The text of a document, or of one section and those inside it.
    pub(super) fn read(&self, url: &str) -> rusqlite::Result<Option<String>> {
        let start = self
            .0
            .prepare("SELECT id, document, level FROM section WHERE url = ?1")?
            .query_row([url], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, u8>(2)?,
                ))
            })
            .optional()?;
        let Some((first, document, level)) = start else {
            return Ok(None);
        };
        let mut sections = self.0.prepare(
            "SELECT id, level, line, body FROM section
             WHERE document = ?1 AND id >= ?2 ORDER BY id",
        )?;
        let mut rows = sections.query(params![document, first])?;
        let mut text = String::new();
        while let Some(row) = rows.next()? {
            let (id, depth): (i64, u8) = (row.get(0)?, row.get(1)?);
            if id != first && depth <= level {
                break;
            }
            let (line, body): (String, String) = (row.get(2)?, row.get(3)?);
            if !line.is_empty() {
                text.push_str(&line);
                text.push('\n');
            }
            text.push_str(&body);
        }
        Ok(Some(text))
    }
}
