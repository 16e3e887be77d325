//! Servers with which the load talks over HTTP, on keep-alive connections with
//! one request at a time on each.

mod caller;
mod connection;
mod exchange;
mod request;
mod response;

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crate::call::{Call, Era};
use crate::placement::Placement;
use crate::process::{ENDED, Process, ServerCommand};
use crate::server::{Server, Transport};
use crate::watchdog::Watchdog;
use caller::Caller;
use connection::Connection;
use request::Requests;

/// The text for which the port is put into a server's arguments.
const PORT: &str = "{port}";

/// The pause between two tries to reach a server that is starting.
const PAUSE: Duration = Duration::from_micros(200);

/// Calls over HTTP.
pub(crate) struct Web {
    call: Call,
    tool: String,
    era: Era,
    keys: Vec<String>,
}

/// A server that listens.
pub(crate) struct WebServer<'a> {
    process: Process,
    web: &'a Web,
    address: SocketAddr,
    requests: Requests,
    callers: Vec<Caller>,
    cold_start: Duration,
}

impl Web {
    /// The callers use `keys` in turn.
    pub(crate) fn new(call: Call, tool: &str, era: Era, keys: Vec<String>) -> Self {
        Web {
            call,
            tool: tool.to_owned(),
            era,
            keys,
        }
    }

    /// Starts a server at a free port and makes a first call.
    pub(crate) fn open(
        &self,
        command: &ServerCommand,
        placement: &Placement,
        watchdog: &Watchdog,
    ) -> Result<WebServer<'_>, String> {
        let address = free_port().map_err(|error| format!("looking for a free port: {error}"))?;
        let arguments = with_port(command, address.port())?;
        let process = Process::start(command, &arguments, placement, watchdog, |process| {
            process.stdin(Stdio::null()).stdout(Stdio::null());
        })?;
        let requests = Requests::new(address, &self.keys);
        let first = process.watched(|| {
            let connection = connect(&process, address)?;
            let mut caller = self.greet(connection, 0, &requests)?;
            caller.call_once(&self.call)?;
            Ok(caller)
        })?;
        Ok(WebServer {
            cold_start: process.age(),
            process,
            web: self,
            address,
            requests,
            callers: vec![first],
        })
    }

    fn greet(
        &self,
        connection: Connection,
        index: usize,
        requests: &Requests,
    ) -> Result<Caller, String> {
        Caller::greet(
            connection, index, requests, &self.call, &self.tool, self.era,
        )
    }
}

impl WebServer<'_> {
    /// Opens connections until there are so many, and makes a call on each.
    pub(crate) fn open_connections(&mut self, count: usize) -> Result<(), String> {
        let WebServer {
            process,
            web,
            address,
            requests,
            callers,
            ..
        } = self;
        process.watched(|| {
            while callers.len() < count {
                let connection = connect(process, *address)?;
                let mut caller = web.greet(connection, callers.len(), requests)?;
                caller.call_once(&web.call)?;
                callers.push(caller);
            }
            Ok(())
        })
    }

    /// Opens so many sessions over one connection. False: the server has none.
    pub(crate) fn open_sessions(&mut self, count: usize) -> Result<bool, String> {
        self.process.watched(|| {
            let mut connection = connect(&self.process, self.address)?;
            for caller in 0..count {
                if caller::open_session(&mut connection, caller, &self.requests)?.is_none() {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }
}

impl Transport for Web {
    fn first_answer(&self) -> &'static str {
        "the first call"
    }

    fn lanes(&self) -> &'static str {
        "connections"
    }

    fn start<'a>(
        &'a self,
        command: &ServerCommand,
        placement: &Placement,
        watchdog: &Watchdog,
    ) -> Result<Box<dyn Server + 'a>, String> {
        Ok(Box::new(self.open(command, placement, watchdog)?))
    }
}

impl Server for WebServer<'_> {
    fn process(&self) -> &Process {
        &self.process
    }

    fn cold_start(&self) -> Duration {
        self.cold_start
    }

    /// The first call has had its answer: there is nothing more to wait for.
    fn settle(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn exchange(&mut self, in_flight: usize, calls: usize) -> Result<Duration, String> {
        self.open_connections(in_flight)?;
        let callers = &mut self.callers[..in_flight];
        self.process
            .watched(|| exchange::run(callers, &self.web.call, calls))
    }

    /// Closes the connections and lets the server end as it does in service.
    fn stop(self: Box<Self>) -> Result<(), String> {
        drop(self.callers);
        self.process.terminate()
    }
}

/// The address of a port that is free at the moment. A process that takes it before
/// the server does gets requests that it cannot answer, and the run stops.
fn free_port() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn with_port(command: &ServerCommand, port: u16) -> Result<Vec<String>, String> {
    let arguments = command.arguments();
    if !arguments.iter().any(|word| word.contains(PORT)) {
        let name = command.name();
        return Err(format!(
            "`{name}` needs its port: put {PORT} into its arguments"
        ));
    }
    let port = port.to_string();
    Ok(arguments
        .iter()
        .map(|word| word.replace(PORT, &port))
        .collect())
}

/// Connects as soon as the server listens.
fn connect(process: &Process, address: SocketAddr) -> Result<Connection, String> {
    loop {
        match Connection::open(address) {
            Ok(connection) => return Ok(connection),
            Err(error) if error.kind() != ErrorKind::ConnectionRefused => {
                return Err(format!("connecting to the server: {error}"));
            }
            Err(_) if process.has_ended() => return Err(ENDED.to_owned()),
            Err(_) => thread::sleep(PAUSE),
        }
    }
}
