//! What ends a query in the database: its time, a cancelled call, a process
//! that is killed.

use std::{
    io::ErrorKind,
    os::unix::net::UnixListener,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use database::{Postgres, limits};
use mcp_kit::testing::TestClient;
use serde_json::{Value, json};

use crate::{
    client,
    cluster::{Cluster, cluster},
    program,
    support::{FOREVER, refusal, rows, server},
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
    let client = TestClient::new(&server(database.expect("a database"))).await;
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
    calls.iter().for_each(mcp_kit::testing::TestCall::cancel);
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

/// Its first row lifts the limits of whatever runs after it, and its third does
/// not end. With a page of one row the server reads two, so the second page skips
/// the first row and then meets the third.
const LIFTS_LIMITS: &str = "SELECT CASE i
        WHEN 1 THEN concat(set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false),
            set_config('client_connection_check_interval', '0', false))
        WHEN 2 THEN 'the second'
        ELSE pg_sleep(86400)::text END
    FROM generate_series(1, 3) i";

/// A process that runs a query in the database, which nothing cancels.
fn running(cluster: &Cluster, name: &str, seconds: &str, arguments: &Value) -> Child {
    let program = program(cluster.url("reader", name).expose_secret())
        .env("DATABASE_CURSOR_KEY", "k".repeat(32))
        .args(["--query-seconds", seconds, "call", "query"])
        .arg(arguments.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let program = program.expect("the program runs");
    cluster.wait_for_running(name, 1);
    program
}

/// The arguments for the second page of [`LIFTS_LIMITS`].
fn second_page(cluster: &Cluster) -> Value {
    let mut arguments = json!({"sql": LIFTS_LIMITS, "maxRows": 1});
    let output = program(cluster.url("reader", "first page").expose_secret())
        .env("DATABASE_CURSOR_KEY", "k".repeat(32))
        .args(["call", "query", &arguments.to_string(), "--json"])
        .output();
    let page = output.expect("the program runs").stdout;
    let page: Value = serde_json::from_slice(&page).expect("JSON");
    arguments["cursor"] = page["structuredContent"]["nextCursor"].clone();
    assert!(arguments["cursor"].is_string(), "{page}");
    arguments
}

#[test]
fn the_queries_of_a_killed_process_end() {
    let Some(cluster) = cluster() else { return };
    for arguments in [json!({"sql": RUNAWAYS[0]}), second_page(&cluster)] {
        let mut program = running(&cluster, "killed", "3600", &arguments);
        program.kill().expect("it is ours");
        program.wait().expect("it ends");
        cluster.wait_for_none("killed");
    }
}

/// A stopped process keeps its connection, and sends no cancel request.
#[test]
fn the_queries_of_a_stopped_process_end() {
    let Some(cluster) = cluster() else { return };
    for arguments in [json!({"sql": RUNAWAYS[0]}), second_page(&cluster)] {
        let mut program = running(&cluster, "stopped", "1", &arguments);
        let id = program.id().to_string();
        let stopped = Command::new("kill").args(["-STOP", &id]).status();
        assert!(stopped.expect("kill runs").success());
        cluster.wait_for_none("stopped");
        program.kill().expect("it is ours");
        program.wait().expect("it ends");
    }
}

/// The URL's first host has no server when the session begins, and one that
/// knows no such session when it is cancelled.
#[tokio::test]
async fn a_cancel_request_goes_to_the_server_of_the_session() {
    let Some(cluster) = cluster() else { return };
    let other = cluster.other_folder("other");
    let url = cluster.url_of(&[&other, cluster.folder()], "reader", "two hosts");
    let database = Postgres::connect(&url, FOREVER).await;
    let client = TestClient::new(&server(database.expect("a database"))).await;
    let call = client.call("query", json!({"sql": RUNAWAYS[0]}));
    client.request("ping", json!({})).await.expect("a pong");
    on_a_thread(&cluster, |cluster| cluster.wait_for_running("two hosts", 1)).await;
    let other = UnixListener::bind(cluster.socket(&other)).expect("a socket");
    call.cancel();
    on_a_thread(&cluster, |cluster| cluster.wait_for_none("two hosts")).await;
    other.set_nonblocking(true).expect("a setting");
    let asked = other.accept().err().map(|error| error.kind());
    assert_eq!(asked, Some(ErrorKind::WouldBlock));
}

#[test]
fn tls_is_verified_and_used_for_cancelling() {
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

/// psql blocks, and the server of the test needs this thread.
pub async fn on_a_thread(cluster: &Arc<Cluster>, wait: impl FnOnce(&Cluster) + Send + 'static) {
    let cluster = Arc::clone(cluster);
    let waited = tokio::task::spawn_blocking(move || wait(&cluster));
    waited.await.expect("the wait ends");
}
