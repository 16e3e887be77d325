//! What tables the role can read. Names are parameters, and what the role may
//! not read is not shown, nor that it exists.

use tokio_postgres::{Client, Row};

use crate::{DatabaseError, Description, Table, TableColumn, limits};

/// Every name has its schema: a table or a function of the same name elsewhere in
/// the search path must not take the place of the catalogue's.
const TABLES: &str = "
    SELECT * FROM (
        SELECT c.oid AS id,
            CASE WHEN pg_catalog.pg_table_is_visible(c.oid) THEN pg_catalog.quote_ident(c.relname)
                ELSE pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) END AS name,
            n.nspname || '.' || c.relname AS full_name,
            CASE WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END AS kind,
            pg_catalog.obj_description(c.oid, 'pg_class') AS comment,
            CASE WHEN c.reltuples >= 0 AND c.relkind IN ('r', 'p', 'm') THEN c.reltuples::bigint END AS row_estimate
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
            AND n.nspname <> 'information_schema' AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
            AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
            AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
    ) AS tables";

const COLUMNS: &str = "
    SELECT a.attname::text AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull,
        EXISTS (SELECT FROM pg_catalog.pg_index i
            WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)) AS primary_key,
        (SELECT pg_catalog.quote_ident(t.relname) || '.' || pg_catalog.quote_ident(b.attname)
            FROM pg_catalog.pg_constraint f
            JOIN pg_catalog.pg_class t ON t.oid = f.confrelid
            JOIN pg_catalog.pg_attribute b ON b.attrelid = f.confrelid
                AND b.attnum = f.confkey[pg_catalog.array_position(f.conkey, a.attnum)]
            WHERE f.conrelid = a.attrelid AND f.contype = 'f' AND a.attnum = ANY (f.conkey)
                AND pg_catalog.has_column_privilege(t.oid, b.attnum, 'SELECT')
            LIMIT 1) AS reference,
        pg_catalog.col_description(a.attrelid, a.attnum) AS comment
    FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
        AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')
    ORDER BY a.attnum LIMIT $2";

pub(super) async fn tables(
    client: &Client,
    part: &str,
    limit: u32,
) -> Result<Vec<Table>, DatabaseError> {
    let sql = format!(
        "{TABLES} WHERE pg_catalog.strpos(pg_catalog.lower(name), pg_catalog.lower($1)) > 0 ORDER BY name LIMIT $2"
    );
    let found = client.query(&sql, &[&part, &i64::from(limit)]).await;
    let found = found.map_err(DatabaseError::internal)?;
    found.iter().map(table).collect()
}

pub(super) async fn describe(
    client: &Client,
    name: &str,
) -> Result<Option<Description>, DatabaseError> {
    let sql = format!("{TABLES} WHERE name = $1 OR full_name = $1 ORDER BY name = $1 DESC LIMIT 1");
    let found = client.query_opt(&sql, &[&name]).await;
    let Some(row) = found.map_err(DatabaseError::internal)? else {
        return Ok(None);
    };
    let id: u32 = get(&row, "id")?;
    let columns = client
        .query(COLUMNS, &[&id, &i64::from(limits::COLUMNS)])
        .await;
    let columns = columns.map_err(DatabaseError::internal)?;
    Ok(Some(Description {
        table: table(&row)?,
        columns: columns.iter().map(column).collect::<Result<_, _>>()?,
    }))
}

fn table(row: &Row) -> Result<Table, DatabaseError> {
    let rows: Option<i64> = get(row, "row_estimate")?;
    Ok(Table {
        name: get(row, "name")?,
        kind: get(row, "kind")?,
        comment: get(row, "comment")?,
        row_estimate: rows.and_then(|rows| rows.try_into().ok()),
    })
}

fn column(row: &Row) -> Result<TableColumn, DatabaseError> {
    Ok(TableColumn {
        name: get(row, "name")?,
        sql_type: get(row, "type")?,
        nullable: !get::<bool>(row, "attnotnull")?,
        primary_key: get(row, "primary_key")?,
        references: get(row, "reference")?,
        comment: get(row, "comment")?,
    })
}

fn get<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a Row,
    column: &str,
) -> Result<T, DatabaseError> {
    row.try_get(column).map_err(DatabaseError::internal)
}
