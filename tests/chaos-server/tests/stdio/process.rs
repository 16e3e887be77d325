//! The server as a process: spawn it, write raw lines, read raw lines.
//!
//! Nothing here sleeps to let something happen. Every wait is for an answer, a
//! log line, a trace line or the process's end, and has a deadline that only
//! fails: a deadline that is met costs nothing.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

pub(crate) use crate::support::log::Log;
pub(crate) use crate::support::trace::Trace;
pub(crate) use crate::support::{PATIENCE, lines_of, scratch};
use crate::support::{os, rpc};

/// What a server is started with.
pub(crate) struct Setup {
    command: Command,
    stdin: Option<Stdio>,
    stdout: Option<Stdio>,
    stderr: Option<Stdio>,
    read_stdout: bool,
    read_stderr: bool,
}

impl Setup {
    /// A variable of the server's environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Another descriptor than a pipe of ours as the server's stdin.
    pub(crate) fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.stdin = Some(stdin.into());
        self
    }

    /// Another descriptor than a pipe of ours as the server's stdout.
    pub(crate) fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.stdout = Some(stdout.into());
        self
    }

    /// Another descriptor than a pipe of ours as the server's stderr.
    pub(crate) fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.stderr = Some(stderr.into());
        self
    }

    /// Nobody reads stdout until [`Chaos::start_reading`].
    pub(crate) fn without_reading_stdout(mut self) -> Self {
        self.read_stdout = false;
        self
    }

    /// Nobody ever reads stderr.
    pub(crate) fn without_reading_stderr(mut self) -> Self {
        self.read_stderr = false;
        self
    }

    /// Starts the process.
    pub(crate) fn start(self) -> Chaos {
        let Self {
            mut command,
            stdin,
            stdout,
            stderr,
            read_stdout,
            read_stderr,
        } = self;
        command
            .stdin(stdin.unwrap_or_else(Stdio::piped))
            .stdout(stdout.unwrap_or_else(Stdio::piped))
            .stderr(stderr.unwrap_or_else(Stdio::piped));
        let mut child = command.spawn().expect("the chaos server starts");
        // The command holds the descriptors that were given to the child. Ours
        // are closed here, so that an end of file is seen on both sides.
        drop(command);

        let input = child.stdin.take().map(|pipe| Input::new(pipe.into()));
        let unread_stdout = child
            .stdout
            .take()
            .map(|pipe| File::from(OwnedFd::from(pipe)));
        let log = Log::default();
        let mut unread_stderr = None;
        if let Some(pipe) = child.stderr.take() {
            if read_stderr {
                log.read_from(pipe);
            } else {
                unread_stderr = Some(File::from(OwnedFd::from(pipe)));
            }
        }
        let mut chaos = Chaos {
            child,
            input,
            unread_stdout,
            unread_stderr,
            answers: None,
            early: VecDeque::new(),
            log,
            next_id: 1_000_000,
            meta: None,
        };
        if read_stdout {
            chaos.start_reading();
        }
        chaos
    }

    /// Starts the process and shakes hands as a client of 2025-11-25 does.
    pub(crate) fn legacy(self) -> Chaos {
        let mut chaos = self.start();
        chaos.initialize("2025-11-25");
        chaos
    }

    /// Starts the process; every request made by [`Chaos::request`] carries
    /// the metadata of 2026-07-28.
    pub(crate) fn modern(self) -> Chaos {
        let mut chaos = self.start();
        chaos.meta = Some(rpc::meta("2026-07-28"));
        chaos
    }
}

/// How the chaos server is started unless a test says otherwise.
pub(crate) fn setup() -> Setup {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chaos-server"));
    command.arg("stdio");
    for name in [
        "RUST_LOG",
        "MCP_API_KEYS",
        "CHAOS_ALLOW_LOOPBACK_PORT",
        "CHAOS_ROOT",
        "CHAOS_RATE",
        "CHAOS_TRACE",
        "CHAOS_PROCESS",
        "CHAOS_FLOOD",
        "CHAOS_DRAIN",
        "CHAOS_LOCAL_SCOPES",
    ] {
        command.env_remove(name);
    }
    Setup {
        command,
        stdin: None,
        stdout: None,
        stderr: None,
        read_stdout: true,
        read_stderr: true,
    }
}

/// A running chaos server. Dropping it kills the process.
pub(crate) struct Chaos {
    child: Child,
    input: Option<Input>,
    unread_stdout: Option<File>,
    /// Held so that the pipe stays open and is never emptied.
    unread_stderr: Option<File>,
    answers: Option<Receiver<String>>,
    /// Answers that came while the test waited for another one.
    early: VecDeque<Value>,
    /// What the server writes to stderr.
    pub(crate) log: Log,
    next_id: u64,
    meta: Option<Value>,
}

impl Chaos {
    // ---- writing ---------------------------------------------------------

    /// Writes bytes as they are.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("stdin is open");
        input.write_all(bytes).expect("the server reads its stdin");
    }

    /// Writes one line.
    pub(crate) fn line(&mut self, line: &str) {
        self.write(format!("{line}\n").as_bytes());
    }

    /// Writes one message as one line.
    pub(crate) fn send(&mut self, message: &Value) {
        self.line(&message.to_string());
    }

    /// Sends a request with this id and does not wait.
    pub(crate) fn send_request(&mut self, id: impl Into<Value>, method: &str, params: Value) {
        let message = self.request_message(id.into(), method, params);
        self.send(&message);
    }

    /// Sends `tools/call` with this id and does not wait.
    pub(crate) fn send_call(&mut self, id: impl Into<Value>, tool: &str, arguments: Value) {
        self.send_request(
            id,
            "tools/call",
            json!({ "name": tool, "arguments": arguments }),
        );
    }

    /// Sends `notifications/cancelled` for this id.
    pub(crate) fn cancel(&mut self, id: impl Into<Value>) {
        let params = json!({ "requestId": id.into(), "reason": "the test changed its mind" });
        self.send(
            &json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }),
        );
    }

    /// The server's stdin, for a thread that writes while the test reads.
    pub(crate) fn take_input(&mut self) -> Input {
        self.input.take().expect("stdin is open")
    }

    /// The end of stdin.
    pub(crate) fn close_input(&mut self) {
        self.input = None;
    }

    // ---- reading ---------------------------------------------------------

    /// Begins to read stdout, for a server started without.
    pub(crate) fn start_reading(&mut self) {
        if let Some(pipe) = self.unread_stdout.take() {
            self.answers = Some(lines_of(pipe));
        }
    }

    /// The next raw line, or nothing at the end of stdout.
    pub(crate) fn next_line(&mut self) -> Option<String> {
        let answers = self.answers.as_ref().expect("stdout is read");
        match answers.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                panic!(
                    "no answer within {PATIENCE:?}; stderr so far:\n{}",
                    self.log.text()
                )
            }
        }
    }

    /// The next message, whichever request it answers. Fails unless it is JSON-RPC.
    pub(crate) fn next(&mut self) -> Value {
        if let Some(message) = self.early.pop_front() {
            return message;
        }
        self.fresh()
            .unwrap_or_else(|| panic!("stdout ended; stderr:\n{}", self.log.text()))
    }

    /// The answer with this id; others are kept for later.
    pub(crate) fn answer(&mut self, id: impl Into<Value>) -> Value {
        let id = id.into();
        if let Some(at) = self
            .early
            .iter()
            .position(|message| message.get("id") == Some(&id))
        {
            return self.early.remove(at).expect("the position was just found");
        }
        loop {
            let message = self.fresh().unwrap_or_else(|| {
                panic!(
                    "stdout ended without an answer to {id}; stderr:\n{}",
                    self.log.text()
                )
            });
            if message.get("id") == Some(&id) {
                return message;
            }
            self.early.push_back(message);
        }
    }

    /// Every message up to the end of stdout.
    pub(crate) fn rest(&mut self) -> Vec<Value> {
        let mut messages: Vec<Value> = self.early.drain(..).collect();
        while let Some(message) = self.fresh() {
            messages.push(message);
        }
        messages
    }

    /// Fails if an answer came that no test step has asked for yet. Sends a
    /// request first, so that what was written before it has been dealt with.
    pub(crate) fn expect_silence(&mut self) {
        let id = self.fresh_id();
        self.send_request(id, "tools/list", json!({}));
        self.answer(id);
        assert!(
            self.early.is_empty(),
            "unexpected messages: {:?}",
            self.early
        );
    }

    fn fresh(&mut self) -> Option<Value> {
        let line = self.next_line()?;
        Some(rpc::parse(&line))
    }

    // ---- conversations ---------------------------------------------------

    /// Sends a request and waits for its answer, the whole message.
    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.fresh_id();
        self.send_request(id, method, params);
        self.answer(id)
    }

    /// Calls a tool and waits for its result. Fails on a protocol error.
    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.request(
            "tools/call",
            json!({ "name": tool, "arguments": arguments }),
        );
        rpc::result(&answer).clone()
    }

    /// Calls a tool that must succeed; its text.
    pub(crate) fn text(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments);
        assert!(!rpc::is_error(&result), "{tool} failed: {result}");
        rpc::text(&result)
    }

    /// Calls a tool that must fail with `isError`; its text.
    pub(crate) fn failure(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments);
        assert!(rpc::is_error(&result), "{tool} did not fail: {result}");
        rpc::text(&result)
    }

    /// The legacy handshake.
    pub(crate) fn initialize(&mut self, version: &str) -> Value {
        let id = self.fresh_id();
        self.send(&rpc::initialize(id, version));
        let answer = self.answer(id);
        let result = rpc::result(&answer).clone();
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        result
    }

    /// Fails unless the server still serves.
    pub(crate) fn assert_alive(&mut self) {
        assert_eq!(self.text("add", json!({ "a": 20, "b": 22 })), "42");
    }

    fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn request_message(&self, id: Value, method: &str, params: Value) -> Value {
        let mut params = params;
        if let Some(meta) = &self.meta {
            params["_meta"] = meta.clone();
        }
        json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
    }

    // ---- the process -----------------------------------------------------

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the process is there");
    }

    /// Whether the process is still there.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the process to end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        os::wait(&mut self.child, &self.log)
    }

    /// Closes stdin and expects a clean end; what was still to be read.
    pub(crate) fn finish(&mut self) -> Vec<Value> {
        self.close_input();
        let rest = self.rest();
        let status = self.wait();
        assert!(
            status.success(),
            "exit {status}; stderr:\n{}",
            self.log.text()
        );
        rest
    }

    /// An entry of the process below `/proc`.
    #[cfg(target_os = "linux")]
    pub(crate) fn proc(&self, entry: &str) -> std::path::PathBuf {
        os::Proc(self.child.id()).entry(entry)
    }

    /// The most memory the process has held so far, in bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_memory(&self) -> u64 {
        os::Proc(self.child.id()).peak_memory()
    }

    /// Waits until the process has done all that it can do without us.
    #[cfg(target_os = "linux")]
    pub(crate) fn wait_until_idle(&self) {
        os::Proc(self.child.id()).wait_until_idle();
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Chaos {
    fn drop(&mut self) {
        // Both fail only if the process has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
        drop(self.unread_stderr.take());
    }
}

/// The server's stdin. A server that stops reading fails the write in the end,
/// where a plain pipe would hold the test for ever.
pub(crate) struct Input(File);

impl Input {
    fn new(pipe: OwnedFd) -> Self {
        let flags = fcntl_getfl(&pipe).expect("the flags can be read");
        fcntl_setfl(&pipe, flags | OFlags::NONBLOCK).expect("the flags can be set");
        Self(File::from(pipe))
    }
}

impl Write for Input {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let patience = Timespec::try_from(PATIENCE).map_err(io::Error::other)?;
        loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let mut files = [PollFd::new(&self.0, PollFlags::OUT)];
                    if poll(&mut files, Some(&patience))? == 0 {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                }
                outcome => return outcome,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
