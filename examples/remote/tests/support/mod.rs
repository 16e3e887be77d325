//! The built program as a process, and HTTP/1.1 to it in plain text.
//!
//! Nothing here sleeps until something has happened by then. Each wait is for an
//! answer, a log line or the end of the process, and has a deadline that only
//! fails.

#![allow(
    clippy::disallowed_methods,
    reason = "tests start the program as a host does"
)]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// How long a test waits for anything before it fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The program, with nothing in its environment that this machine may have set.
pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_remote"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars() {
        if name.starts_with("MCP_") || name.starts_with("BRAVE_") {
            command.env_remove(name);
        }
    }
    command.env_remove("SEARCH_CORPUS");
    command.env_remove("RUST_LOG");
    command
}

/// Runs the program to its end.
pub fn run(arguments: &[&str]) -> Output {
    program(arguments).output().expect("the program starts")
}

/// A server that listens. It is ended when the test is.
pub struct Remote {
    process: Child,
    pub address: String,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Remote {
    /// Starts it on a free port, with `keys` as in `MCP_API_KEYS` and further
    /// options of the command line.
    pub fn start(keys: &str, options: &[&str]) -> Self {
        let mut command = program(&["http", "--addr", "127.0.0.1:0"]);
        if !keys.is_empty() {
            command.env("MCP_API_KEYS", keys);
        }
        command.args(options).stdout(Stdio::null());
        let mut process = command
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stderr = process.stderr.take().expect("stderr is a pipe");
        let log = Arc::new(Mutex::new(String::new()));
        let (listens, address) = mpsc::channel();
        let kept = Arc::clone(&log);
        let reader = thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let entry: Value = serde_json::from_str(&line).unwrap_or_default();
                if entry["message"] == "listening" {
                    let _ = listens.send(entry["address"].as_str().unwrap_or("").to_owned());
                }
                let mut log = kept.lock().expect("the log");
                log.push_str(&line);
                log.push('\n');
            }
        });
        let address = address.recv_timeout(PATIENCE);
        let mut remote = Self {
            process,
            address: String::new(),
            log,
            reader: Some(reader),
        };
        remote.address = address.unwrap_or_else(|_| panic!("it does not listen: {}", remote.log()));
        remote
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("the log").clone()
    }

    /// Sends a request and reads the whole answer.
    pub fn request(&self, head: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        Answer::read(self.send(head, headers, body))
    }

    /// Sends a request whose answer is read later.
    pub fn send(&self, head: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut request = format!("{head} HTTP/1.1\r\nhost: {}\r\n", self.address);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        let length = body.len();
        request.push_str(&format!(
            "connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        ));
        stream.write_all(request.as_bytes()).expect("it reads");
        stream
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request(&format!("GET {path}"), &[], "")
    }

    /// Sends a message to the endpoint.
    pub fn post(&self, headers: &[(&str, &str)], message: &Value) -> Answer {
        let mut all = vec![
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ];
        all.extend(headers);
        self.request("POST /mcp", &all, &message.to_string())
    }

    /// Calls a tool as clients of 2026-07-28 do. `credentials` is a header.
    pub fn call(&self, credentials: (&str, &str), tool: &str, arguments: &Value) -> Answer {
        let message = json!({
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
        let headers = [
            credentials,
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
            ("mcp-name", tool),
        ];
        self.post(&headers, &message)
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        let kill = format!("kill -TERM {}", self.process.id());
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    }

    /// Waits for its end: the exit code, and all that it logged.
    pub fn wait(mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.process.try_wait().expect("the process is ours") {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end: {}", self.log());
            thread::sleep(Duration::from_millis(10));
        };
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the log is read");
        }
        (status.code(), self.log())
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An answer, with names of headers in lower case.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Answer {
    /// Reads to the end of the connection.
    pub fn read(mut stream: TcpStream) -> Self {
        let mut all = String::new();
        stream.read_to_string(&mut all).expect("a whole answer");
        let (head, body) = all.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let answer = Self {
            status: status.expect("a status"),
            head: head.to_owned(),
            body: body.to_owned(),
        };
        if answer.header("transfer-encoding") == Some("chunked") {
            return Self {
                body: without_chunks(body),
                ..answer
            };
        }
        answer
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The message in it: the body, or the last event of a stream.
    pub fn message(&self) -> Value {
        let text = match self.header("content-type") {
            Some("text/event-stream") => {
                let mut data = self
                    .body
                    .lines()
                    .filter_map(|line| line.strip_prefix("data:"));
                data.next_back().unwrap_or_default().trim()
            }
            _ => &self.body,
        };
        serde_json::from_str(text).unwrap_or_else(|_| panic!("no message in {self:?}"))
    }

    /// The text of a tool's result.
    pub fn text(&self) -> String {
        let message = self.message();
        let text = &message["result"]["content"][0]["text"];
        text.as_str()
            .unwrap_or_else(|| panic!("no text in {self:?}"))
            .to_owned()
    }
}

fn without_chunks(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).expect("a chunk's size");
        if size == 0 {
            break;
        }
        whole.push_str(&rest[..size]);
        body = rest[size..].strip_prefix("\r\n").expect("a chunk's end");
    }
    whole
}
