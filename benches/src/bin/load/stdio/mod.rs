//! Servers with which the load talks over their stdin and stdout.

mod exchange;

use std::io::{self, Read as _, Write as _};
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use crate::call::Call;
use crate::options::Load;
use crate::placement::Placement;
use crate::process::{ENDED, Process, ServerCommand};
use crate::server::{Server, Transport};
use crate::watchdog::Watchdog;
use exchange::Traffic;

const INITIALIZE: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"load","version":"0"}}}
"#;
const INITIALIZED: &[u8] = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":2,"method":"ping"}
"#;

/// How many bytes an empty pipe takes. Requests in flight have to fit in, or
/// both sides could wait for each other's reads.
const PIPE: usize = 64 * 1024;

/// Calls in lines, many at a time.
pub(crate) struct Lines {
    call: Call,
}

struct LineServer<'a> {
    process: Process,
    pipes: Pipes,
    cold_start: Duration,
    call: &'a Call,
}

/// Both ends of the conversation.
struct Pipes {
    stdin: ChildStdin,
    stdout: ChildStdout,
}

impl Lines {
    pub(crate) fn new(call: Call, loads: &[Load]) -> Result<Self, String> {
        let length = call.message().len() + 1;
        match loads.iter().find(|load| load.in_flight * length > PIPE) {
            Some(load) => Err(format!(
                "{} requests in flight do not fit into a pipe: at most {} of this size do",
                load.in_flight,
                PIPE / length
            )),
            None => Ok(Lines { call }),
        }
    }
}

impl Transport for Lines {
    fn first_answer(&self) -> &'static str {
        "`initialize`"
    }

    fn lanes(&self) -> &'static str {
        "in flight"
    }

    fn start<'a>(
        &'a self,
        command: &ServerCommand,
        placement: &Placement,
        watchdog: &Watchdog,
    ) -> Result<Box<dyn Server + 'a>, String> {
        let arguments = command.arguments();
        let process = Process::start(command, arguments, placement, watchdog, |process| {
            process.stdin(Stdio::piped()).stdout(Stdio::piped());
        })?;
        let (stdin, stdout) = process.pipes().ok_or("the server has no pipes")?;
        let mut pipes = Pipes { stdin, stdout };
        process.watched(|| pipes.ask(INITIALIZE))?;
        Ok(Box::new(LineServer {
            cold_start: process.age(),
            process,
            pipes,
            call: &self.call,
        }))
    }
}

impl Server for LineServer<'_> {
    fn process(&self) -> &Process {
        &self.process
    }

    fn cold_start(&self) -> Duration {
        self.cold_start
    }

    /// Ends the handshake and waits until the server has dealt with it.
    fn settle(&mut self) -> Result<(), String> {
        self.process.watched(|| self.pipes.ask(INITIALIZED))
    }

    fn exchange(&mut self, in_flight: usize, calls: usize) -> Result<Duration, String> {
        let traffic = Traffic::new(self.call, in_flight, calls);
        self.process.watched(|| traffic.run(&mut self.pipes))
    }

    /// Closes the server's stdin and waits for it to end.
    fn stop(self: Box<Self>) -> Result<(), String> {
        let Pipes { stdin, mut stdout } = self.pipes;
        drop(stdin);
        // Its stdout ends when the process does. Waiting on the child instead
        // would hold the lock that the watchdog needs.
        let mut rest = Vec::new();
        self.process.watched(|| {
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

/// Says why a write failed.
fn lost(step: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::BrokenPipe => ENDED.to_owned(),
        _ => format!("{step}: {error}"),
    }
}
