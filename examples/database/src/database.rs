//! What the tools require of a database: the trait, and the data that it
//! returns.
//!
//! SQLite and PostgreSQL implement [`Database`]. For another database, implement
//! it; the tools do not change.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::DatabaseError;

/// A database that is only read.
///
/// A dropped future ends the work: an implementation cancels its query in the
/// database when the caller no longer waits.
#[async_trait]
pub trait Database: Send + Sync + 'static {
    /// The database's dialect of SQL, for the instructions: `SQLite 3.50`.
    fn dialect(&self) -> &str;

    /// The tables and views whose name contains `part`, by name, at most
    /// `limit` of them.
    async fn tables(&self, part: &str, limit: u32) -> Result<Vec<Table>, DatabaseError>;

    /// The columns of one table; `None` if there is no such table.
    async fn describe(&self, table: &str) -> Result<Option<Description>, DatabaseError>;

    /// Runs one query and returns a page of its rows.
    async fn query(&self, query: Query) -> Result<Page, DatabaseError>;

    /// Whether the database answers, or is only busy.
    async fn is_ready(&self) -> bool;
}

/// The database that the server was started with, as the tools hold it.
#[derive(Clone)]
pub struct Db(Arc<dyn Database>);

impl Db {
    /// The tools read this database.
    pub fn new(database: impl Database) -> Self {
        Self(Arc::new(database))
    }
}

impl std::ops::Deref for Db {
    type Target = dyn Database;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

/// A query, and which part of its rows to return.
#[derive(Debug, Clone)]
pub struct Query {
    /// One statement, as the client wrote it.
    pub sql: String,
    /// Values for `$1`, `$2`, …: text, numbers, booleans and nulls.
    pub params: Vec<Value>,
    /// How many rows to pass over.
    pub skip: u64,
    /// The most rows to return.
    pub rows: usize,
}

/// One page of a query's rows.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The columns, in the order of the values in each row.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Vec<Value>>,
    /// Whether there are rows after these.
    pub more: bool,
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Column {
    /// The column's name; two columns can have the same.
    pub name: String,
    /// The database's type, if the column has one.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub sql_type: Option<String>,
}

/// A table or a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    /// The name, as a query writes it.
    pub name: String,
    /// `table` or `view`.
    pub kind: String,
    /// What the database's owner wrote about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The database's estimate of the number of rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row_estimate: Option<u64>,
}

/// A table with its columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// The table itself.
    #[serde(flatten)]
    pub table: Table,
    /// The columns, in the table's order.
    pub columns: Vec<TableColumn>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TableColumn {
    /// The name.
    pub name: String,
    /// The database's type.
    #[serde(rename = "type")]
    pub sql_type: String,
    /// Whether the value can be null.
    pub nullable: bool,
    /// Whether the column is part of the primary key.
    pub primary_key: bool,
    /// The column of another table that this one refers to: `customers.id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub references: Option<String>,
    /// What the database's owner wrote about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}
