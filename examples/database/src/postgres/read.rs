//! Runs a client's query and reads a page of its rows.
//!
//! The query is never put into another one. PostgreSQL parses it alone first
//! (the extended protocol takes one statement), and then as the query of a
//! cursor, which can only be a SELECT, VALUES or TABLE.

use std::{error::Error, pin::pin};

use bytes::BytesMut;
use futures_util::TryStreamExt as _;
use serde_json::Value;
use tokio_postgres::{
    SimpleQueryMessage,
    error::{DbError, ErrorPosition, SqlState},
    types::{Format, IsNull, ToSql, Type, to_sql_checked},
};

use super::{connect::Session, values};
use crate::{
    Column, DatabaseError, Page, Query,
    error::{HINT, ONE_STATEMENT, READ_ONLY, one_line, place},
    rows::PageBuilder,
};

pub(super) async fn page(session: &Session, query: &Query) -> Result<Page, DatabaseError> {
    let (client, limits) = (&session.client, &session.limits);
    let sql = &query.sql;
    let failed = |error| explained(error, sql);
    let begin = client.batch_execute("START TRANSACTION READ ONLY").await;
    begin.map_err(DatabaseError::internal)?;
    let statement = client.prepare(sql).await.map_err(failed)?;
    if statement.columns().is_empty() {
        return Err(READ_ONLY);
    }
    let declare = format!("DECLARE page NO SCROLL CURSOR FOR {sql}");
    let declare = client.prepare(&declare).await.map_err(|error| {
        // Alone it was right, so it is not a query.
        match error.code() {
            Some(code)
                if code.code().starts_with("42") || *code == SqlState::FEATURE_NOT_SUPPORTED =>
            {
                READ_ONLY
            }
            _ => failed(error),
        }
    })?;
    let (expected, given) = (statement.params().len(), query.params.len());
    if expected != given {
        return Err(DatabaseError::Params { expected, given });
    }
    let params = query.params.iter().map(Param);
    let declared = client.execute_raw(&declare, params).await;
    declared.map_err(|error| match error.as_db_error() {
        Some(found)
            if given > 0 && found.code().code().starts_with("22") && found.where_().is_some() =>
        {
            wrong_value(statement.params())
        }
        _ => failed(error),
    })?;
    if query.skip > 0 {
        let skip = format!("{limits}MOVE FORWARD {} FROM page", query.skip);
        client.batch_execute(&skip).await.map_err(failed)?;
    }
    let types: Vec<_> = statement
        .columns()
        .iter()
        .map(|column| column.type_())
        .collect();
    let columns = statement.columns().iter().map(|column| Column {
        name: column.name().to_owned(),
        sql_type: Some(values::type_name(column.type_())),
    });
    let mut page = PageBuilder::new(columns.collect(), query.rows);
    // The rows that were skipped can have changed the limits. The simple protocol
    // returns every type as text.
    let fetch = format!("{limits}FETCH FORWARD {} FROM page", query.rows + 1);
    let mut found = pin!(client.simple_query_raw(&fetch).await.map_err(failed)?);
    while let Some(message) = found.try_next().await.map_err(failed)? {
        let SimpleQueryMessage::Row(row) = message else {
            continue;
        };
        let values = types.iter().enumerate().map(|(at, sql_type)| {
            let text = row.try_get(at).map_err(DatabaseError::internal)?;
            Ok(text.map_or(Value::Null, |text| values::value(sql_type, text)))
        });
        if !page.push(values.collect::<Result<_, DatabaseError>>()?)? {
            break;
        }
    }
    Ok(page.finish())
}

/// A parameter as text: PostgreSQL reads it as the type that it belongs to.
#[derive(Debug)]
struct Param<'a>(&'a Value);

impl ToSql for Param<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.0 {
            Value::Null => return Ok(IsNull::Yes),
            Value::String(text) => out.extend_from_slice(text.as_bytes()),
            other => out.extend_from_slice(other.to_string().as_bytes()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

/// A value does not fit, of which PostgreSQL reports only a number, and in a CONTEXT.
fn wrong_value(types: &[Type]) -> DatabaseError {
    let types = types.iter().enumerate().map(|(at, sql_type)| {
        let name = values::type_name(sql_type);
        format!("${} is {name}", at + 1)
    });
    let types = types.collect::<Vec<_>>().join(", ");
    DatabaseError::Query {
        message: one_line(&format!(
            "A value in params does not fit its type, or a function refused it: {types}"
        )),
        place: None,
        hint: HINT,
    }
}

/// A failure of a client's query. PostgreSQL's message is shown only if it is
/// about the SQL and its values; its DETAIL and HINT never are, since they can
/// name what the role may not see. Which one it is depends on codes, and on no
/// words: they are in the language of `lc_messages`.
fn explained(error: tokio_postgres::Error, sql: &str) -> DatabaseError {
    const MEMORY: DatabaseError = DatabaseError::Refused(
        "The query needs more memory or space than the database allows. Select fewer rows or columns.",
    );
    const DENIED: DatabaseError = DatabaseError::Refused(
        "The database does not allow this to the server's role. list_tables shows the tables that it can read.",
    );
    const CANCELLED: DatabaseError =
        DatabaseError::Refused("The database cancelled the query. Select fewer rows.");
    let Some(found) = error.as_db_error() else {
        return DatabaseError::internal(error);
    };
    let code = found.code();
    if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        return READ_ONLY;
    }
    if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        return DENIED;
    }
    // PostgreSQL's parser has no other syntax error in this function of its own.
    if *code == SqlState::SYNTAX_ERROR && found.routine() == Some("exec_parse_message") {
        return ONE_STATEMENT;
    }
    let place = position(found).and_then(|at| place(sql, byte_offset(sql, at)));
    match &code.code()[..2] {
        "25" | "2F" | "38" => READ_ONLY,
        "53" => MEMORY,
        "55" | "40" => DatabaseError::Busy,
        "57" if *code == SqlState::QUERY_CANCELED => CANCELLED,
        // The server failed, or ends.
        "08" | "57" | "58" | "F0" | "XX" => DatabaseError::internal(error),
        // The error has a CONTEXT, so its message may be a function's, about data
        // that only the function can read.
        _ if found.where_().is_some() => DatabaseError::Query {
            message: "A function of the database raised an error, or a type refused a value"
                .to_owned(),
            place,
            hint: "Check the values in the query and in params.",
        },
        // Cardinality, data, domains, syntax and names, features, limits.
        "21" | "22" | "23" | "42" | "0A" | "54" => DatabaseError::Query {
            message: one_line(found.message()),
            place,
            hint: HINT,
        },
        _ => DatabaseError::internal(error),
    }
}

fn position(error: &DbError) -> Option<usize> {
    match error.position()? {
        ErrorPosition::Original(at) => usize::try_from(*at).ok()?.checked_sub(1),
        ErrorPosition::Internal { .. } => None,
    }
}

/// PostgreSQL counts characters.
fn byte_offset(sql: &str, characters: usize) -> usize {
    sql.char_indices()
        .nth(characters)
        .map_or(sql.len(), |(at, _)| at)
}
