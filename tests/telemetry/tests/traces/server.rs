//! The server as a process, spoken to over its stdin and stdout.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);

pub struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Lines<BufReader<ChildStdout>>,
    next_id: u64,
}

/// How the process ended, and its log.
pub struct Ended {
    pub code: Option<i32>,
    pub log: Vec<Value>,
    pub stderr: String,
}

impl Server {
    /// Starts it with nothing in the environment but these variables.
    pub fn start(environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_traced"))
            .env_clear()
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self {
            stdin: child.stdin.take(),
            stdout: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
            next_id: 1,
        }
    }

    pub async fn send(&mut self, message: Value) {
        let line = format!("{message}\n");
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(line.as_bytes()).await.unwrap();
    }

    pub async fn receive(&mut self) -> Value {
        let line = timeout(LONG, self.stdout.next_line()).await;
        let line = line.expect("an answer in time").unwrap();
        serde_json::from_str(&line.expect("an answer")).unwrap()
    }

    /// Calls a tool as 2026-07-28 has it; gives the text of the result.
    pub async fn call(&mut self, tool: &str, arguments: Value) -> String {
        self.call_with(tool, arguments, json!({})).await
    }

    /// The same with more in `_meta`.
    pub async fn call_with(&mut self, tool: &str, arguments: Value, meta: Value) -> String {
        let id = self.next_id;
        self.next_id += 1;
        self.send(call(json!(id), tool, arguments, meta)).await;
        let answer = self.receive().await;
        assert_eq!(answer["id"], id, "{answer}");
        let text = &answer["result"]["content"][0]["text"];
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Closes stdin and waits for the end.
    pub async fn end(mut self) -> Ended {
        drop(self.stdin.take());
        let mut stderr = String::new();
        let mut pipe = self.child.stderr.take().unwrap();
        let read = timeout(LONG, pipe.read_to_string(&mut stderr)).await;
        read.expect("an end in time").unwrap();
        let status = timeout(LONG, self.child.wait()).await;
        let status = status.expect("an end in time").unwrap();
        let log = stderr
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        Ended {
            code: status.code(),
            log,
            stderr,
        }
    }
}

/// The server as a process on a socket.
pub struct Listening {
    child: Child,
    pub address: String,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Listening {
    pub async fn start(environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_traced"))
            .args(["http", "--addr", "127.0.0.1:0"])
            .env_clear()
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        loop {
            let line = timeout(LONG, stderr.next_line()).await;
            let line = line.expect("a line in time").unwrap().expect("a line");
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == "listening" {
                let address = line["address"].as_str().unwrap().to_owned();
                return Self {
                    child,
                    address,
                    stderr,
                };
            }
        }
    }

    /// Ends it as an orchestrator does, and waits for that.
    pub async fn end(mut self) {
        let process = self.child.id().unwrap().to_string();
        let signal = Command::new("kill").args(["-TERM", &process]).status();
        assert!(signal.await.unwrap().success());
        while timeout(LONG, self.stderr.next_line())
            .await
            .expect("an end in time")
            .unwrap()
            .is_some()
        {}
        let status = timeout(LONG, self.child.wait()).await;
        assert!(status.expect("an end in time").unwrap().success());
    }
}

impl Ended {
    /// The lines that have this message.
    pub fn lines(&self, message: &str) -> Vec<&Value> {
        let is_meant = |line: &&Value| {
            line["message"]
                .as_str()
                .is_some_and(|text| text.contains(message))
        };
        self.log.iter().filter(is_meant).collect()
    }
}

pub fn call(id: Value, tool: &str, arguments: Value, mut meta: Value) -> Value {
    meta["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
    meta["io.modelcontextprotocol/clientCapabilities"] = json!({});
    json!({
        "jsonrpc": "2.0",
        "id": id,
        "method": "tools/call",
        "params": {"name": tool, "arguments": arguments, "_meta": meta},
    })
}
