//! What ends a query in the database: its time, a cancelled call, a process
//! that is killed.

use std::{sync::Arc, time::Duration};

use database::{Postgres, limits};
use mcp_kit::testing::Client;
use serde_json::json;

use crate::{
    client,
    cluster::{Cluster, cluster},
    program,
    support::{refusal, rows, server},
};

const RUNAWAYS: [&str; 3] = [
    "SELECT pg_sleep(86400)",
    "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b, generate_series(1, 1000000) c",
    "SELECT set_config('statement_timeout', '0', false), pg_sleep(86400)",
];

#[tokio::test]
async fn a_cancelled_call_ends_in_the_database() {
    let Some(cluster) = cluster() else { return };
    let client = client(&cluster, "reader", "cancelled").await;
    for sql in RUNAWAYS {
        let call = client.call("query", json!({"sql": sql}));
        // The client sends while this task waits: let it.
        client.request("ping", json!({})).await.expect("a pong");
        on_a_thread(&cluster, |cluster| cluster.wait_for_running("cancelled", 1)).await;
        call.cancel();
        on_a_thread(&cluster, |cluster| cluster.wait_for_none("cancelled")).await;
    }
}

#[tokio::test]
async fn a_query_whose_time_is_over_ends_in_the_database() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.url("reader", "timed");
    let database = Postgres::connect(&url, Duration::from_millis(200)).await;
    let client = Client::new(&server(database.expect("a database"))).await;
    for sql in RUNAWAYS {
        let text = refusal(&client, sql).await;
        assert!(text.contains("was cancelled after 200ms"), "{text}");
        on_a_thread(&cluster, |cluster| cluster.wait_for_none("timed")).await;
    }
}

#[tokio::test]
async fn a_busy_database_refuses_and_cancelling_makes_room() {
    let Some(cluster) = cluster() else { return };
    let client = client(&cluster, "reader", "busy").await;
    let calls: Vec<_> = (0..limits::CONNECTIONS)
        .map(|_| client.call("query", json!({"sql": RUNAWAYS[0]})))
        .collect();
    client.request("ping", json!({})).await.expect("a pong");
    on_a_thread(&cluster, |cluster| {
        cluster.wait_for_running("busy", limits::CONNECTIONS)
    })
    .await;
    let text = refusal(&client, "SELECT 1").await;
    assert!(text.contains("Try again in a few seconds"), "{text}");
    calls.iter().for_each(mcp_kit::testing::Call::cancel);
    on_a_thread(&cluster, |cluster| cluster.wait_for_none("busy")).await;
    assert!(rows(&client, "SELECT 1").await.is_ok());
}

#[tokio::test]
async fn a_lost_connection_is_an_internal_error() {
    let Some(cluster) = cluster() else { return };
    let client = client(&cluster, "reader", "lost").await;
    let text = rows(&client, "SELECT pg_terminate_backend(pg_backend_pid())").await;
    let text = text.expect_err("no connection");
    assert!(text.starts_with("An internal error occurred"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn the_queries_of_a_killed_process_end() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.url("reader", "killed");
    let mut program = program(url.expose_secret())
        .args(["--query-seconds", "3600", "call", "query"])
        .arg(json!({"sql": RUNAWAYS[0]}).to_string())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program runs");
    cluster.wait_for_running("killed", 1);
    program.kill().expect("it is ours");
    program.wait().expect("it ends");
    cluster.wait_for_none("killed");
}

#[test]
fn tls_is_verified_and_cancelling_uses_it_too() {
    let Some(cluster) = cluster() else { return };
    let call = |mode: &str, trusted: bool, sql: &str| {
        let mut program = program(&cluster.tcp_url("reader", "tls", mode));
        if trusted {
            program.env("SSL_CERT_FILE", cluster.certificate());
        }
        let arguments = json!({"sql": sql}).to_string();
        let output = program
            .args(["--query-seconds", "1", "call", "query", &arguments])
            .output();
        let output = output.expect("the program runs");
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&text).into_owned()
    };
    let encrypted = "SELECT 'encrypted: ' || ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    for (mode, trusted, words) in [
        ("require", true, "encrypted: true"),
        ("verify-full", true, "encrypted: true"),
        ("require", false, "invalid peer certificate"),
        ("disable", false, "encrypted: false"),
        ("prefer", false, "encrypted: false"),
    ] {
        let text = call(mode, trusted, encrypted);
        assert!(text.contains(words), "{mode} {trusted}: {text}");
    }
    let text = call("require", true, RUNAWAYS[0]);
    assert!(text.contains("was cancelled after 1s"), "{text}");
    cluster.wait_for_none("tls");
}

/// psql blocks, and the server of the test needs this thread meanwhile.
async fn on_a_thread(cluster: &Arc<Cluster>, wait: impl FnOnce(&Cluster) + Send + 'static) {
    let cluster = Arc::clone(cluster);
    let waited = tokio::task::spawn_blocking(move || wait(&cluster));
    waited.await.expect("the wait ends");
}
