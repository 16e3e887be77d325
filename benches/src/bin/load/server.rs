//! A server process: started, greeted, read from `/proc`, stopped.

use std::fs;
use std::io::{self, Read, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::placement::Placement;
use crate::watchdog::{self, SharedChild, Watchdog};

const INITIALIZE: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"load","version":"0"}}}
"#;
const INITIALIZED: &[u8] = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":2,"method":"ping"}
"#;

/// What a closed pipe means.
pub(crate) const ENDED: &str = "the server ended before it had answered";

/// How to start a server.
pub(crate) struct ServerCommand {
    program: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

/// Both ends of the conversation.
pub(crate) struct Pipes {
    pub(crate) stdin: ChildStdin,
    pub(crate) stdout: ChildStdout,
}

/// A server that has answered `initialize`. It is killed when dropped.
pub(crate) struct Server {
    child: Kill,
    pid: u32,
    pipes: Pipes,
    cold_start: Duration,
    watchdog: Watchdog,
}

struct Kill(SharedChild);

impl ServerCommand {
    pub(crate) fn new(
        words: Vec<String>,
        environment: &[(String, String)],
    ) -> Result<Self, String> {
        let mut words = words.into_iter();
        let program = words.next().ok_or("a server's command is empty")?;
        Ok(ServerCommand {
            program,
            arguments: words.collect(),
            environment: environment.to_vec(),
        })
    }

    /// The program's file name.
    pub(crate) fn name(&self) -> &str {
        self.program.rsplit('/').next().unwrap_or(&self.program)
    }
}

impl Server {
    /// Starts the server and waits for its answer to `initialize`.
    pub(crate) fn start(
        command: &ServerCommand,
        placement: &Placement,
        watchdog: &Watchdog,
    ) -> Result<Self, String> {
        let mut process = Command::new(&command.program);
        process
            .args(&command.arguments)
            .envs(command.environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let (begin, child) = placement.on_servers_core(|| (Instant::now(), process.spawn()))?;
        let mut child =
            child.map_err(|error| format!("starting `{}`: {error}", command.program))?;
        let pid = child.id();
        let pipes = child.stdin.take().zip(child.stdout.take());
        let child = Kill(Arc::new(Mutex::new(child)));
        let (stdin, stdout) = pipes.ok_or("the server has no pipes")?;
        let mut pipes = Pipes { stdin, stdout };
        watchdog.watch(&child.0, || pipes.ask(INITIALIZE))?;
        Ok(Server {
            cold_start: begin.elapsed(),
            child,
            pid,
            pipes,
            watchdog: watchdog.clone(),
        })
    }

    /// From before the process was started to the answer of `initialize`.
    pub(crate) fn cold_start(&self) -> Duration {
        self.cold_start
    }

    /// Ends the handshake and waits until the server has dealt with it.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        self.watched(|pipes| pipes.ask(INITIALIZED))
    }

    /// Runs a step that may not take for ever.
    pub(crate) fn watched<T>(
        &mut self,
        step: impl FnOnce(&mut Pipes) -> Result<T, String>,
    ) -> Result<T, String> {
        self.watchdog.watch(&self.child.0, || step(&mut self.pipes))
    }

    /// CPU time that all living threads have used, in user and system mode.
    /// The scheduler counts it in nanoseconds; `/proc/PID/stat` has only ticks.
    pub(crate) fn cpu(&self) -> Result<Duration, String> {
        let folder = format!("/proc/{}/task", self.pid);
        let threads = fs::read_dir(&folder).map_err(|error| format!("{folder}: {error}"))?;
        let mut sum = 0;
        for thread in threads {
            let path = thread
                .map_err(|error| format!("{folder}: {error}"))?
                .path()
                .join("schedstat");
            // A thread may end between the listing and the look at it.
            let Ok(text) = fs::read_to_string(&path) else {
                continue;
            };
            sum += text
                .split_whitespace()
                .next()
                .and_then(|word| word.parse::<u64>().ok())
                .ok_or_else(|| format!("{} has no CPU time", path.display()))?;
        }
        Ok(Duration::from_nanos(sum))
    }

    /// Resident memory in MB (10^6 bytes).
    pub(crate) fn resident_megabytes(&self) -> Result<f64, String> {
        let path = format!("/proc/{}/status", self.pid);
        let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        text.lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<f64>().ok())
            .map(|kibibytes| kibibytes * 1024.0 / 1e6)
            .ok_or_else(|| format!("{path} has no VmRSS"))
    }

    /// Closes the server's stdin and waits for it to end.
    pub(crate) fn stop(self) -> Result<(), String> {
        let Server {
            child,
            pipes,
            watchdog,
            ..
        } = self;
        let Pipes { stdin, mut stdout } = pipes;
        drop(stdin);
        // Its stdout ends when the process does. Waiting on the child instead
        // would hold the lock that the watchdog needs.
        let mut rest = Vec::new();
        watchdog.watch(&child.0, || {
            stdout
                .read_to_end(&mut rest)
                .map_err(|error| format!("waiting for the server's end: {error}"))
        })?;
        Ok(())
    }
}

impl Pipes {
    /// Sends bytes and waits for one line.
    fn ask(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stdin
            .write_all(bytes)
            .map_err(|error| lost("greeting the server", &error))?;
        let mut answer = Vec::new();
        let mut chunk = [0; 4096];
        while answer.last() != Some(&b'\n') {
            match self.stdout.read(&mut chunk) {
                Ok(0) => return Err(ENDED.to_owned()),
                Ok(count) => answer.extend_from_slice(&chunk[..count]),
                Err(error) => return Err(format!("reading the server's answer: {error}")),
            }
        }
        if memchr::memmem::find(&answer, br#""result":"#).is_some() {
            Ok(())
        } else {
            Err(format!(
                "the server refused the handshake: {}",
                String::from_utf8_lossy(&answer).trim_end()
            ))
        }
    }
}

impl Drop for Kill {
    fn drop(&mut self) {
        watchdog::kill(&self.0);
        let mut child = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // It was killed, so this does not wait long; without it a zombie stays.
        let _ = child.wait();
    }
}

/// Says why a write failed.
pub(crate) fn lost(step: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::BrokenPipe => ENDED.to_owned(),
        _ => format!("{step}: {error}"),
    }
}
