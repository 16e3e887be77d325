//! What the server requires of a role, and what it reports about one.

use database::Postgres;
use serde_json::json;

use crate::{cluster::cluster, program, support::FOREVER};

#[tokio::test]
async fn superusers_and_roles_that_reach_the_servers_files_are_refused() {
    let Some(cluster) = cluster() else { return };
    for (role, words) in [
        ("boss", "a superuser"),
        ("admin", "a superuser"),
        ("member", "a superuser"),
        ("filer", "pg_read_server_files"),
    ] {
        let refused = Postgres::connect(&cluster.url(role, "roles"), FOREVER).await;
        let error = refused.err().expect(role).to_string();
        assert!(
            error.contains(words) && error.contains("can only read"),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
    }
    let mut wrong = cluster.url("reader", "roles").expose_secret().clone();
    wrong = wrong.replace("hunter2-reader", "hunter2-wrong");
    for url in [
        wrong,
        "postgres://x:hunter2@[/".to_owned(),
        "postgres://u:hunter2@127.0.0.1:1/x".to_owned(),
    ] {
        let refused = Postgres::connect(&url.into(), FOREVER)
            .await
            .err()
            .expect("refused");
        let mut text = format!("{refused} {refused:?}");
        let mut source = std::error::Error::source(&refused);
        while let Some(error) = source {
            text.push_str(&error.to_string());
            source = error.source();
        }
        assert!(!text.contains("hunter2"), "{text}");
    }
}

/// The SQL of the README makes a role that the server accepts without a warning,
/// and that can read what it was granted and no more.
#[test]
fn the_recipe_of_the_readme_makes_a_reader() {
    let Some(cluster) = cluster() else { return };
    let readme = include_str!("../../README.md");
    let recipe = readme
        .split("```sql\n")
        .nth(1)
        .and_then(|text| text.split("```").next());
    let recipe = recipe
        .expect("the recipe")
        .replace("'…'", "'hunter2-mcp_reader'");
    cluster.admin_in("postgres", "CREATE DATABASE recipe");
    cluster.admin_in("recipe", "CREATE TABLE customers AS SELECT 1 AS id; CREATE TABLE orders AS SELECT 2 AS id; CREATE TABLE secret AS SELECT 3 AS id");
    cluster.admin_in("recipe", &recipe.replace(" shop ", " recipe "));
    let url = cluster
        .url("mcp_reader", "recipe")
        .expose_secret()
        .replace("/shop?", "/recipe?");
    let call = |sql: &str| {
        let arguments = json!({"sql": sql}).to_string();
        let output = program(&url)
            .args(["call", "query", &arguments, "--json"])
            .output();
        let output = output.expect("the program runs");
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!log.contains("the PostgreSQL role"), "{log}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let read = call("SELECT 'read: ' || c.id || o.id FROM customers c, orders o");
    assert!(read.contains("read: 12"), "{read}");
    // What a session runs is not shown to the other callers, who have the same role.
    let own = "SELECT 'seen: ' || count(*) FROM pg_stat_activity WHERE usename = current_user AND query <> ''";
    assert!(call(own).contains("seen: 0"), "{}", call(own));
    for sql in [
        "SELECT * FROM secret",
        "SELECT pg_terminate_backend(1)",
        "SELECT pg_cancel_backend(1)",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_xact_lock(1, 2)",
        "SELECT pg_logical_emit_message(false, 'a', 'b')",
        "SELECT set_config('work_mem', '1GB', false)",
        "SELECT query_to_xml('SELECT set_config(''work_mem'', ''1GB'', false)', true, true, '')",
        "SELECT query_to_xml('SET work_mem = ''1GB''', true, true, '')",
        "UPDATE pg_settings SET setting = '1000000' WHERE name = 'work_mem'",
        "SELECT lo_create(0)",
        "SELECT pg_read_file('/etc/passwd')",
        "CREATE TEMP TABLE x (y int)",
    ] {
        let text = call(sql);
        assert!(
            [
                "does not allow",
                "Only reading",
                "A function of the database raised"
            ]
            .iter()
            .any(|words| text.contains(words)),
            "{sql}: {text}"
        );
    }
}

#[test]
fn rights_that_reading_does_not_need_are_in_the_log_and_the_password_is_not() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.url("writer", "warned");
    let output = program(url.expose_secret())
        .args(["call", "list_tables", "{}"])
        .output();
    let output = output.expect("the program runs");
    assert!(output.status.success());
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(
        log.contains("the PostgreSQL role can write to tables"),
        "{log}"
    );
    assert!(log.contains("overwrite_as_owner"), "{log}");
    assert!(log.contains("can execute set_config"), "{log}");
    for arguments in [
        ["call", "list_tables", "{}", "--query-seconds=0"],
        ["--help", "", "", ""],
    ] {
        let wrong = program(&url.expose_secret().replace("-writer", "-wrong"));
        let output = { wrong }
            .args(arguments)
            .output()
            .expect("the program runs");
        let text = [output.stdout, output.stderr].concat();
        assert!(!String::from_utf8_lossy(&text).contains("hunter2"));
    }
}
