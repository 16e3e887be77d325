//! An MCP server that lets a model read a database: SQLite or PostgreSQL.
//!
//! Read it in this order: [`query`](fn@query) is the tool, [`Database`] is what
//! the two databases have in common, [`Sqlite`] and [`Postgres`] are the two, [`Cursors`] seals the
//! position of the next page, and [`database_server`] puts them together.

#![forbid(unsafe_code)]

mod cursor;
mod database;
mod error;
pub mod limits;
mod postgres;
mod rows;
mod server;
mod sqlite;
mod tools;

pub use cursor::{Cursors, MIN_KEY_BYTES, Pages};
pub use database::{Column, Database, Db, Description, Page, Query, Table, TableColumn};
pub use error::DatabaseError;
pub use postgres::{Postgres, PostgresSetupError};
pub use server::database_server;
pub use sqlite::Sqlite;
pub use tools::{
    DescribeArgs, ListArgs, QueryArgs, Rows, Tables, describe_table, list_tables, query,
};
