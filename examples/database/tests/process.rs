//! The program as hosts and operators run it.

#![allow(
    clippy::disallowed_methods,
    reason = "tests start the program as a host does"
)]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_database"));
    program
        .env_remove("DATABASE_URL")
        .env_remove("DATABASE_CURSOR_KEY");
    program
}

fn run(arguments: &[&str]) -> Output {
    program()
        .args(arguments)
        .output()
        .expect("the program runs")
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

#[test]
fn the_sample_is_queried_without_any_setup() {
    let output = run(&[
        "call",
        "query",
        r#"{"sql": "SELECT name FROM products ORDER BY id", "maxRows": 1}"#,
    ]);
    assert!(output.status.success());
    assert!(text(&output.stdout).contains("Espresso beans"));
}

#[test]
fn check_and_tools_open_no_database() {
    for command in ["check", "tools"] {
        let output = run(&["--database", "/nowhere/at/all.db", command]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("describe_table"));
    }
    let output = run(&["check", "--strict"]);
    assert!(output.status.success(), "{}", text(&output.stdout));
}

#[test]
fn operators_read_what_is_wrong_with_the_options() {
    let missing = Path::new(env!("CARGO_TARGET_TMPDIR")).join("missing.db");
    let missing = missing.to_str().expect("a path");
    let no_database = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for (arguments, words) in [
        (
            ["--database", missing],
            "nor a SQLite file that can be opened",
        ),
        (
            ["--database", no_database],
            "nor a SQLite file that can be opened",
        ),
        (["--cursor-key", "short"], "must have at least 32 bytes"),
        (["--query-seconds", "0"], "0 is not in 1..=3600"),
    ] {
        let output = run(&[arguments[0], arguments[1], "call", "list_tables", "{}"]);
        assert!(!output.status.success(), "{arguments:?}");
        let error = text(&output.stderr);
        assert!(error.contains(words), "{arguments:?}: {error}");
        assert!(!Path::new(missing).exists(), "nothing is created");
    }
}

/// In a process of its own, since SQLite's memory limit holds for the process.
#[test]
fn hungry_queries_end_at_the_memory_limit() {
    for sql in [
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n ORDER BY randomblob(100000), i",
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION SELECT randomblob(100000) FROM n) SELECT count(*) FROM n",
    ] {
        let arguments = json!({"sql": sql}).to_string();
        let output = run(&["--query-seconds", "3600", "call", "query", &arguments]);
        let words = text(&output.stdout) + &text(&output.stderr);
        assert!(words.contains("too much memory"), "{words}");
    }
}

/// Ended with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server on stdio that speaks raw lines.
struct Server {
    process: Running,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut process = program()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        let mut server = Self {
            stdin: process.stdin.take().expect("a pipe"),
            stdout: BufReader::new(process.stdout.take().expect("a pipe")),
            process: Running(process),
        };
        let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
        server.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}));
        assert_eq!(server.receive()["id"], 0);
        server.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        server
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.stdin, "{message}").expect("the server reads");
    }

    fn receive(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("the server writes");
        serde_json::from_str(&line).expect("JSON")
    }

    fn query(&mut self, id: u64, sql: &str) {
        let params = json!({"name": "query", "arguments": {"sql": sql}});
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}));
    }
}

/// Many small values cost the allocator most, and each thread keeps its share.
#[cfg(target_os = "linux")]
#[test]
fn hungry_queries_on_every_thread_leave_the_process_small() {
    let mut server = Server::start(&["--query-seconds", "3600"]);
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n ORDER BY i DESC";
    for id in 1..=2 * database::limits::CONNECTIONS as u64 {
        server.query(id, sql);
        let answer = server.receive();
        assert_eq!(answer["result"]["isError"], true, "{answer}");
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process.0.id()));
    let status = status.expect("the process runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    assert!(kib.expect("a peak") < 320 << 10, "{kib:?}");
}

#[test]
fn attacks_over_stdio_are_refused_and_a_cancelled_query_frees_its_thread() {
    let mut server = Server::start(&["--query-seconds", "3600"]);
    for (id, sql) in (1..).zip([
        "DROP TABLE orders",
        "SELECT 1; SELECT 2",
        "ATTACH '/etc/passwd' AS x",
    ]) {
        server.query(id, sql);
        let answer = server.receive();
        assert_eq!(answer["id"], id);
        assert_eq!(answer["result"]["isError"], true, "{sql}");
    }
    let runaway =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    for id in 10..10 + database::limits::CONNECTIONS as u64 {
        server.query(id, runaway);
    }
    server.query(99, "SELECT count(*) FROM orders");
    for id in 10..10 + database::limits::CONNECTIONS as u64 {
        server.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}));
    }
    let answer = server.receive();
    assert_eq!(answer["id"], 99);
    assert_eq!(
        answer["result"]["structuredContent"]["rows"],
        json!([[120]])
    );
}

/// Sends a query over HTTP, and gives the connection that its answer comes on.
fn post(address: &str, key: &str, sql: &str) -> TcpStream {
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {
            "name": "query", "arguments": {"sql": sql},
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        },
    });
    let message = message.to_string();
    let mut connection = TcpStream::connect(address).expect("the server listens");
    write!(
        connection,
        "POST /mcp HTTP/1.1\r\nHost: {address}\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\n\
         Mcp-Method: tools/call\r\nMcp-Name: query\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{message}",
        message.len()
    )
    .expect("the server reads");
    // An answer that never comes fails the test.
    let patience = Some(Duration::from_secs(30));
    connection.set_read_timeout(patience).expect("a socket");
    connection
}

#[test]
fn a_caller_with_slow_queries_leaves_connections_to_others() {
    let mut process = program()
        .args(["--query-seconds", "3600", "http", "--addr", "127.0.0.1:0"])
        .env(
            "MCP_API_KEYS",
            "ada:key-of-ada-0123456789,bob:key-of-bob-0123456789",
        )
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut log = BufReader::new(process.stderr.take().expect("a pipe")).lines();
    let _process = Running(process);
    let address = log
        .by_ref()
        .map(|line| serde_json::from_str::<Value>(&line.expect("a line")).expect("JSON"))
        .find(|line| line["message"] == "listening")
        .and_then(|line| line["address"].as_str().map(str::to_owned))
        .expect("the address");
    let runaway =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let slow: Vec<_> = (0..2 * database::limits::CONNECTIONS)
        .map(|_| post(&address, "key-of-ada-0123456789", runaway))
        .collect();
    // Often enough that the slow ones have begun meanwhile.
    for _ in 0..30 {
        let mut answer = String::new();
        post(
            &address,
            "key-of-bob-0123456789",
            "SELECT count(*) FROM orders",
        )
        .read_to_string(&mut answer)
        .expect("an answer");
        assert!(answer.contains(r#""rows":[[120]]"#), "{answer}");
    }
    drop(slow);
}
