//! Opens a connection that can only read, and which layer prevents what.
//!
//! | layer | what it prevents |
//! |---|---|
//! | `SQLITE_OPEN_READ_ONLY`, `query_only` | changes to the file |
//! | the authorizer | everything but SELECT: ATTACH, PRAGMA, BEGIN, temporary tables, functions with effects |
//! | defensive mode, untrusted schema | a database file that was made to attack its reader |
//! | `sqlite3_limit`, the heap limit | memory: long values, deep expressions, large sorts |

use std::collections::BTreeSet;

use rusqlite::{
    Connection, MAIN_DB, OpenFlags, Result,
    config::DbConfig,
    hooks::{AuthAction, AuthContext, Authorization},
    limits::Limit,
};

use super::{Source, functions};
use crate::limits;

const SAMPLE: &str = include_str!("sample.sql");

/// The pragmas that the catalogue reads with. They return what a table looks
/// like, and change nothing.
const PRAGMAS: &[&str] = &["foreign_key_list", "table_list", "table_xinfo"];

pub(super) fn connection(source: &Source) -> Result<Connection> {
    let mut connection = match source {
        Source::File(path) => {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            Connection::open_with_flags(path, flags)?
        }
        Source::Sample => sample()?,
    };
    connection.busy_timeout(limits::WAIT_TIME)?;
    // The heap limit holds for the whole process.
    connection.execute_batch(&format!(
        "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;
         PRAGMA hard_heap_limit = {}; SELECT count(*) FROM sqlite_schema",
        limits::SQLITE_MEMORY
    ))?;
    for (config, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        // "name" is then a column or an error, never silently a text.
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
    ] {
        connection.set_db_config(config, on)?;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_LENGTH, limits::ROW_BYTES as i32),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 4 * limits::SQL_CHARS as i32),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, limits::PARAMS as i32),
        (Limit::SQLITE_LIMIT_COLUMN, limits::COLUMNS as i32),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 50),
        (Limit::SQLITE_LIMIT_VDBE_OP, 100_000),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, 100),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, most)?;
    }
    let functions = functions::allowed(&connection)?;
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        if may(&context.action, &functions) {
            Authorization::Allow
        } else {
            Authorization::Deny
        }
    }))?;
    Ok(connection)
}

/// Whether a query may do this.
fn may(action: &AuthAction<'_>, functions: &BTreeSet<String>) -> bool {
    match action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => true,
        AuthAction::Function { function_name } => {
            functions.contains(&function_name.to_ascii_lowercase())
        }
        AuthAction::Pragma { pragma_name, .. } => {
            PRAGMAS.contains(&pragma_name.to_ascii_lowercase().as_str())
        }
        _ => false,
    }
}

/// The sample database. Each connection has a copy, which it cannot change.
fn sample() -> Result<Connection> {
    let mut source = Connection::open_in_memory()?;
    source.execute_batch(SAMPLE)?;
    let image = source.serialize(MAIN_DB)?;
    let mut copy = Connection::open_in_memory()?;
    copy.deserialize_read_exact(MAIN_DB, &*image, image.len(), true)?;
    Ok(copy)
}
