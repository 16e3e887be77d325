//! What the model can call: `list_tables`, `describe_table`, `query`.

use garde::Validate;
use mcp_kit::{Json, Principal, State, ToolArgs, ToolError, tool, user_error};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Column, Cursors, Db, Description, Pages, Query, Table,
    limits::{LAST_ROW, PAGE_ROWS, PARAMS, SQL_CHARS, TABLES},
};

/// Which tables to list.
#[derive(Debug, Default, Deserialize, JsonSchema, Validate, ToolArgs)]
pub struct ListArgs {
    /// Only tables whose name contains this text.
    #[serde(default)]
    #[garde(length(chars, max = 100))]
    pub contains: String,
}

/// The tables of the database.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Tables {
    /// The tables and views, by name.
    pub tables: Vec<Table>,
    /// Whether there are more: then ask with `contains`.
    pub more: bool,
}

/// List the tables and views of the database, with comments and estimated row
/// counts.
///
/// Call this first: it has the names that queries use.
#[tool(title = "List tables", read_only, open_world = false)]
pub async fn list_tables(
    args: ListArgs,
    State(database): State<Db>,
) -> Result<Json<Tables>, ToolError> {
    let tables = database.tables(&args.contains, TABLES + 1).await;
    let mut tables = tables.map_err(|error| error.into_tool_error())?;
    let more = tables.len() > TABLES as usize;
    tables.truncate(TABLES as usize);
    Ok(Json(Tables { tables, more }))
}

/// Which table to describe.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
pub struct DescribeArgs {
    /// A name from `list_tables`.
    #[garde(length(chars, min = 1, max = 200))]
    pub table: String,
}

/// Show the columns of a table or view: names, types, keys, comments.
#[tool(title = "Describe a table", read_only, open_world = false)]
pub async fn describe_table(
    args: DescribeArgs,
    State(database): State<Db>,
) -> Result<Json<Description>, ToolError> {
    let found = database.describe(&args.table).await;
    match found.map_err(|error| error.into_tool_error())? {
        Some(description) => Ok(Json(description)),
        None => Err(ToolError::user(
            "There is no such table. Use a name exactly as list_tables returned it.",
        )),
    }
}

/// What to read.
#[derive(Debug, Deserialize, JsonSchema, Validate, ToolArgs)]
#[serde(rename_all = "camelCase")]
pub struct QueryArgs {
    /// One SELECT statement. Write $1, $2, … where a value belongs, and put the
    /// values into `params`. Use ORDER BY with a unique column if you want more
    /// than one page.
    #[garde(length(chars, min = 1, max = SQL_CHARS), custom(no_nul))]
    #[tool_args(rule = "must not contain NUL characters")]
    pub sql: String,
    /// The values for $1, $2, …, in this order. Write whole numbers above 2^53 as
    /// text.
    #[serde(default)]
    #[garde(length(max = PARAMS), custom(scalars))]
    #[tool_args(rule = "must hold only text, numbers, booleans and nulls")]
    pub params: Vec<Value>,
    /// The most rows to return.
    #[serde(default = "fifty")]
    #[garde(range(min = 1, max = PAGE_ROWS))]
    pub max_rows: u16,
    /// `nextCursor` of the page before, to read the next page. Send it with the
    /// same `sql` and `params`.
    #[garde(length(chars, max = 200))]
    pub cursor: Option<String>,
}

fn fifty() -> u16 {
    50
}

/// SQLite would ignore what follows it.
fn no_nul(sql: &str, _: &()) -> garde::Result {
    if sql.contains('\0') {
        return Err(garde::Error::new("must not contain NUL characters"));
    }
    Ok(())
}

fn scalars(params: &[Value], _: &()) -> garde::Result {
    let nested = params
        .iter()
        .any(|value| value.is_array() || value.is_object());
    if nested {
        return Err(garde::Error::new(
            "must hold only text, numbers, booleans and nulls",
        ));
    }
    Ok(())
}

/// A page of rows.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rows {
    /// The columns, in the order of the values in each row.
    pub columns: Vec<Column>,
    /// The rows. Large whole numbers, exact decimals, dates and binary data
    /// (`\x` and hexadecimal digits) are text. A value that is too long ends
    /// with `[cut: …]` and its length.
    pub rows: Vec<Vec<Value>>,
    /// Where the next page begins, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Run one read-only SQL query and return a page of its rows.
///
/// The database refuses everything that writes, and cancels a query that takes
/// too long. To get the next page, call again with the same arguments and
/// `cursor`.
#[tool(title = "Query", read_only, open_world = false)]
pub async fn query(
    args: QueryArgs,
    caller: Principal,
    State(database): State<Db>,
    State(cursors): State<Cursors>,
) -> Result<Json<Rows>, ToolError> {
    let pages = Pages {
        caller: &caller,
        sql: &args.sql,
        params: &args.params,
    };
    let skip = match &args.cursor {
        Some(cursor) => cursors.open(&pages, cursor)?,
        None => 0,
    };
    if skip > LAST_ROW {
        return Err(user_error!(
            "A cursor leads to at most {LAST_ROW} rows. Continue with a condition instead: WHERE id > the last id of the page before."
        ));
    }
    let query = Query {
        sql: args.sql.clone(),
        params: args.params.clone(),
        skip,
        rows: args.max_rows.into(),
    };
    let page = database.query(query).await;
    let page = page.map_err(|error| error.into_tool_error())?;
    let end = skip + page.rows.len() as u64;
    Ok(Json(Rows {
        next_cursor: page.more.then(|| cursors.seal(&pages, end)),
        columns: page.columns,
        rows: page.rows,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_and_checks_agree() {
        mcp_kit::testing::assert_schema_agrees::<ListArgs>();
        mcp_kit::testing::assert_schema_agrees::<DescribeArgs>();
        mcp_kit::testing::assert_schema_agrees::<QueryArgs>();
    }
}
