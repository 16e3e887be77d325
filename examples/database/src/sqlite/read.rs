//! Runs a client's query and reads a page of its rows.

use rusqlite::{Connection, Error, ErrorCode, Row, Statement, ffi, types::ValueRef};
use serde_json::Value;

use crate::{
    Column, DatabaseError, Page, Query,
    error::{HINT, LARGE_ROW, ONE_STATEMENT, READ_ONLY, one_line, place},
    rows::{self, PageBuilder},
};

pub(super) fn page(connection: &Connection, query: &Query) -> Result<Page, DatabaseError> {
    let failed = |error| explained(error, &query.sql);
    let mut statement = connection.prepare(&query.sql).map_err(failed)?;
    // The authorizer has refused whatever writes. This is what SQLite thinks of
    // the finished statement.
    if !statement.readonly() || statement.column_count() == 0 {
        return Err(READ_ONLY);
    }
    bind(&mut statement, &query.params)?;
    let columns: Vec<_> = statement
        .columns()
        .map(|column| Column {
            name: column.name().to_owned(),
            sql_type: column.decl_type().map(str::to_owned),
        })
        .collect();
    let width = columns.len();
    let mut page = PageBuilder::new(columns, query.rows);
    let mut found = statement.raw_query();
    for _ in 0..query.skip {
        if found.next().map_err(failed)?.is_none() {
            return Ok(page.finish());
        }
    }
    while let Some(row) = found.next().map_err(failed)? {
        if !page.push(values(row, width).map_err(failed)?)? {
            break;
        }
    }
    Ok(page.finish())
}

/// Binds `params`, each to the parameter with its number: `$2` and `?2` are the
/// second one wherever they are, `?` is the next one.
fn bind(statement: &mut Statement<'_>, params: &[Value]) -> Result<(), DatabaseError> {
    const NUMBERS: DatabaseError =
        DatabaseError::Refused("Parameters are numbered: write $1, $2, … in the query.");
    // As a floating point number it would be another number.
    const LARGE_NUMBER: DatabaseError = DatabaseError::Refused(
        "SQLite has no whole numbers above 9223372036854775807. Send a smaller number, or text.",
    );
    let count = statement.parameter_count();
    let mut expected = 0;
    for index in 1..=count {
        let number = match statement.parameter_name(index) {
            None => index,
            Some(name) => name[1..].parse().map_err(|_| NUMBERS)?,
        };
        expected = expected.max(number);
        let Some(value) = number.checked_sub(1).and_then(|at| params.get(at)) else {
            continue;
        };
        let bound = match value {
            Value::Null => statement.raw_bind_parameter(index, rusqlite::types::Null),
            Value::Bool(value) => statement.raw_bind_parameter(index, value),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => statement.raw_bind_parameter(index, whole),
                None if number.is_u64() => return Err(LARGE_NUMBER),
                None => statement.raw_bind_parameter(index, number.as_f64()),
            },
            Value::String(text) => statement.raw_bind_parameter(index, text),
            Value::Array(_) | Value::Object(_) => {
                return Err(DatabaseError::Refused(
                    "A parameter is a text, a number, a boolean or null.",
                ));
            }
        };
        bound.map_err(internal)?;
    }
    let given = params.len();
    if expected != given {
        return Err(DatabaseError::Params { expected, given });
    }
    Ok(())
}

fn values(row: &Row<'_>, width: usize) -> Result<Vec<Value>, Error> {
    (0..width)
        .map(|index| {
            Ok(match row.get_ref(index)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => rows::integer(number),
                ValueRef::Real(number) => rows::float(number),
                ValueRef::Text(text) => rows::text(&String::from_utf8_lossy(text)),
                ValueRef::Blob(bytes) => rows::bytes(bytes),
            })
        })
        .collect()
}

/// The query needs more than `limits::SQLITE_MEMORY`.
const MEMORY: DatabaseError = DatabaseError::Refused(
    "The query needs too much memory. Select fewer columns, sort or group fewer rows.",
);

/// A failure of a client's query. SQLite's text is shown only if it is about
/// the SQL.
fn explained(error: Error, sql: &str) -> DatabaseError {
    let (code, message, offset) = match &error {
        Error::MultipleStatement => return ONE_STATEMENT,
        Error::SqlInputError {
            error, msg, offset, ..
        } => (error, msg.as_str(), usize::try_from(*offset).ok()),
        Error::SqliteFailure(error, Some(msg)) => (error, msg.as_str(), None),
        Error::SqliteFailure(error, None) => (error, "", None),
        _ => return internal(error),
    };
    match code.code {
        ErrorCode::AuthorizationForStatementDenied => READ_ONLY,
        // Its extended codes are about the file: SQLITE_READONLY_ROLLBACK, for
        // example, is the journal of a program that crashed.
        ErrorCode::ReadOnly if code.extended_code == ffi::SQLITE_READONLY => READ_ONLY,
        ErrorCode::TooBig => LARGE_ROW,
        ErrorCode::OutOfMemory => MEMORY,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => DatabaseError::Busy,
        ErrorCode::Unknown => DatabaseError::Query {
            message: one_line(message),
            place: offset.and_then(|offset| place(sql, offset)),
            hint: if message.starts_with("not authorized to use function") {
                "Write the query without it."
            } else {
                HINT
            },
        },
        _ => internal(error),
    }
}

/// A failure that is not the client's.
pub(super) fn internal(error: Error) -> DatabaseError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => DatabaseError::Busy,
        _ => DatabaseError::internal(error),
    }
}
