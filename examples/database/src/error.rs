//! Why a query failed, and what the client reads about it.
//!
//! Only [`DatabaseError::Query`] holds a text of the database, and an
//! implementation makes one only of errors that are about the client's own SQL.
//! Everything else that a database reports (paths, hosts, details of hidden
//! objects) goes to the log.

use std::{error::Error, time::Duration};

use mcp_kit::{ToolError, user_error};

/// The reason of a failure. One variant for each thing that the client would do
/// next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The SQL is wrong; the database's own words, and where.
    #[error("the query is wrong: {message}")]
    Query {
        /// What is wrong.
        message: String,
        /// The line and column, from 1, and the text there.
        place: Option<String>,
        /// What to do.
        hint: &'static str,
    },
    /// The server refuses the query; what to change.
    #[error("the query was refused: {0}")]
    Refused(&'static str),
    /// The number of values is not the number of parameters.
    #[error("the query has {expected} parameters and {given} values")]
    Params {
        /// How many parameters the query has.
        expected: usize,
        /// How many values the client sent.
        given: usize,
    },
    /// The query ran for its longest time and was cancelled.
    #[error("the query took too long")]
    Timeout(Duration),
    /// No connection was free in time, or another program holds a lock.
    #[error("the database is busy")]
    Busy,
    /// The database failed, for a reason that is not the query.
    #[error("the database failed")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

impl DatabaseError {
    /// A failure that the client learns nothing of.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// What the client reads.
    pub fn into_tool_error(self) -> ToolError {
        match self {
            Self::Query {
                message,
                place: Some(place),
                hint,
            } => user_error!("{message}, at {place}. {hint}"),
            Self::Query { message, hint, .. } => user_error!("{message}. {hint}"),
            Self::Refused(words) => user_error!("{words}"),
            Self::Params { expected, given } => user_error!(
                "The query has {expected} parameters, and params has {given} values. Write $1, $2, … in the query and give one value for each."
            ),
            Self::Timeout(limit) => user_error!(
                "The query was cancelled after {limit:?}. Select fewer rows, or filter by a column with an index."
            ),
            Self::Busy => ToolError::busy("The database is busy. Try again in a few seconds."),
            Self::Internal(source) => ToolError::internal(source),
        }
    }
}

/// What to do about a wrong query: the same words for all databases.
pub(crate) const HINT: &str = "list_tables shows the tables, describe_table the columns of one.";

/// Only statements that read are allowed.
pub(crate) const READ_ONLY: DatabaseError = DatabaseError::Refused(
    "Only reading is allowed. Write one SELECT (also WITH … SELECT or VALUES) without functions that act on the server.",
);

/// There was a second statement.
pub(crate) const ONE_STATEMENT: DatabaseError = DatabaseError::Refused(
    "Only one statement is allowed in a query. Run the statements one after the other, each in a call of its own.",
);

/// A row was too large to be read.
pub(crate) const LARGE_ROW: DatabaseError = DatabaseError::Refused(
    "A row or a value of this query is too large: more than 256 KiB. Select fewer columns, or rows without such values.",
);

/// Where `offset`, in bytes, is in a query, for a message.
pub(crate) fn place(sql: &str, offset: usize) -> Option<String> {
    let before = sql.get(..offset)?;
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    let near: String = sql[offset..]
        .chars()
        .take_while(|c| !c.is_whitespace())
        .take(40)
        .collect();
    Some(if near.is_empty() {
        format!("line {line}, column {column} (the end)")
    } else {
        format!("line {line}, column {column} (`{near}`)")
    })
}

/// A database's message on one line, of a length that suits an answer.
pub(crate) fn one_line(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters() {
        let sql = "select é,\n  frm t";
        let at = sql.find("frm").expect("the word");
        assert_eq!(place(sql, at).as_deref(), Some("line 2, column 3 (`frm`)"));
        assert_eq!(
            place(sql, sql.len()).as_deref(),
            Some("line 2, column 8 (the end)")
        );
        assert_eq!(place(sql, 8), None, "within a character");
        assert_eq!(place(sql, 99), None, "after the end");
    }
}
