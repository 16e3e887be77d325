//! The server over stdio, as hosts start it: what is on stdout and on stderr.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::{greeter, no_such_file};

/// The server over stdio, and a handshake done.
struct Session {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Session {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut session = Self {
            stdin: child.stdin.take(),
            stdout: BufReader::new(child.stdout.take().unwrap()),
            child,
        };
        session.send(&json!({
            "jsonrpc": "2.0", "id": 0, "method": "initialize",
            "params": {
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"},
            },
        }));
        assert_eq!(session.next()["result"]["serverInfo"]["name"], "greeter");
        session
    }

    fn send(&mut self, message: &Value) {
        let line = format!("{message}\n");
        self.stdin
            .as_mut()
            .unwrap()
            .write_all(line.as_bytes())
            .unwrap();
    }

    fn call(&mut self, id: u64, tool: &str, arguments: Value) -> Value {
        self.send(&json!({
            "jsonrpc": "2.0", "id": id, "method": "tools/call",
            "params": {"name": tool, "arguments": arguments},
        }));
        let answer = self.next();
        assert_eq!(answer["id"], id);
        answer
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"))
    }

    /// Ends the input.
    fn end(mut self) -> End {
        self.stdin.take();
        let mut stderr = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut stderr)
            .unwrap();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "nothing but answers is on stdout");
        let mut end = End {
            code: self.child.wait().unwrap().code(),
            log: Vec::new(),
            printed: Vec::new(),
        };
        for line in stderr.lines() {
            match serde_json::from_str::<Value>(line) {
                Ok(line) if line["target"] == "mcp_kit::printed" => {
                    end.printed.push(line["message"].as_str().unwrap().into());
                }
                Ok(line) => end.log.push(line),
                Err(_) => end.printed.push(line.into()), // on Windows as it is
            }
        }
        end
    }
}

/// What a server leaves behind.
struct End {
    code: Option<i32>,
    /// The log's own lines that were not read yet.
    log: Vec<Value>,
    /// What the program and its children printed to stdout.
    printed: Vec<String>,
}

#[test]
fn over_stdio_stdout_is_the_protocols_and_stderr_has_a_line_for_each_call() {
    for start in [&[][..], &["stdio"], &["--greeting", "Hello"]] {
        let mut session = Session::start(greeter().args(start));
        let answer = session.call(1, "greet", json!({"name": "Ada"}));
        assert_eq!(answer["result"]["structuredContent"]["text"], "Hello, Ada!");
        let answer = session.call(2, "lose", json!({}));
        let told = answer["result"]["content"][0]["text"]
            .as_str()
            .unwrap()
            .to_owned();
        session.call(3, "stumble", json!({}));
        session.call(4, "greet", json!({"name": "Ada", "color": 1}));
        let End {
            code,
            log: lines,
            printed,
        } = session.end();
        assert_eq!(code, Some(0));
        assert_eq!(printed, ["not for the client"]);

        assert_eq!(lines.len(), 5, "{lines:#?}");
        let [own, greet, lose, stumble, refused] = &lines[..] else {
            panic!("{lines:#?}")
        };
        assert_eq!(own["message"], "greeted");
        assert_eq!(
            (&own["name"], &own["principal"]),
            (&json!("greet"), &json!("local"))
        );
        assert_eq!(greet["level"], "INFO");
        assert_eq!(greet["name"], "greet");
        assert_eq!(greet["principal"], "local");
        assert_eq!(greet["outcome"], "ok");
        assert_eq!(greet["arguments"], "name");
        assert!(greet["duration_ms"].is_number());
        assert!(greet["timestamp"].as_str().unwrap().ends_with('Z'));
        assert_eq!(lose["outcome"], "internal_error");
        assert!(told.contains(lose["reference"].as_str().unwrap()), "{told}");
        assert!(lose["error"].as_str().unwrap().contains(&no_such_file()));
        assert_eq!(stumble["outcome"], "panic");
        assert!(stumble["error"].as_str().unwrap().contains("a secret"));
        assert!(stumble["error"].as_str().unwrap().contains("greeter.rs"));
        assert_eq!(refused["outcome"], "invalid_arguments");
        assert_eq!(refused["unknown_arguments"], 1);
        assert!(!refused.to_string().contains("color"));
    }
}

#[test]
fn children_that_inherit_stdin_and_stdout_cannot_reach_the_protocol() {
    let mut session = Session::start(&mut greeter());
    let delegated = session.call(1, "delegate", json!({}));
    assert_eq!(delegated["result"]["content"][0]["text"], "true true");
    let greeted = session.call(2, "greet", json!({"name": "Ada"}));
    assert_eq!(
        greeted["result"]["structuredContent"]["text"],
        "Hello, Ada!"
    );
    let end = session.end();
    assert_eq!(end.code, Some(0));
    assert_eq!(end.printed, ["greeter 1.2.3", "not for the client"]);
}

#[test]
fn an_unread_stderr_stops_nothing_and_dropped_lines_are_counted() {
    let mut session = Session::start(greeter().env("RUST_LOG", "trace"));
    // Each call logs a few hundred bytes: far more than a pipe and the queue hold.
    for id in 1..=8_000 {
        let answer = session.call(id, "lose", json!({}));
        assert_eq!(answer["result"]["isError"], true);
    }
    let End {
        code, log: lines, ..
    } = session.end();
    assert_eq!(code, Some(0));
    let dropped: u64 = lines
        .iter()
        .filter_map(|line| line["dropped"].as_u64())
        .sum();
    let calls = lines.iter().filter(|line| line["name"] == "lose").count() as u64;
    assert!(dropped > 0 && calls > 0);
    assert_eq!(dropped + calls, 8_000);
}

#[test]
fn rust_log_says_what_is_logged() {
    let mut session = Session::start(greeter().env("RUST_LOG", "warn"));
    session.call(1, "greet", json!({"name": "Ada"}));
    assert_eq!(session.end().log, Vec::<Value>::new());

    let session = Session::start(greeter().env("RUST_LOG", "mcp_kit=loud"));
    let lines = session.end().log;
    assert_eq!(lines.len(), 1);
    assert!(lines[0]["message"].as_str().unwrap().contains("RUST_LOG"));
}
