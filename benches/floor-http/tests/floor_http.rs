//! The floor over HTTP is an honest server: it answers what a client may send.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

struct Floor {
    process: Child,
    address: String,
}

impl Floor {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_floor-http"))
            .args(["--addr", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let stdout = process.stdout.take().expect("stdout is a pipe");
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the server says where it listens");
        let address = line
            .strip_prefix("listening ")
            .expect("the line is the address")
            .trim_end()
            .to_owned();
        Floor { process, address }
    }

    /// Sends requests on one connection and reads until the server closes it.
    fn exchange(&self, requests: &[String]) -> Vec<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address).expect("the server listens");
        stream
            .write_all(requests.concat().as_bytes())
            .expect("the server reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("the server writes");
        let mut answers = Vec::new();
        let mut rest = text.as_str();
        while let Some((head, after)) = rest.split_once("\r\n\r\n") {
            let status = head.split(' ').nth(1).expect("a status line");
            let length: usize = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().expect("a number"));
            let (body, after) = after.split_at(length);
            answers.push((status.parse().expect("a number"), body.to_owned()));
            rest = after;
        }
        answers
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn request(method: &str, path: &str, connection: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: {connection}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn calls_of_both_eras_are_answered_on_one_connection() {
    let legacy = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "add", "arguments": { "a": 20, "b": 22 } },
    });
    let mut modern = legacy.clone();
    modern["id"] = json!("two");
    modern["params"]["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let notification = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let answers = Floor::start().exchange(&[
        request("POST", "/mcp", "keep-alive", &legacy.to_string()),
        request("POST", "/mcp", "keep-alive", &notification.to_string()),
        request("POST", "/mcp", "close", &modern.to_string()),
    ]);

    let statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [200, 202, 200]);
    for (answer, id) in [(&answers[0], json!(1)), (&answers[2], json!("two"))] {
        let answer: Value = serde_json::from_str(&answer.1).expect("the body is JSON");
        assert_eq!(answer["id"], id);
        assert_eq!(answer["result"]["content"][0]["text"], "42");
    }
    assert_eq!(answers[1].1, "");
}

#[test]
fn mistakes_get_the_right_status() {
    let floor = Floor::start();
    for (method, path, status) in [
        ("GET", "/mcp", 405),
        ("POST", "/other", 404),
        ("POST", "/mcp", 200),
    ] {
        let answers = floor.exchange(&[request(method, path, "close", "{")]);
        assert_eq!(answers[0].0, status, "{method} {path}");
        if status == 200 {
            let answer: Value = serde_json::from_str(&answers[0].1).expect("the body is JSON");
            assert_eq!(answer["error"]["code"], -32700);
        }
    }
}
