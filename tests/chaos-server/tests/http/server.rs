//! The server as a process: spawn it, learn its address from its log, end it.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::client::{Era, HttpClient};
use crate::support::log::Log;
use crate::support::os;
use crate::wire::Conn;

/// Two callers and their keys, the first with the scope `admin`.
pub(crate) const KEYS: &str = "alice:alice-key:admin,bob:bob-key";

const PROGRAM: &str = env!("CARGO_BIN_EXE_chaos-server");

/// What a server is started with.
pub(crate) struct Setup {
    command: Command,
    address: String,
    words: Vec<String>,
}

/// How the chaos server is started unless a test says otherwise.
pub(crate) fn setup() -> Setup {
    setup_of(Command::new(PROGRAM))
}

/// With these limits on open files, as `ulimit` has them.
pub(crate) fn setup_with_open_files(limits: &str) -> Setup {
    let mut command = Command::new("sh");
    let script = format!("ulimit {limits} && exec \"$0\" \"$@\"");
    command.args(["-c", &script, PROGRAM]);
    setup_of(command)
}

fn setup_of(mut command: Command) -> Setup {
    for (name, _) in std::env::vars_os() {
        let ours = ["MCP_", "CHAOS_", "RUST_LOG"];
        if ours
            .iter()
            .any(|prefix| name.as_encoded_bytes().starts_with(prefix.as_bytes()))
        {
            command.env_remove(name);
        }
    }
    Setup {
        command,
        address: "127.0.0.1:0".to_owned(),
        words: Vec::new(),
    }
}

impl Setup {
    /// A variable of the server's environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// A word of the server's command line.
    pub(crate) fn arg(mut self, word: &str) -> Self {
        self.words.push(word.to_owned());
        self
    }

    /// Another address than a free port of this machine's.
    pub(crate) fn address(mut self, address: &str) -> Self {
        address.clone_into(&mut self.address);
        self
    }

    /// With the keys of [`KEYS`].
    pub(crate) fn keys(self) -> Self {
        self.env("MCP_API_KEYS", KEYS)
    }

    /// Starts the process and waits until it listens.
    pub(crate) fn start(self) -> Server {
        let (child, log) = self.spawn();
        let line = log.wait_for("the address", |line| {
            field(line, "address").is_some() && line.contains("listening")
        });
        let address = field(&line, "address")
            .and_then(|address| address.parse().ok())
            .unwrap_or_else(|| panic!("the address cannot be read: {line}"));
        Server {
            child,
            address,
            log,
        }
    }

    /// Starts a process that must end by itself; its status and its stderr.
    pub(crate) fn fail(self) -> (ExitStatus, String) {
        let (mut child, log) = self.spawn();
        let status = os::wait(&mut child, &log);
        (status, log.all().join("\n"))
    }

    fn spawn(self) -> (Child, Log) {
        let mut command = self.command;
        command
            .args(["http", "--addr", &self.address])
            .args(&self.words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the chaos server starts");
        let log = Log::default();
        log.read_from(child.stderr.take().expect("stderr is a pipe"));
        (child, log)
    }
}

/// A field of a JSON log line, at its top or among `fields`.
pub(crate) fn field(line: &str, name: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    let value = line.get(name).or_else(|| line.get("fields")?.get(name))?;
    Some(
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
    )
}

/// A running chaos server. Dropping it kills the process.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// What the server writes to stderr.
    pub(crate) log: Log,
}

impl Server {
    /// A connection without a request yet.
    pub(crate) fn connect(&self) -> Conn {
        Conn::open(self.address)
    }

    /// A client of 2026-07-28.
    pub(crate) fn modern(&self) -> HttpClient {
        HttpClient::new(self.address, Era::Modern)
    }

    /// A client of 2026-07-28 with this key.
    pub(crate) fn modern_as(&self, key: &str) -> HttpClient {
        self.modern().with_key(key)
    }

    /// A client of 2025-11-25 with a session.
    pub(crate) fn legacy(&self) -> HttpClient {
        self.session("2025-11-25", None)
    }

    /// A client of 2025-11-25 with a session and this key.
    pub(crate) fn legacy_as(&self, key: &str) -> HttpClient {
        self.session("2025-11-25", Some(key))
    }

    /// A client of this legacy version with a session.
    pub(crate) fn session(&self, version: &'static str, key: Option<&str>) -> HttpClient {
        let mut client = HttpClient::new(self.address, Era::Legacy(version));
        if let Some(key) = key {
            client = client.with_key(key);
        }
        client.initialize();
        client
    }

    /// One client of each era.
    pub(crate) fn both(&self) -> [HttpClient; 2] {
        [self.modern(), self.legacy()]
    }

    /// Fails unless a new client is served.
    pub(crate) fn assert_alive(&self) {
        self.modern().assert_alive();
    }

    /// The log as JSON, after a clean end.
    pub(crate) fn log_after_end(mut self) -> Vec<Value> {
        self.end();
        self.log
            .all()
            .iter()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
            .collect()
    }

    /// Sends SIGTERM and expects a clean end.
    pub(crate) fn end(&mut self) {
        self.signal(Signal::TERM);
        let status = self.wait();
        assert_eq!(status.code(), Some(0), "stderr:\n{}", self.log.text());
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the process is there");
    }

    /// Whether the process is still there.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the process to end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        os::wait(&mut self.child, &self.log)
    }

    /// The process as the system shows it.
    #[cfg(target_os = "linux")]
    pub(crate) fn proc(&self) -> os::Proc {
        os::Proc(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if the process has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
