//! The load program over HTTP: it sends what clients send, counts right answers
//! only, and ends by itself.

// The figures come from `/proc`.
#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    reason = "a test that cannot be set up has failed"
)]

use std::io::{self, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::thread;

/// Runs a short load against [`server`] with this behaviour.
fn load(behaviour: &str, arguments: &[&str]) -> Output {
    let this = std::env::current_exe().expect("this program has a path");
    Command::new(env!("CARGO_BIN_EXE_load"))
        .args(["--http", "--place", "free", "--runs", "1", "--starts", "1"])
        .args(["--load", "1:20", "--load", "4:100", "--keys", "3"])
        .args(["--idle-sessions", "7", "--idle-connections", "5"])
        .args(["--env", &format!("BEHAVIOUR={behaviour}")])
        .args(arguments)
        .arg("--")
        .arg(this)
        .args(["--ignored", "--exact", "server", "port={port}"])
        .output()
        .expect("the load program starts")
}

#[track_caller]
fn assert_refused(behaviour: &str, arguments: &[&str], message: &str) {
    let output = load(behaviour, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it reported success");
    assert!(stderr.contains(message), "it said: {stderr}");
}

#[test]
fn both_eras_are_spoken_as_clients_do() {
    for era in ["modern", "legacy"] {
        let output = load(era, &["--era", era]);
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{era}: {stderr}");
        for row in [
            "cold start to the first call",
            "calls, 1 connections",
            "CPU per call, 4 connections",
            "memory after the load",
            "memory of an idle session",
            "memory of an idle connection",
        ] {
            assert!(stdout.contains(row), "{era}: no {row:?} in {stdout}");
        }
    }
}

#[test]
fn wrong_answers_are_not_counted() {
    for behaviour in ["wrong sum", "error", "other id"] {
        assert_refused(behaviour, &[], "not an answer that was expected");
    }
    assert_refused("too many", &[], "status 429");
    assert_refused("no length", &[], "without a `Content-Length`");
    assert_refused("long", &[], "more than the `Content-Length`");
}

#[test]
fn a_server_that_hangs_or_ends_is_reported() {
    assert_refused("close", &[], "closed a connection before it had answered");
    assert_refused("end", &[], "ended before it had answered");
    assert_refused("hang", &["--patience", "1"], "was killed");
}

#[test]
fn a_server_without_a_port_is_refused() {
    let output = Command::new(env!("CARGO_BIN_EXE_load"))
        .args(["--http", "--", "true"])
        .output()
        .expect("the load program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it reported success");
    assert!(stderr.contains("{port}"), "it said: {stderr}");
}

/// A server for the load program, which starts this program anew for it. It
/// answers as the variable `BEHAVIOUR` says.
#[test]
#[ignore = "the other tests start it"]
fn server() {
    let port = std::env::args().find_map(|word| word.strip_prefix("port=")?.parse::<u16>().ok());
    let behaviour = std::env::var("BEHAVIOUR");
    let (Some(port), Ok(behaviour)) = (port, behaviour) else {
        return;
    };
    if behaviour == "end" {
        return;
    }
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
    thread::scope(|scope| {
        for stream in listener.incoming() {
            let behaviour = behaviour.as_str();
            // A client that leaves ends its connection, and nothing else.
            scope.spawn(move || stream.and_then(|stream| serve(stream, behaviour)));
        }
    });
}

fn serve(mut stream: TcpStream, behaviour: &str) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let request = Request::read(&mut reader)?;
        let answer = match behaviour {
            "close" => return Ok(()),
            "hang" => continue,
            _ => request.answer(behaviour),
        };
        stream.write_all(answer.as_bytes())?;
    }
}

struct Request {
    /// In small letters.
    head: String,
    body: String,
}

impl Request {
    fn read(reader: &mut impl io::BufRead) -> io::Result<Self> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        head.make_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
            .ok_or(io::ErrorKind::InvalidData)?;
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body = String::from_utf8(body).map_err(|_| io::ErrorKind::InvalidData)?;
        Ok(Request { head, body })
    }

    fn answer(&self, behaviour: &str) -> String {
        let missing = self.missing(behaviour == "legacy");
        if !missing.is_empty() {
            return response("400 Bad Request", "", &missing.join(", "));
        }
        if self.body.contains("notifications/initialized") {
            return response("202 Accepted", "", "");
        }
        let id = self.body.split("\"id\":").nth(1).unwrap_or_default();
        let id = id.split(',').next().unwrap_or_default();
        if self.body.contains("initialize") {
            let body = format!(r#"{{"id":{id},"result":{{}}}}"#);
            return response("200 OK", "mcp-session-id: some-session\r\n", &body);
        }
        let right = format!(r#"{{"id":{id},"result":{{"text":"42"}}}}"#);
        match behaviour {
            "wrong sum" => response("200 OK", "", &right.replace("42", "41")),
            "other id" => response("200 OK", "", r#"{"id":1000000007,"text":"42"}"#),
            "error" => response(
                "200 OK",
                "",
                &right.replace("\"42\"", "\"42\",\"isError\":true"),
            ),
            "too many" => response("429 Too Many Requests", "", &right),
            "no length" => format!("HTTP/1.1 200 OK\r\n\r\n{right}"),
            "long" => response("200 OK", "", &right) + &right,
            _ => response("200 OK", "", &right),
        }
    }

    /// What a strict server would miss in the request.
    fn missing(&self, legacy: bool) -> Vec<&'static str> {
        let mut wanted = vec![
            "post /mcp http/1.1\r\n",
            "\r\nhost: 127.0.0.1:",
            "\r\naccept: application/json, text/event-stream\r\n",
            "\r\ncontent-type: application/json\r\n",
            "\r\nauthorization: bearer ",
        ];
        if !self.body.contains("initialize") {
            wanted.extend(match legacy {
                true => [
                    "\r\nmcp-protocol-version: 2025-11-25\r\n",
                    "\r\nmcp-session-id: some-session\r\n",
                ]
                .as_slice(),
                false => &[
                    "\r\nmcp-protocol-version: 2026-07-28\r\n",
                    "\r\nmcp-method: tools/call\r\n",
                    "\r\nmcp-name: add\r\n",
                ],
            });
        }
        wanted.retain(|text| !self.head.contains(text));
        let keys = std::env::var("MCP_API_KEYS").unwrap_or_default();
        let key = self
            .head
            .split("bearer ")
            .nth(1)
            .and_then(|rest| rest.lines().next());
        if !keys.split(',').any(|entry| entry.split(':').nth(1) == key) {
            wanted.push("a key that the server was given");
        }
        wanted
    }
}

fn response(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}
