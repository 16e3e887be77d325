//! What tables there are. Names are parameters: nothing that a client sends becomes
//! part of an SQL text.

use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};

use super::read::internal;
use crate::{DatabaseError, Description, Table, TableColumn, limits};

/// Tables and views that belong to the database's owner: neither SQLite's own
/// nor the parts that a full-text index consists of.
const TABLES: &str = "
    SELECT name, iif(type = 'view', 'view', 'table') AS kind FROM pragma_table_list
    WHERE schema = 'main' AND type IN ('table', 'view', 'virtual') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

pub(super) fn tables(
    connection: &Connection,
    part: &str,
    limit: u32,
) -> Result<Vec<Table>, DatabaseError> {
    let sql = format!("{TABLES} AND instr(lower(name), lower(?1)) ORDER BY name LIMIT ?2");
    let read = || -> Result<Vec<Table>> {
        let mut statement = connection.prepare(&sql)?;
        let tables = statement.query_map(params![part, limit], table)?;
        let mut tables = tables.collect::<Result<Vec<_>>>()?;
        for table in &mut tables {
            table.row_estimate = row_estimate(connection, &table.name)?;
        }
        Ok(tables)
    };
    read().map_err(internal)
}

pub(super) fn describe(
    connection: &Connection,
    name: &str,
) -> Result<Option<Description>, DatabaseError> {
    let sql = format!("{TABLES} AND name = ?1 COLLATE NOCASE");
    let read = || -> Result<Option<Description>> {
        let found = connection.query_row(&sql, [name], table).optional()?;
        let Some(mut table) = found else {
            return Ok(None);
        };
        table.row_estimate = row_estimate(connection, &table.name)?;
        let columns = columns(connection, &table.name)?;
        Ok(Some(Description { table, columns }))
    };
    read().map_err(internal)
}

fn table(row: &Row<'_>) -> Result<Table> {
    Ok(Table {
        name: row.get(0)?,
        kind: row.get(1)?,
        comment: None,
        row_estimate: None,
    })
}

/// The number that ANALYZE has left, if it ever ran. Counting could take as
/// long as reading the table.
fn row_estimate(connection: &Connection, table: &str) -> Result<Option<u64>> {
    const ANALYZED: &str = "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'";
    if connection
        .query_row(ANALYZED, [], |_| Ok(()))
        .optional()?
        .is_none()
    {
        return Ok(None);
    }
    // The first of the numbers in `stat` is the number of rows.
    const ROWS: &str = "SELECT max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl = ?1";
    let rows: Option<i64> = connection.query_row(ROWS, [table], |row| row.get(0))?;
    Ok(rows.and_then(|rows| u64::try_from(rows).ok()))
}

fn columns(connection: &Connection, table: &str) -> Result<Vec<TableColumn>> {
    // `hidden` is 1 for the columns of virtual tables that only take arguments.
    const COLUMNS: &str = "
        SELECT c.name, c.type, c.\"notnull\", c.pk,
            (SELECT f.\"table\" || coalesce('.' || f.\"to\", '')
             FROM pragma_foreign_key_list(?1) f WHERE f.\"from\" = c.name LIMIT 1)
        FROM pragma_table_xinfo(?1) c WHERE c.hidden <> 1 ORDER BY c.cid LIMIT ?2";
    let mut statement = connection.prepare(COLUMNS)?;
    let columns = statement.query_map(params![table, limits::COLUMNS], |row| {
        let primary_key = row.get::<_, i64>(3)? > 0;
        Ok(TableColumn {
            name: row.get(0)?,
            sql_type: row.get(1)?,
            nullable: !row.get::<_, bool>(2)? && !primary_key,
            primary_key,
            references: row.get(4)?,
            comment: None,
        })
    })?;
    columns.collect()
}
