//! One process of the server, and a client that asks it one thing at a time.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::redis::Redis;

pub(crate) struct Replica {
    process: Child,
    address: SocketAddr,
    /// Gives the rest of the log once the process has ended.
    log: Option<JoinHandle<String>>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Replica {
    pub(crate) fn start(redis: &Redis, environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chaos-server"));
        for (name, _) in std::env::vars_os() {
            let name_bytes = name.as_encoded_bytes();
            if name_bytes.starts_with(b"MCP_") || name_bytes.starts_with(b"CHAOS_") {
                command.env_remove(name);
            }
        }
        let mut process = command
            .args(["http", "--addr", "127.0.0.1:0"])
            .env("MCP_API_KEYS", "alice:alice-key:admin,bob:bob-key")
            .env("CHAOS_REDIS", redis.url())
            .envs(environment.iter().copied())
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut start = String::new();
        let address = loop {
            let at = start.len();
            assert!(log.read_line(&mut start).unwrap() > 0, "{start}");
            let line: Value = serde_json::from_str(&start[at..]).unwrap();
            if line["message"] == "listening" {
                break line["address"].as_str().unwrap().parse().unwrap();
            }
        };
        let rest = std::thread::spawn(move || {
            log.read_to_string(&mut start).unwrap();
            start
        });
        Self {
            process,
            address,
            log: Some(rest),
        }
    }

    /// Calls a tool that needs no arguments, in the modern way.
    pub(crate) fn call(&self, key: &str, tool: &str) -> Answer {
        let arguments = match tool {
            "add" => json!({"a": 1, "b": 2}),
            _ => json!({}),
        };
        let body = json!({
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {
                "name": tool,
                "arguments": arguments,
                "_meta": {
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                    "io.modelcontextprotocol/clientCapabilities": {},
                },
            },
        });
        let headers = format!(
            "X-API-Key: {key}\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n"
        );
        self.post(&headers, &body)
    }

    /// Sends a request of a client that declares tasks and forms; its answer.
    pub(crate) fn ask(&self, key: &str, method: &str, name: &str, params: Value) -> Value {
        let mut params = params;
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {
                "elicitation": {"form": {}},
                "extensions": {"io.modelcontextprotocol/tasks": {}},
            },
        });
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let headers = format!(
            "X-API-Key: {key}\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\nMcp-Name: {name}\r\n"
        );
        let answer = self.post(&headers, &body);
        serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{}", answer.body))
    }

    /// Sends SIGTERM, and waits for the end of the process; its exit code.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.process.wait().unwrap().code()
    }

    pub(crate) fn post(&self, headers: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let length = body.len();
        self.send(&format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        ))
    }

    fn send(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        Answer {
            status: status.parse().unwrap(),
            headers: lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
        }
    }

    /// Ends the process, for its log.
    pub(crate) fn end(mut self) -> String {
        self.kill();
        self.log.take().unwrap().join().unwrap()
    }

    fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(found, _)| found == name)?;
        Some(value)
    }

    /// The text of the tool's result.
    pub(crate) fn text(&self) -> String {
        let body: Value = serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("{} {}", self.status, self.body));
        body["result"]["content"][0]["text"]
            .as_str()
            .unwrap_or_else(|| panic!("{body}"))
            .to_owned()
    }
}
