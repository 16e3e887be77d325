//! What the tests of both databases share.

#![allow(dead_code)] // each test program uses its part

use std::time::Duration;

use database::{Cursors, Database, Db, database_server};
use mcp_kit::{
    Server,
    testing::{CallResult, TestClient},
};
use serde_json::{Value, json};

/// Longer than any test: a query that ends was cancelled by something else.
pub const FOREVER: Duration = Duration::from_secs(24 * 3600);

pub fn server(database: impl Database) -> Server {
    let cursors = Cursors::new().expect("random numbers");
    database_server(Db::new(database), cursors, FOREVER).expect("a server")
}

/// Runs `sql`; the error's text if it is refused.
pub async fn rows(client: &TestClient, sql: &str) -> Result<Value, String> {
    query(client, json!({"sql": sql})).await
}

/// Calls `query`; the error's text if it is refused.
pub async fn query(client: &TestClient, arguments: Value) -> Result<Value, String> {
    outcome(client.call("query", arguments).await)
}

pub fn outcome(result: CallResult) -> Result<Value, String> {
    if result.is_error() {
        return Err(result.text());
    }
    Ok(result.structured().expect("structured content").clone())
}

/// The text of a refusal; a failure of the server's own is not a refusal.
pub async fn refusal(client: &TestClient, sql: &str) -> String {
    let text = rows(client, sql).await.expect_err(sql);
    assert!(!text.contains("internal error"), "{sql}: {text}");
    text
}

/// The ids of a table above 10, read with a cursor.
pub async fn ids_of_all_pages(client: &TestClient, table: &str) -> Vec<u64> {
    let sql = format!("SELECT id FROM {table} WHERE id > $1 ORDER BY id");
    let mut next = json!({"sql": sql, "params": [10], "maxRows": 45});
    let mut ids = Vec::new();
    loop {
        let page = query(client, next.clone()).await.expect("a page");
        let rows = page["rows"].as_array().expect("rows");
        ids.extend(rows.iter().filter_map(|row| row[0].as_u64()));
        let Some(cursor) = page.get("nextCursor") else {
            return ids;
        };
        next["cursor"] = cursor.clone();
    }
}
