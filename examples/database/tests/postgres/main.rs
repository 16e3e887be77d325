//! PostgreSQL, through the whole protocol, attacked. Needs Debian's package
//! `postgresql`; see `cluster.rs`.

#![allow(
    clippy::disallowed_methods,
    reason = "tests start the program as a host does"
)]
#![cfg(target_os = "linux")]

mod cluster;
mod ends;
mod proxied;
mod roles;
#[path = "../support/mod.rs"]
mod support;
mod urls;

use std::process::Command;

use cluster::{Cluster, cluster};
use database::Postgres;
use mcp_kit::testing::TestClient;
use serde_json::json;
use support::{FOREVER, ids_of_all_pages, outcome, query, refusal, rows, server};

/// A client of a server that connects as `role`.
async fn client(cluster: &Cluster, role: &str, name: &str) -> TestClient {
    let database = Postgres::connect(&cluster.url(role, name), FOREVER).await;
    TestClient::new(&server(database.expect("a database"))).await
}

#[tokio::test]
async fn only_what_the_role_can_read_is_described() {
    let Some(cluster) = cluster() else { return };
    let client = client(&cluster, "reader", "described").await;
    let tables = outcome(client.call("list_tables", json!({})).await).expect("tables");
    assert_eq!(
        tables["tables"],
        json!([
            {"name": "\"Odd \"\"name\"", "kind": "table"},
            {"name": "customers", "kind": "table", "comment": "Who buys", "rowEstimate": 120},
            {"name": "names", "kind": "view"},
            {"name": "partly", "kind": "table"},
            {"name": "sales.orders", "kind": "table"},
        ])
    );
    let describe =
        async |table: &str| outcome(client.call("describe_table", json!({"table": table})).await);
    let customers = describe("customers").await.expect("a table");
    assert_eq!(
        customers["columns"],
        json!([
            {"name": "id", "type": "integer", "nullable": false, "primaryKey": true},
            {"name": "name", "type": "text", "nullable": false, "primaryKey": false, "comment": "The full name"},
            {"name": "mood", "type": "mood", "nullable": true, "primaryKey": false},
        ])
    );
    assert_eq!(describe("public.customers").await, Ok(customers));
    let orders = describe("sales.orders").await.expect("a table");
    assert_eq!(orders["columns"][1]["references"], "customers.id");

    let partly = describe("partly").await.expect("a table");
    let columns = partly["columns"].as_array().expect("columns");
    let names: Vec<_> = columns.iter().map(|column| &column["name"]).collect();
    assert_eq!(names, ["id", "open", "secret_id"]);
    assert_eq!(columns[2].get("references"), None, "to a hidden table");
    for hidden in [
        "secret",
        "public.secret",
        "orders",
        "pg_catalog.pg_authid",
        "pg_authid",
        "x' OR 'a'='a",
    ] {
        let text = describe(hidden).await.expect_err(hidden);
        assert!(
            text.starts_with("There is no such table"),
            "{hidden}: {text}"
        );
    }
}

#[tokio::test]
async fn nothing_is_written_even_by_a_role_that_could() {
    let Some(cluster) = cluster() else { return };
    let client = client(&cluster, "writer", "written").await;
    let state = "SELECT count(*), min(name), (SELECT count(*) FROM sales.orders), (SELECT last_value FROM numbers), (SELECT count(*) FROM pg_largeobject_metadata), (SELECT count(*) FROM pg_class) FROM customers";
    let before = cluster.admin(state);
    for sql in [
        "INSERT INTO customers VALUES (999, 'x')",
        "INSERT INTO customers VALUES (999, 'x') RETURNING id",
        "UPDATE customers SET name = 'x' RETURNING id",
        "DELETE FROM sales.orders",
        "DELETE FROM sales.orders RETURNING id",
        "TRUNCATE sales.orders",
        "MERGE INTO customers c USING sales.orders o ON c.id = o.id WHEN MATCHED THEN DELETE",
        "WITH gone AS (DELETE FROM sales.orders RETURNING id) SELECT * FROM gone",
        "SELECT * INTO copied FROM customers",
        "SELECT * FROM customers FOR UPDATE",
        "CREATE TABLE x (y int)",
        "CREATE TEMP TABLE x (y int)",
        "CREATE TABLE x AS SELECT 1",
        "DROP TABLE customers",
        "ALTER TABLE customers ADD x int",
        "CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DO $$ BEGIN DELETE FROM sales.orders; END $$",
        "COPY customers TO '/tmp/x'",
        "COPY customers TO STDOUT",
        "COPY customers FROM PROGRAM 'id'",
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "SET transaction_read_only = off",
        "SET TRANSACTION READ WRITE",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
        "SET ROLE admin",
        "RESET ALL",
        "SHOW transaction_read_only",
        "BEGIN",
        "BEGIN READ WRITE",
        "COMMIT",
        "ROLLBACK",
        "ROLLBACK AND CHAIN",
        "SAVEPOINT x",
        "PREPARE x AS DELETE FROM sales.orders",
        "EXECUTE x",
        "FETCH ALL FROM page",
        "CLOSE page",
        "EXPLAIN ANALYZE DELETE FROM sales.orders",
        "LISTEN x",
        "NOTIFY x",
        "LOCK TABLE customers",
        "VACUUM",
        "REINDEX TABLE customers",
        "DISCARD ALL",
        "SELECT nextval('numbers')",
        "SELECT setval('numbers', 99)",
        "SELECT overwrite()",
        "SELECT overwrite_as_owner()",
        "SELECT set_config('transaction_read_only', 'off', false), overwrite()",
        "SELECT set_config('transaction_read_only', 'off', true), overwrite()",
        "SELECT overwrite() FROM (SELECT set_config('transaction_read_only', 'off', true) OFFSET 0) x",
        "SELECT set_config('role', 'admin', false)",
        "SELECT set_config('session_authorization', 'admin', false)",
        "SELECT query_to_xml('DELETE FROM sales.orders RETURNING 1', true, true, '')",
        "SELECT query_to_xml('COMMIT', true, true, '')",
        "SELECT query_to_xml('SET TRANSACTION READ WRITE', true, true, '')",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('/')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT lo_export(1, '/tmp/x')",
        "SELECT pg_reload_conf()",
        "SELECT pg_create_physical_replication_slot('x')",
        "",
        ";",
        "-- nothing",
    ] {
        refusal(&client, sql).await;
    }
    // PostgreSQL 15 lets large objects be made, which ends with the transaction.
    let _ = rows(&client, "SELECT lo_from_bytea(0, 'x')").await;
    let _ = rows(&client, "SELECT lo_create(0)").await;
    let _ = rows(&client, "SELECT pg_notify('x', 'y'), txid_current()").await;
    assert_eq!(cluster.admin(state), before);
}

#[tokio::test]
async fn settings_and_locks_of_a_query_reach_no_other() {
    let Some(cluster) = cluster() else { return };
    let client = client(&cluster, "reader", "settings").await;
    let set = "SELECT set_config('statement_timeout', '0', false), set_config('search_path', 'sales', false), set_config('default_transaction_read_only', 'off', false), pg_advisory_lock(7)";
    rows(&client, set).await.expect("a query may do that");
    let get = "SELECT current_setting('statement_timeout') <> '0', current_setting('search_path'), current_setting('transaction_read_only'), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')";
    let found = rows(&client, get).await.expect("a row");
    assert_eq!(found["rows"], json!([[true, "\"$user\", public", "on", 0]]));
}

#[tokio::test]
async fn only_one_statement_runs_and_parameters_are_values() {
    let Some(cluster) = cluster() else { return };
    let client = client(&cluster, "writer", "one").await;
    for sql in [
        "SELECT 1; SELECT 2",
        "COMMIT; DELETE FROM sales.orders",
        "SELECT 1; COMMIT; DELETE FROM sales.orders; --",
        "SELECT 1;;SELECT 2",
    ] {
        let text = refusal(&client, sql).await;
        assert!(text.contains("Only one statement"), "{sql}: {text}");
    }
    for sql in [
        "SELECT 1",
        "SELECT 1;",
        "/* x */ SELECT 1 ;; -- x",
        "(SELECT 1)",
        "VALUES (1)",
        "WITH x AS (SELECT 1) TABLE x",
        "SELECT 1 --x",
    ] {
        let found = rows(&client, sql).await.expect(sql);
        assert_eq!(found["rows"], json!([[1]]), "{sql}");
    }
    let nul = query(&client, json!({"sql": "SELECT 1\0"})).await;
    assert!(nul.expect_err("no NUL").contains("NUL"));

    let evil = "'; DELETE FROM sales.orders; --";
    let echo = json!({"sql": "SELECT $2::text, $1::int + 1, $3::bool, $4::jsonb, $5::timestamptz", "params": [41, evil, true, "{\"a\":1}", null]});
    let found = query(&client, echo).await.expect("a row");
    assert_eq!(found["rows"], json!([[evil, 42, true, {"a": 1}, null]]));
    let by_id = json!({"sql": "SELECT name FROM customers WHERE id = $1 AND mood = $2", "params": [7, "glad"]});
    assert_eq!(
        query(&client, by_id).await.expect("a row")["rows"],
        json!([["Customer 7"]])
    );
    for (sql, params, words) in [
        (
            "SELECT $1::int",
            json!([]),
            "The query has 1 parameters, and params has 0 values.",
        ),
        (
            "SELECT 1",
            json!([1]),
            "The query has 0 parameters, and params has 1 values.",
        ),
        (
            "SELECT $1::int",
            json!(["x"]),
            "A value in params does not fit its type, or a function refused it: $1 is int4.",
        ),
        (
            "SELECT $2::text, $1::int",
            json!([u64::MAX, "x"]),
            "$1 is int4, $2 is text.",
        ),
        ("SELECT $1::text", json!(["\0"]), "does not fit its type"),
    ] {
        let text = query(&client, json!({"sql": sql, "params": params}))
            .await
            .expect_err(sql);
        assert!(text.contains(words), "{sql}: {text}");
    }
}

#[tokio::test]
async fn errors_have_a_place_and_hide_what_the_role_may_not_see() {
    let Some(cluster) = cluster() else { return };
    let client = client(&cluster, "reader", "errors").await;
    for (sql, words) in [
        (
            "SELECT *\nFRM customers",
            "syntax error at or near \"FRM\", at line 2, column 1 (`FRM`). list_tables shows",
        ),
        (
            "SELECT nam FROM customers",
            "column \"nam\" does not exist, at line 1, column 8 (`nam`).",
        ),
        (
            "SELECT * FROM nowhere",
            "relation \"nowhere\" does not exist",
        ),
        ("SELECT '", "unterminated quoted string"),
        ("SELECT 1/0", "division by zero"),
        ("SELECT * FROM secret", "does not allow this"),
        ("SELECT hidden FROM partly", "does not allow this"),
        (
            "SELECT hunter FROM secret",
            "column \"hunter\" does not exist",
        ),
        (
            "SELECT fails()",
            "A function of the database raised an error",
        ),
        (
            "SELECT fails_otherwise()",
            "A function of the database raised an error",
        ),
        (
            "SELECT\n'{\"a'::jsonb",
            "or a type refused a value, at line 2, column 1 (`'{\"a'::jsonb`). Check the values",
        ),
        ("SELECT 100::percent + 1", "violates check constraint"),
    ] {
        let text = refusal(&client, sql).await;
        assert!(text.contains(words), "{sql}: {text}");
        assert!(!text.contains("hunter2"), "{sql}: {text}");
    }
}

#[tokio::test]
async fn values_are_written_as_documented() {
    let Some(cluster) = cluster() else { return };
    let client = client(&cluster, "reader", "values").await;
    for (sql, expected) in [
        ("NULL", json!(null)),
        ("true", json!(true)),
        ("7::int2", json!(7)),
        ("9007199254740993", json!("9007199254740993")),
        ("7::cents", json!(7)),
        ("1.10::numeric", json!("1.10")),
        ("0.1::float8", json!(0.1)),
        ("'NaN'::float4", json!("NaN")),
        ("'-Infinity'::float8", json!("-Infinity")),
        ("'\\x00ff'::bytea", json!("\\x00ff")),
        ("date '2026-01-31'", json!("2026-01-31")),
        (
            "timestamptz '2026-01-31 12:00+01'",
            json!("2026-01-31 11:00:00+00"),
        ),
        ("interval '1 day 2 hours'", json!("P1DT2H")),
        ("'glad'::mood", json!("glad")),
        ("'{\"a\": [1, null]}'::jsonb", json!({"a": [1, null]})),
        (
            "'{\"a\": 9007199254740993}'::json",
            json!("{\"a\": 9007199254740993}"),
        ),
        ("ARRAY[[1,2],[3,NULL]]", json!([[1, 2], [3, null]])),
        ("ARRAY['a b', '\"', NULL]", json!(["a b", "\"", null])),
        ("ARRAY['glad'::mood]", json!(["glad"])),
        ("ROW(1, 'x')::pair", json!("(1,x)")),
        ("int4range(1, 5)", json!("[1,5)")),
        ("'10.0.0.1/8'::inet", json!("10.0.0.1/8")),
        ("point(1, 2)", json!("(1,2)")),
        ("'a'::tsvector", json!("'a'")),
        (
            "'67e55044-10b1-426f-9247-bb680e5fe0c8'::uuid",
            json!("67e55044-10b1-426f-9247-bb680e5fe0c8"),
        ),
        ("'x'::\"char\"", json!("x")),
    ] {
        let found = rows(&client, &format!("SELECT {sql} AS value"))
            .await
            .expect(sql);
        assert_eq!(found["rows"], json!([[expected]]), "{sql}");
        assert_eq!(found["columns"][0]["name"], "value");
    }
    let typed = rows(&client, "SELECT 1, ARRAY['x']").await.expect("a row");
    assert_eq!(
        typed["columns"],
        json!([{"name": "?column?", "type": "int4"}, {"name": "array", "type": "text[]"}])
    );
}

#[tokio::test]
async fn large_values_are_cut_or_refused_before_they_are_read() {
    let Some(cluster) = cluster() else { return };
    let client = client(&cluster, "reader", "large").await;
    let cut = rows(&client, "SELECT repeat('x', 10000)")
        .await
        .expect("a row");
    assert!(
        cut["rows"][0][0]
            .as_str()
            .is_some_and(|text| text.ends_with("[cut: 10000 characters]"))
    );
    for sql in [
        "SELECT repeat('x', 50000000)",
        "SELECT 1, repeat('x', 50000000)::bytea",
        "SELECT repeat('x', 200000), repeat('x', 200000)",
        "SELECT array_agg(i) FROM generate_series(1, 1000000) i",
    ] {
        let text = refusal(&client, sql).await;
        assert!(text.contains("too large"), "{sql}: {text}");
    }
    assert!(
        refusal(&client, "SELECT repeat('x', 2000000000)")
            .await
            .contains("requested length too large")
    );
    assert!(rows(&client, "SELECT 1").await.is_ok());
    cluster.wait_for_none("large");
}

#[tokio::test]
async fn pages_join_to_the_whole_result() {
    let Some(cluster) = cluster() else { return };
    let client = client(&cluster, "reader", "pages").await;
    let ids = ids_of_all_pages(&client, "customers").await;
    assert_eq!(ids, (11..=120).collect::<Vec<_>>());
}

/// The program with a database.
fn program(url: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_database"));
    program.env("DATABASE_URL", url).env_remove("SSL_CERT_FILE");
    program
}
