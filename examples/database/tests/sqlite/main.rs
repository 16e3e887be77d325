//! SQLite, through the whole protocol, attacked: what is read and what is refused.

mod ends;
mod pages;
#[path = "../support/mod.rs"]
mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use database::{Sqlite, limits};
use mcp_kit::testing::TestClient;
use rusqlite::Connection;
use serde_json::json;
use support::{FOREVER, outcome, query, refusal, rows, server};

/// Counts until it is stopped.
const RUNAWAY: &str =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

async fn sample() -> TestClient {
    let database = Sqlite::sample().expect("the sample");
    TestClient::new(&server(database.query_time(FOREVER))).await
}

/// A database file with one table `notes`.
fn file(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_file(&path);
    let database = Connection::open(&path).expect("a file");
    let made = database.execute_batch(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, text); INSERT INTO notes VALUES (1, 'kept')",
    );
    made.expect("a table");
    path
}

#[tokio::test]
async fn the_sample_database_is_described_and_queried() {
    let client = sample().await;
    let tables = outcome(client.call("list_tables", json!({})).await).expect("tables");
    let names: Vec<_> = tables["tables"]
        .as_array()
        .expect("a list")
        .iter()
        .collect();
    assert_eq!(names.len(), 5);
    assert_eq!(
        names[0],
        &json!({"name": "customers", "kind": "table", "rowEstimate": 8})
    );
    assert_eq!(names[2], &json!({"name": "order_totals", "kind": "view"}));
    let some = outcome(
        client
            .call("list_tables", json!({"contains": "ORDER"}))
            .await,
    );
    assert_eq!(
        some.expect("tables")["tables"].as_array().map(Vec::len),
        Some(3)
    );

    let table = outcome(
        client
            .call("describe_table", json!({"table": "order_items"}))
            .await,
    );
    let columns = &table.expect("a table")["columns"];
    assert_eq!(
        columns[0],
        json!({"name": "order_id", "type": "INTEGER", "nullable": false, "primaryKey": true, "references": "orders.id"})
    );

    let found = rows(
        &client,
        "SELECT name, email FROM customers WHERE id = 3; -- done",
    )
    .await;
    assert_eq!(
        found,
        Ok(json!({
            "columns": [{"name": "name", "type": "TEXT"}, {"name": "email", "type": "TEXT"}],
            "rows": [["Carmen Ruiz", null]],
        }))
    );
}

#[tokio::test]
async fn a_table_name_is_looked_up_and_never_part_of_the_sql() {
    let client = sample().await;
    for name in [
        "nothing",
        "orders; DROP TABLE orders",
        "orders\" --",
        "sqlite_schema",
        "x'y",
    ] {
        let result = client.call("describe_table", json!({"table": name})).await;
        let text = outcome(result).expect_err(name);
        assert!(
            text.starts_with("There is no such table."),
            "{name}: {text}"
        );
    }
    let none = outcome(
        client
            .call("list_tables", json!({"contains": "' OR '1'='1"}))
            .await,
    );
    assert_eq!(none.expect("no tables")["tables"], json!([]));
}

#[tokio::test]
async fn parameters_are_values_and_never_part_of_the_sql() {
    let client = sample().await;
    let evil = "' OR 1=1; DROP TABLE customers; --";
    let echo = json!({"sql": "SELECT $2, $1, ?3, $2", "params": [evil, 1.5, true]});
    let found = query(&client, echo).await.expect("a row");
    assert_eq!(found["rows"], json!([[1.5, evil, 1, 1.5]]));
    let none = json!({"sql": "SELECT * FROM customers WHERE name = ?", "params": [evil]});
    assert_eq!(
        query(&client, none).await.expect("no rows")["rows"],
        json!([])
    );
    let null = json!({"sql": "SELECT $1 IS NULL", "params": [null]});
    assert_eq!(
        query(&client, null).await.expect("a row")["rows"],
        json!([[1]])
    );

    for (sql, params, words) in [
        (
            "SELECT $1",
            json!([]),
            "The query has 1 parameters, and params has 0 values.",
        ),
        (
            "SELECT 1",
            json!([1]),
            "The query has 0 parameters, and params has 1 values.",
        ),
        ("SELECT $2", json!([1]), "The query has 2 parameters"),
        ("SELECT :name", json!(["x"]), "Parameters are numbered"),
        (
            "SELECT $1",
            json!([i64::MAX as u64 + 1]),
            "no whole numbers above 9223372036854775807",
        ),
        ("SELECT $1", json!([[1]]), "params: must hold only text"),
    ] {
        let refused = query(&client, json!({"sql": sql, "params": params})).await;
        let text = refused.expect_err(sql);
        assert!(text.contains(words), "{sql}: {text}");
    }
}

#[tokio::test]
async fn nothing_can_be_written_attached_or_configured() {
    let path = file("attacked.db");
    let other = file("other.db");
    let before = fs::read(&path).expect("the file");
    let database = Sqlite::open(&path).expect("the file");
    let client = TestClient::new(&server(database.query_time(FOREVER))).await;
    let attach = format!("ATTACH '{}' AS other", other.display());
    let vacuum = format!("VACUUM INTO '{}.copy'", other.display());
    for sql in [
        "INSERT INTO notes VALUES (2, 'x')",
        "INSERT INTO notes VALUES (2, 'x') RETURNING id",
        "REPLACE INTO notes VALUES (1, 'x')",
        "UPDATE notes SET text = 'x'",
        "DELETE FROM notes",
        "WITH x AS (SELECT 1) DELETE FROM notes",
        "EXPLAIN DELETE FROM notes",
        "DROP TABLE notes",
        "ALTER TABLE notes ADD COLUMN x",
        "CREATE TABLE x (y)",
        "CREATE TEMP TABLE x (y)",
        "CREATE TEMP VIEW x AS SELECT 1",
        "CREATE VIRTUAL TABLE x USING fts5 (y)",
        "CREATE INDEX x ON notes (text)",
        "REINDEX",
        "ANALYZE",
        "VACUUM",
        &vacuum,
        &attach,
        "ATTACH ':memory:' AS x",
        "DETACH main",
        "BEGIN",
        "BEGIN IMMEDIATE",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT x",
        "PRAGMA query_only = OFF",
        "PRAGMA writable_schema = ON",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA hard_heap_limit = 0",
        "PRAGMA temp_store_directory = '/'",
        "PRAGMA wal_checkpoint",
        "PRAGMA database_list",
        "SELECT * FROM pragma_database_list",
        "PRAGMA integrity_check",
        "SELECT load_extension('x')",
        "SELECT fts3_tokenizer('simple')",
        "SELECT fts3_tokenizer('simple', x'4141414141414141')",
        "SELECT sqlite_log(1, 'x')",
        "SELECT (SELECT load_extension('x')) FROM notes",
        "SELECT rtreecheck('notes')",
        "SELECT optimize(notes) FROM notes",
        "UPDATE sqlite_schema SET sql = ''",
        "",
        ";",
        "-- nothing",
    ] {
        let text = refusal(&client, sql).await;
        let path = path.to_str().expect("a path");
        assert!(!text.contains(path), "{sql}: {text}");
    }
    for sql in [
        "SELECT readfile('/etc/passwd')",
        "SELECT writefile('/tmp/x', 'x')",
        "SELECT edit('x')",
    ] {
        let text = refusal(&client, sql).await;
        assert!(text.contains("no such function"), "{sql}: {text}");
    }
    let kept = rows(&client, "SELECT * FROM notes").await.expect("a row");
    assert_eq!(kept["rows"], json!([[1, "kept"]]));
    assert_eq!(fs::read(&path).expect("the file"), before);
}

/// A file that was made to attack its reader: its views call functions.
#[tokio::test]
async fn a_hostile_file_cannot_act_through_its_schema() {
    let path = file("hostile.db");
    let database = Connection::open(&path).expect("the file");
    let made = database.execute_batch(
        "CREATE VIEW load AS SELECT load_extension('x') AS y;
         CREATE VIEW tokenizer AS SELECT fts3_tokenizer('simple') AS y;
         CREATE VIEW configure AS SELECT * FROM pragma_database_list;
         CREATE VIEW endless AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n;
         CREATE VIEW \"'; DROP TABLE notes; --\" AS SELECT 1 AS x;
         CREATE TRIGGER t AFTER INSERT ON notes BEGIN DELETE FROM notes; END;",
    );
    made.expect("views");
    let database = Sqlite::open(&path).expect("the file");
    let client = TestClient::new(&server(database.query_time(FOREVER))).await;
    for view in ["load", "tokenizer", "configure"] {
        refusal(&client, &format!("SELECT * FROM {view}")).await;
    }
    let tables = outcome(client.call("list_tables", json!({})).await).expect("tables");
    assert_eq!(tables["tables"].as_array().map(Vec::len), Some(6));
    for table in ["load", "configure", "endless", "'; DROP TABLE notes; --"] {
        let described = client.call("describe_table", json!({"table": table})).await;
        assert!(!described.text().is_empty(), "{table}");
    }
    assert!(rows(&client, "SELECT * FROM endless").await.is_ok());
    assert!(rows(&client, "SELECT * FROM notes").await.is_ok());
}

/// Another program writes to the file.
#[tokio::test]
async fn a_locked_file_is_busy_and_then_readable() {
    let path = file("locked.db");
    let database = Sqlite::open(&path).expect("the file");
    let client = TestClient::new(&server(database.query_time(FOREVER))).await;
    let writer = Connection::open(&path).expect("the file");
    let lock = "BEGIN EXCLUSIVE; INSERT INTO notes VALUES (2, 'new')";
    writer.execute_batch(lock).expect("a lock");
    let text = refusal(&client, "SELECT * FROM notes").await;
    assert!(text.contains("is busy. Try again"), "{text}");
    writer.execute_batch("COMMIT").expect("written");
    let found = rows(&client, "SELECT * FROM notes").await.expect("rows");
    assert_eq!(found["rows"], json!([[1, "kept"], [2, "new"]]));
}

/// Another program crashed while it wrote: only a program that may write can
/// mend the file, which is nothing that the client could change in its query.
#[tokio::test]
async fn a_file_that_a_crash_left_half_written_is_an_internal_error() {
    let path = file("crashed.db");
    let database = Sqlite::open(&path).expect("the file");
    let client = TestClient::new(&server(database.query_time(FOREVER))).await;
    let writer = Connection::open(&path).expect("the file");
    let half = "PRAGMA cache_size = 1; BEGIN; INSERT INTO notes SELECT value, zeroblob(4000) FROM json_each('[2,3,4,5,6,7,8,9]')";
    writer.execute_batch(half).expect("half of a change");
    let journal = fs::read(journal_of(&path)).expect("the journal");
    writer.execute_batch("ROLLBACK").expect("no change");
    drop(writer);
    fs::write(journal_of(&path), journal).expect("as after a crash");
    let text = rows(&client, "SELECT * FROM notes").await;
    let text = text.expect_err("it cannot be read");
    assert!(text.starts_with("An internal error occurred"), "{text}");
}

fn journal_of(path: &Path) -> PathBuf {
    path.with_extension("db-journal")
}

#[tokio::test]
async fn only_one_statement_runs() {
    let client = sample().await;
    for sql in [
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE orders",
        "SELECT 1;;SELECT 2",
        "SELECT 1; /* */ SELECT 2",
        "SELECT 1; PRAGMA query_only = OFF",
    ] {
        let text = refusal(&client, sql).await;
        assert!(
            text.contains("Only one statement") || text.contains("Only reading"),
            "{sql}: {text}"
        );
    }
    for sql in [
        "SELECT 1",
        "SELECT 1;",
        " SELECT 1 ; -- x",
        "/* x */ SELECT 1;;;\n/* y */",
        "SELECT 1 --x",
    ] {
        let found = rows(&client, sql).await.expect(sql);
        assert_eq!(found["rows"], json!([[1]]), "{sql}");
    }
    assert!(
        refusal(&client, "SELECT 1\0; DROP TABLE orders")
            .await
            .contains("NUL")
    );
}

#[tokio::test]
async fn errors_have_a_place_and_what_to_do() {
    let client = sample().await;
    for (sql, words) in [
        (
            "SELECT *\nFRM orders",
            "near \"FRM\": syntax error, at line 2, column 1 (`FRM`).",
        ),
        (
            "SELECT nam FROM customers",
            "no such column: nam, at line 1, column 8 (`nam`). list_tables shows",
        ),
        ("SELECT \"nam\" FROM customers", "no such column"),
        ("SELECT * FROM nowhere", "no such table: nowhere"),
        ("SELECT (", "incomplete input"),
        ("SELECT abs(-9223372036854775807 - 1)", "integer overflow"),
    ] {
        let text = refusal(&client, sql).await;
        assert!(text.contains(words), "{sql}: {text}");
    }
}

#[tokio::test]
async fn values_are_written_as_documented() {
    let client = sample().await;
    let sql =
        "SELECT 9007199254740993, -1, 1e999, -1e999, 0.1, x'00ff', NULL, 'é', CAST(x'ff' AS TEXT)";
    let found = rows(&client, sql).await.expect("a row");
    assert_eq!(
        found["rows"],
        json!([[
            "9007199254740993",
            -1,
            "Infinity",
            "-Infinity",
            0.1,
            "\\x00ff",
            null,
            "é",
            "\u{fffd}"
        ]])
    );
    let long = rows(&client, "SELECT printf('%.*c', 10000, 'x')").await;
    let long = long.expect("a row")["rows"][0][0]
        .as_str()
        .map(str::to_owned);
    assert!(
        long.expect("a text")
            .ends_with("xx… [cut: 10000 characters]")
    );
}

#[tokio::test]
async fn large_values_and_deep_expressions_are_refused() {
    let client = sample().await;
    let deep = format!("SELECT {}1{}", "(1+".repeat(500), ")".repeat(500));
    let compound = vec!["SELECT 1"; 60].join(" UNION ALL ");
    let wide = format!("SELECT {}", vec!["1"; 600].join(","));
    for (sql, words) in [
        ("SELECT zeroblob(1000000000)", "too large"),
        ("SELECT randomblob(2000000)", "too large"),
        ("SELECT printf('%.*c', 100000000, 'x')", "too large"),
        (
            "WITH RECURSIVE s (t) AS (SELECT 'xxxx' UNION ALL SELECT t || t FROM s) SELECT max(length(t)) FROM s",
            "too large",
        ),
        (&deep, "Expression tree is too large"),
        (&compound, "too many terms in compound SELECT"),
        (&wide, "too many columns"),
    ] {
        let text = refusal(&client, sql).await;
        assert!(text.contains(words), "{sql}: {text}");
    }
    let long = format!("SELECT '{}'", "x".repeat(limits::SQL_CHARS));
    let text = refusal(&client, &long).await;
    assert!(text.contains("at most 20000 characters"), "{text}");
    // One row of many long values.
    let wide = format!(
        "SELECT {}",
        vec!["printf('%.*c', 4000, 'x')"; 100].join(",")
    );
    assert!(refusal(&client, &wide).await.contains("too large"));
    // The connections have survived.
    assert!(rows(&client, "SELECT 1").await.is_ok());
}

/// A function is one step of SQLite's machine, and cannot be stopped within.
#[tokio::test]
async fn functions_that_run_long_on_long_values_are_refused_or_replaced() {
    let client = sample().await;
    for sql in [
        "SELECT unhex('zz', 'z')",
        "SELECT json_patch('{}', '{}')",
        "SELECT jsonb_patch('{}', '{}')",
    ] {
        let text = refusal(&client, sql).await;
        assert!(
            text.starts_with("not authorized to use function: "),
            "{text}"
        );
        assert!(text.ends_with(". Write the query without it."), "{text}");
    }
    let sql = "SELECT trim(printf('%.*c', 250000, 'a'), printf('%.*c', 250000, 'b') || 'a'),
        trim('  x '), trim('abxba', 'ab'), ltrim('abxba', 'ab'), rtrim('abxba', 'ab'), trim('éxé', 'é'), trim(110, '0'), trim(NULL, 'a'), trim('a', NULL)";
    let found = rows(&client, sql).await.expect("a row");
    assert_eq!(
        found["rows"],
        json!([["", "x", "x", "xba", "abx", "x", "11", null, null]])
    );
}
